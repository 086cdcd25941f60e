"""A small image as an OCI layout, made without any code of ours."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from dataclasses import dataclass, field
from pathlib import Path

_OCI = "application/vnd.oci.image"


@dataclass(frozen=True)
class Image:
    """An image in the OCI layout *directory* under *tag*, and what is in it."""

    directory: Path
    tag: str
    manifest: bytes = field(repr=False)
    config: bytes = field(repr=False)
    layers: tuple[bytes, ...] = field(repr=False)

    @property
    def digest(self) -> str:
        """The manifest's."""
        return digest_of(self.manifest)

    @property
    def layout(self) -> str:
        """What skopeo calls it."""
        return f"oci:{self.directory}:{self.tag}"


@dataclass(frozen=True)
class ImageIndex:
    """A multi-platform image in the OCI layout *directory* under *tag*: platform to manifest."""

    directory: Path
    tag: str
    manifests: dict[str, bytes] = field(repr=False)

    @property
    def layout(self) -> str:
        """What skopeo calls it."""
        return f"oci:{self.directory}:{self.tag}"


def make_index(directory: Path, content: dict[str, bytes], tag: str = "v1") -> ImageIndex:
    """Write an image with one layer for each platform of *content* into *directory*."""
    blobs = _Blobs(directory)
    manifests = {}
    entries = []
    for platform, text in content.items():
        os_name, _, architecture = platform.partition("/")
        tar = _tar("etc/motd", text)
        layer = gzip.compress(tar, mtime=0)
        rootfs = {"type": "layers", "diff_ids": [digest_of(tar)]}
        config = _json({"architecture": architecture, "os": os_name, "config": {}, "rootfs": rootfs})
        manifest = _manifest(config, (layer,))
        blobs.add(layer, config, manifest)
        manifests[platform] = manifest
        named = {"platform": {"architecture": architecture, "os": os_name}}
        entries.append(_descriptor(f"{_OCI}.manifest.v1+json", manifest) | named)
    index = _json({"schemaVersion": 2, "mediaType": f"{_OCI}.index.v1+json", "manifests": entries})
    blobs.add(index)
    blobs.finish(_descriptor(f"{_OCI}.index.v1+json", index), tag)
    return ImageIndex(directory, tag, manifests)


def make_image(directory: Path, tag: str = "v1") -> Image:
    """Write a two-layer linux/amd64 image into *directory*."""
    tars = [_tar("etc/motd", b"hello\n"), _tar("opt/model.bin", bytes(range(256)) * 512)]
    layers = tuple(gzip.compress(tar, mtime=0) for tar in tars)
    config = _json(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Cmd": ["/bin/true"], "Labels": {"org.opencontainers.image.title": "model"}},
            "rootfs": {"type": "layers", "diff_ids": [digest_of(tar) for tar in tars]},
        }
    )
    manifest = _manifest(config, layers)
    blobs = _Blobs(directory)
    blobs.add(manifest, config, *layers)
    blobs.finish(_descriptor(f"{_OCI}.manifest.v1+json", manifest), tag)
    return Image(directory, tag, manifest, config, layers)


def digest_of(content: bytes) -> str:
    """``sha256:…``, by hashlib alone."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class _Blobs:
    """An OCI layout being written."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._blobs = directory / "blobs" / "sha256"
        self._blobs.mkdir(parents=True)

    def add(self, *blobs: bytes) -> None:
        for blob in blobs:
            (self._blobs / hashlib.sha256(blob).hexdigest()).write_bytes(blob)

    def finish(self, top: dict[str, object], tag: str) -> None:
        named = top | {"annotations": {"org.opencontainers.image.ref.name": tag}}
        (self._directory / "index.json").write_bytes(_json({"schemaVersion": 2, "manifests": [named]}))
        (self._directory / "oci-layout").write_bytes(_json({"imageLayoutVersion": "1.0.0"}))


def _manifest(config: bytes, layers: tuple[bytes, ...]) -> bytes:
    return _json(
        {
            "schemaVersion": 2,
            "mediaType": f"{_OCI}.manifest.v1+json",
            "config": _descriptor(f"{_OCI}.config.v1+json", config),
            "layers": [_descriptor(f"{_OCI}.layer.v1.tar+gzip", layer) for layer in layers],
        }
    )


def _descriptor(media_type: str, content: bytes) -> dict[str, object]:
    return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}


def _json(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def _tar(path: str, content: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        member = tarfile.TarInfo(path)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()
