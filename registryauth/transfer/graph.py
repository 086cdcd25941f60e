"""Everything that a manifest or index leads to: each manifest and each blob once."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from typing import Any

from registryauth._value import Value
from registryauth.content.descriptor import Descriptor, Platform
from registryauth.content.manifest import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST, Index, Manifest
from registryauth.digest import Digest
from registryauth.errors import ContentError, SizeMismatch, UnsupportedMediaType

#: All platforms of an index, and whatever else it names.
ALL = "all"
#: Indexes within indexes; real ones have two levels.
_MAX_DEPTH = 8
#: Bytes of all manifests of one transfer, which are held in memory: a thousand platforms with sixty layers each.
_MAX_MANIFESTS = 16 * 1024 * 1024
_MANIFEST_TYPES = frozenset({OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST})
#: How `os.uname` calls what images call otherwise (image-spec, image-index.md: the values of GOARCH).
_ARCHITECTURES = {
    "x86_64": "amd64", "aarch64": "arm64", "i386": "386", "i686": "386", "armv6l": "arm/v6", "armv7l": "arm/v7", "armv8l": "arm/v7",
    "loongarch64": "loong64",
}  # fmt: skip

Read = Callable[[Descriptor], Manifest | Index]


class Found(Value, hidden=("content",)):
    """A manifest or index and the descriptor that led to it."""

    described: Descriptor
    content: Manifest | Index


class Graph(Value):
    """*manifests*, children before what names them, the root last; *blobs* once each, large ones first; *foreign* layers are elsewhere."""

    manifests: tuple[Found, ...]
    blobs: tuple[Descriptor, ...]
    foreign: tuple[Descriptor, ...]

    @property
    def root(self) -> Descriptor:
        """What it all hangs from."""
        return self.manifests[-1].described


def described(found: Manifest | Index) -> Descriptor:
    """The descriptor of *found*."""
    return Descriptor(found.media_type, found.digest, len(found.raw))


def wanted_platform(platform: str | Platform | None) -> str | Platform | None:
    """What to ask `RepositoryClient.manifest` for: None gives the platform of this machine, `ALL` what the name stands for as it is."""
    if platform == ALL:
        return None
    return platform or this_platform()


def this_platform() -> Platform:
    """The platform whose images run here: Linux, as containers on other systems run in a Linux machine, too."""
    machine = os.uname().machine
    return Platform.parse(f"linux/{_ARCHITECTURES.get(machine, machine)}")


def walk(root: Manifest | Index, read: Read, each: Callable[[Read, Iterable[Descriptor]], list[Manifest | Index]]) -> Graph:
    """All that *root* leads to; *read* gives a manifest by its descriptor, *each* runs it for several.

    Raise `ContentError` for what is nested too deep or too large, for content that is not as described, and where two descriptors
    of one digest disagree.
    """
    found: dict[Digest, Found] = {root.digest: Found(described(root), root)}
    level = [root]
    size = len(root.raw)
    for _ in range(_MAX_DEPTH):
        following = _unseen(level, found)
        if not following:
            return _ordered(found, root)
        level = each(read, following)
        for entry, manifest in zip(following, level, strict=True):
            found[entry.digest] = Found(entry, _as_described(manifest, entry))
            size += len(manifest.raw)
        if size > _MAX_MANIFESTS:
            raise ContentError(f"the manifests have more than {_MAX_MANIFESTS} bytes together", hint="transfer one platform at a time")
    raise ContentError(f"indexes are nested more than {_MAX_DEPTH} deep", hint="the image was not made by a sane program")


def _unseen(level: list[Manifest | Index], found: dict[Digest, Found]) -> list[Descriptor]:
    entries = {entry.digest: entry for manifest in level if isinstance(manifest, Index) for entry in manifest.manifests}
    return [entry for entry in entries.values() if entry.media_type in _MANIFEST_TYPES and entry.digest not in found]


def _as_described(manifest: Manifest | Index, entry: Descriptor) -> Manifest | Index:
    if len(manifest.raw) != entry.size:
        raise SizeMismatch(f"{entry.digest} has {len(manifest.raw)} bytes, {entry.size} by its description")
    if manifest.media_type != entry.media_type:
        raise UnsupportedMediaType(
            f"{entry.digest} is described as {entry.media_type} and is {manifest.media_type}", hint="one of them lies, so it is not used"
        )
    return manifest


def _ordered(found: dict[Digest, Found], root: Manifest | Index) -> Graph:
    order: dict[Digest, Found] = {}
    blobs: dict[Digest, Descriptor] = {}
    foreign: dict[Digest, Descriptor] = {}

    def visit(node: Found) -> None:
        for entry in _parts(node.content):
            if entry.digest in found:
                if entry.digest not in order:
                    visit(found[entry.digest])
                continue
            known = (foreign if is_foreign(entry.media_type) else blobs).setdefault(entry.digest, entry)
            if known.size != entry.size:
                raise SizeMismatch(f"{entry.digest} is described with {known.size} and with {entry.size} bytes")
        order[node.content.digest] = node

    visit(found[root.digest])
    largest_first = sorted(blobs.values(), key=lambda blob: -blob.size)
    return Graph(tuple(order.values()), tuple(largest_first), tuple(entry for entry in foreign.values() if entry.digest not in blobs))


def _parts(content: Manifest | Index) -> tuple[Descriptor, ...]:
    # An index may name things that are no manifests (image-spec, image-index.md): they are blobs to us.
    return content.manifests if isinstance(content, Index) else (content.config, *content.layers)


def is_foreign(media_type: str) -> bool:
    """Whether registries do not hold layers of *media_type*: Windows base layers, which may not be distributed (image-spec, layer.md)."""
    return ".layer.nondistributable." in media_type or media_type == "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"


def layer_annotations(manifest: Manifest) -> list[dict[str, Any]]:
    """The annotations of each layer of *manifest*, strings only."""
    rows = json.loads(manifest.raw)["layers"]
    plain = [row.get("annotations") or {} for row in rows]
    return [{key: value for key, value in row.items() if isinstance(value, str)} if isinstance(row, dict) else {} for row in plain]
