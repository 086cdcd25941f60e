"""Manifests and indexes, OCI's and Docker's, their bytes kept as they came."""

from __future__ import annotations

from registryauth._json import load_json
from registryauth._redact import printable
from registryauth._value import Value
from registryauth.content.descriptor import Descriptor, Platform
from registryauth.digest import Digest
from registryauth.errors import ContentError, DigestMismatch, NotFound, UnsupportedMediaType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
_SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1"

_MANIFESTS = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
_INDEXES = frozenset({OCI_INDEX, DOCKER_LIST})
#: What we ask for; a registry without content negotiation ignores it.
ACCEPT = ", ".join((OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST))

#: distribution-spec, "Pushing Manifests": registries should take at least 4 MiB, and none takes much more.
MAX_MANIFEST = 4 * 1024 * 1024


class Manifest(Value, hidden=("raw",)):
    """An image or artifact manifest; *raw* is what the registry sent, to the byte, and *digest* names it."""

    media_type: str
    digest: Digest
    raw: bytes
    config: Descriptor
    layers: tuple[Descriptor, ...]
    artifact_type: str = ""
    subject: Descriptor | None = None


class Index(Value, hidden=("raw",)):
    """An image index or manifest list: the same image for several platforms, or several things under one name."""

    media_type: str
    digest: Digest
    raw: bytes
    manifests: tuple[Descriptor, ...]


def read_manifest(raw: bytes, content_type: str, expected: Digest | None) -> Manifest | Index:
    """*raw*, which a registry sent as *content_type*, verified and read.

    *expected* is the digest asked for, or the one the registry claims. Raise `DigestMismatch`, `UnsupportedMediaType`
    (schema 1, something unknown, or a header that disagrees with the content: CVE-2021-41190) or `ContentError`.
    """
    digest = Digest.of(raw, expected.algorithm if expected else "sha256")
    if expected and digest != expected:
        raise DigestMismatch(
            f"the manifest is not what was asked for: {expected} was wanted, {digest} came",
            hint="the registry or a proxy before it is damaged or lies",
        )
    plain = _object(raw)
    media_type = _media_type(plain, content_type.partition(";")[0].strip().lower())
    if media_type in _INDEXES:
        return Index(media_type, digest, raw, _descriptors(plain, "manifests"))
    config, subject, artifact_type = plain.get("config"), plain.get("subject"), plain.get("artifactType")
    if not isinstance(config, dict):
        raise ContentError("config is missing in the manifest")
    return Manifest(
        media_type,
        digest,
        raw,
        Descriptor.read(config, "config"),
        _descriptors(plain, "layers"),
        artifact_type if isinstance(artifact_type, str) else "",
        Descriptor.read(subject, "subject") if isinstance(subject, dict) else None,
    )


def _object(raw: bytes) -> dict[str, Any]:
    plain = load_json(raw, "the manifest", MAX_MANIFEST, error=ContentError)
    if not isinstance(plain, dict):
        raise ContentError("the manifest is not a JSON object", hint="is this address a container registry?")
    return plain


def _media_type(plain: Mapping[str, Any], content_type: str) -> str:
    """What the content says it is, checked against what the registry says and what it looks like."""
    inside = plain.get("mediaType")
    if plain.get("schemaVersion") == 1 or content_type.startswith(_SCHEMA_1):
        raise UnsupportedMediaType(
            "this is a schema 1 manifest, a format of 2014 that is not signed safely", hint="push the image again with a current client"
        )
    if inside is not None and not isinstance(inside, str):
        raise UnsupportedMediaType("mediaType is not a string in the manifest")
    said = content_type if content_type in _MANIFESTS | _INDEXES else ""
    if inside and said and inside != said:
        raise UnsupportedMediaType(
            f"the registry calls this {said}, the content calls itself {printable(inside)}", hint="one of them lies, so it is not used"
        )
    media_type = inside or said or (OCI_INDEX if "manifests" in plain else OCI_MANIFEST if "config" in plain else content_type)
    if media_type not in _MANIFESTS | _INDEXES:
        raise UnsupportedMediaType(f"{printable(media_type) or 'content without a media type'} is not a manifest or index that we know")
    if "manifests" in plain and ("layers" in plain or "config" in plain):
        raise UnsupportedMediaType("the content is a manifest and an index at once", hint="it may be read in two ways, so it is not used")
    return media_type


def _descriptors(plain: Mapping[str, Any], name: str) -> tuple[Descriptor, ...]:
    rows = plain.get(name)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ContentError(f"{name} is not a list of descriptors in the manifest")
    return tuple(Descriptor.read(row, f"{name}[{number}]") for number, row in enumerate(rows))


def select(index: Index, platform: Platform) -> Descriptor:
    """The entry of *index* that suits *platform* best; raise `NotFound` listing what there is."""
    ranked = [(rank, entry) for entry in index.manifests if entry.platform and (rank := entry.platform.rank(platform)) is not None]
    if not ranked:
        there = (
            ", ".join(sorted({printable(str(entry.platform)) for entry in index.manifests if entry.platform}))
            or "none that names its platform"
        )
        raise NotFound(f"the image has nothing for {platform}", hint=f"it has {there}")
    return min(ranked, key=lambda pair: pair[0])[1]
