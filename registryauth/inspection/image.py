"""What the manifest and the configuration say of an image, before any layer is read."""

from __future__ import annotations

import re

from registryauth._json import Node, load_json
from registryauth._redact import printable
from registryauth._value import Value
from registryauth.client import RepositoryClient
from registryauth.content.descriptor import Descriptor, Platform
from registryauth.content.manifest import OCI_MANIFEST, Index, Manifest, select
from registryauth.digest import Digest
from registryauth.errors import ContentError, DigestMismatch, InvalidDigest, NotFound, UnsupportedMediaType
from registryauth.inspection.limits import MAX_LAYERS, MAX_PATH

#: What Azure Machine Learning runs, and what is looked for in an index where nobody says otherwise.
USUAL = Platform("linux", "amd64")
#: Bytes of a configuration; those of images with the longest histories have some hundred thousand.
MAX_CONFIG = 4 * 1024 * 1024
#: Places on PATH that are looked at.
_MAX_PLACES = 64
#: What docker and podman set where the image sets nothing.
_USUAL_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_CONFIGS = (
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
    # Docker before 1.10 was sure of itself.
    "application/octet-stream",
)
_LAYERS = (
    r"application/vnd\.(?:oci\.image\.layer(?:\.nondistributable)?\.v1\.tar(?:\+gzip|\+zstd)?"
    r"|docker\.image\.rootfs\.(?:foreign\.)?diff\.tar(?:\.gzip|\.zstd)?)"
)


class Image(Value):
    """An image for one platform. *digest* is what was asked for stands for, an index's perhaps, *manifest* this image's own.

    *kind* is ``docker`` or ``oci``; *places* are PATH's; for each of *layers*, the lowest first, *diff_ids* has the digest of what
    it unpacks to, and *created_by* the command that made it, "" where the image does not tell.
    """

    digest: Digest
    manifest: Digest
    kind: str
    platform: Platform
    places: tuple[str, ...]
    config: Descriptor
    layers: tuple[Descriptor, ...]
    diff_ids: tuple[Digest, ...]
    created_by: tuple[str, ...]

    @property
    def size(self) -> int:
        """Bytes of configuration and layers, as they are stored."""
        return self.config.size + sum(layer.size for layer in self.layers)


def open_image(repository: RepositoryClient, target: str | Digest, platform: Platform | None = None) -> Image:
    """The image *target* of *repository* for *platform*, the registry's word for everything checked.

    Raise `NotFound` where there is none for that platform, `UnsupportedMediaType` for what is no Linux image, `ContentError` for a
    manifest and a configuration that do not belong together.
    """
    top = found = repository.manifest(target)
    if isinstance(found, Index):
        found = repository.manifest(select(found, platform or USUAL))
    if isinstance(found, Index):
        raise ContentError("the index names another index, not an image", hint="ask for the inner index by its digest")
    _expect_image(found)
    raw = _config(repository, found.config)
    what = "the image's configuration"
    document = Node(load_json(raw, what, MAX_CONFIG, error=ContentError), what, error=ContentError)
    runs_on = Platform(*(document.field(name).text() for name in ("os", "architecture", "variant")))
    _expect_platform(runs_on, platform)
    diff_ids = tuple(_digest(node) for node in document.field("rootfs").field("diff_ids").items())
    if len(diff_ids) != len(found.layers):
        raise ContentError(
            f"the manifest has {len(found.layers)} layers, the image's configuration {len(diff_ids)}", hint="build the image again"
        )
    kind = "oci" if found.media_type == OCI_MANIFEST else "docker"
    made = _created_by(document, len(found.layers))
    return Image(top.digest, found.digest, kind, runs_on, _places(document), found.config, found.layers, diff_ids, made)


def _expect_image(found: Manifest) -> None:
    if found.config.media_type not in _CONFIGS:
        raise UnsupportedMediaType(
            f"this is no container image: it is configured by {printable(found.config.media_type)}", hint="name an image"
        )
    if len(found.layers) > MAX_LAYERS:
        raise ContentError(f"the image has more than {MAX_LAYERS} layers", hint="no engine runs it")
    for layer in found.layers:
        if not re.fullmatch(_LAYERS, layer.media_type):
            raise UnsupportedMediaType(
                f"the layer {layer.digest} is {printable(layer.media_type)}", hint="encrypted and unknown layers cannot be read"
            )


def _expect_platform(runs_on: Platform, wanted: Platform | None) -> None:
    if wanted and (runs_on.os, runs_on.architecture) != (wanted.os, wanted.architecture):
        named = printable(str(runs_on)) or "no platform that it names"
        raise NotFound(f"the image is for {named}, not for {wanted}", hint="leave --platform out")
    if runs_on.os != "linux":
        raise UnsupportedMediaType(
            f"the image is for {printable(runs_on.os) or 'no operating system that it names'}", hint="only Linux images can be read"
        )


def _config(repository: RepositoryClient, described: Descriptor) -> bytes:
    if described.size > MAX_CONFIG:
        raise ContentError(f"the image's configuration has more than {MAX_CONFIG} bytes", hint="no engine runs it")
    with repository.open(described) as answer:
        raw = answer.read(described.size)
    if not described.digest.matches(raw):
        raise DigestMismatch(
            f"what came is not the image's configuration {described.digest}", hint="the registry or a proxy before it is damaged or lies"
        )
    return raw


def _digest(node: Node) -> Digest:
    try:
        return Digest.parse(node.text())
    except InvalidDigest:
        raise ContentError("the image's configuration has a diff_id that is no digest", hint="build the image again") from None


def _places(document: Node) -> tuple[str, ...]:
    """The directories on PATH; relative ones mean something only to a process that runs."""
    path = _USUAL_PATH
    for node in document.field("config").field("Env").items():
        name, _, value = node.text().partition("=")
        if name == "PATH":
            path = value
    absolute = [place.rstrip("/") for place in path.split(":") if place.startswith("/") and len(place) <= MAX_PATH]
    return tuple(dict.fromkeys(absolute))[:_MAX_PLACES]


def _created_by(document: Node, layers: int) -> tuple[str, ...]:
    """The command behind each layer; nothing where history and layers do not match."""
    made = [node.field("created_by").text() for node in document.field("history").items() if node.field("empty_layer").value is not True]
    return tuple(made) if len(made) == layers else ("",) * layers
