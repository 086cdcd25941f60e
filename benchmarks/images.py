"""Images of a wanted shape, as OCI layouts, their content noise."""

from __future__ import annotations

import hashlib
import json
import os
import random
from dataclasses import dataclass
from pathlib import Path

_OCI = "application/vnd.oci.image"
_PIECE = 1024 * 1024
#: skopeo looks at the first bytes of a layer, and compresses what does not look compressed.
_GZIP = b"\x1f\x8b\x08\x00\x00\x00\x00\x00"


@dataclass(frozen=True)
class Shape:
    """*count* layers of *size* bytes."""

    name: str
    count: int
    size: int


@dataclass(frozen=True)
class Made:
    """An image in the OCI layout *directory* under ``v1``; *sizes* of its blobs by their SHA-256."""

    directory: Path
    sizes: dict[str, int]

    @property
    def layers(self) -> list[str]:
        """The paths of its layers, and of the two small documents beside them."""
        return [str(self.directory / "blobs" / "sha256" / name) for name in self.sizes]


def make(shape: Shape, directory: Path) -> Made:
    """Write an image of *shape* into the new *directory*."""
    blobs = directory / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    noise = random.Random(shape.name)
    layers = [_layer(blobs, shape.size, noise) for _ in range(shape.count)]
    diff_ids = [f"sha256:{layer['digest'][7:]}" for layer in layers]
    config = {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": diff_ids}}
    described = _described("config.v1+json", *_document(blobs, config))
    manifest = {"schemaVersion": 2, "mediaType": f"{_OCI}.manifest.v1+json", "config": described, "layers": layers}
    root = {**_described("manifest.v1+json", *_document(blobs, manifest)), "annotations": {"org.opencontainers.image.ref.name": "v1"}}
    (directory / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [root]}))
    (directory / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    return Made(directory, {path.name: path.stat().st_size for path in blobs.iterdir()})


def _layer(blobs: Path, size: int, noise: random.Random) -> dict[str, object]:
    temporary = blobs / "new"
    hasher = hashlib.sha256()
    with temporary.open("wb") as file:
        left = size
        while left:
            piece = noise.randbytes(min(left, _PIECE))
            if left == size:
                piece = _GZIP + piece[len(_GZIP) :]
            hasher.update(piece)
            file.write(piece)
            left -= len(piece)
    os.rename(temporary, blobs / hasher.hexdigest())
    return _described("layer.v1.tar+gzip", hasher.hexdigest(), size)


def _document(blobs: Path, document: object) -> tuple[str, int]:
    content = json.dumps(document, separators=(",", ":")).encode()
    name = hashlib.sha256(content).hexdigest()
    (blobs / name).write_bytes(content)
    return name, len(content)


def _described(kind: str, name: str, size: int) -> dict[str, object]:
    return {"mediaType": f"{_OCI}.{kind}", "digest": f"sha256:{name}", "size": size}
