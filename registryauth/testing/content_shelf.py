"""What a simulated registry holds: blobs, manifests, tags."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from typing import Any

from registryauth._value import Value
from registryauth.digest import Digest

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"


class StoredManifest(Value):
    """A manifest's exact bytes and the media type that it was put with."""

    media_type: str
    content: bytes


class ContentShelf:
    """A blob's bytes are kept once; which repositories have it is kept beside. Manifests and tags belong to one repository."""

    def __init__(self) -> None:
        self.blobs: dict[Digest, bytes] = {}
        self.manifests: dict[str, dict[Digest, StoredManifest]] = {}
        self.tags: dict[str, dict[str, Digest]] = {}
        self._linked: dict[Digest, set[str]] = {}
        self._everywhere: set[Digest] = set()
        self._taken: set[tuple[str, Digest]] = set()

    def add_blob(self, content: bytes, algorithm: str = "sha256", *, repository: str | None = None) -> Digest:
        """Keep *content* in *repository*, in every one if none is named, and return its digest."""
        digest = Digest.of(content, algorithm)
        self.blobs[digest] = content
        if repository is None:
            self._everywhere.add(digest)
            self._taken = {taken for taken in self._taken if taken[1] != digest}
        else:
            self.link_blob(repository, digest)
        return digest

    def link_blob(self, repository: str, digest: Digest) -> None:
        """Let *repository* have a blob that is already kept."""
        self._linked.setdefault(digest, set()).add(repository)
        self._taken.discard((repository, digest))

    def blob(self, repository: str, digest: Digest) -> bytes | None:
        """The blob, if *repository* has it."""
        linked = repository in self._linked.get(digest, ()) or (digest in self._everywhere and (repository, digest) not in self._taken)
        return self.blobs.get(digest) if linked else None

    def holders(self, digest: Digest) -> list[str]:
        """The repositories that were given that blob by name."""
        return sorted(self._linked.get(digest, ()))

    def drop_blob(self, repository: str, digest: Digest) -> bool:
        """Take a blob from *repository*; whether it was there. Its bytes go when nobody has it."""
        if self.blob(repository, digest) is None:
            return False
        self._linked.get(digest, set()).discard(repository)
        if digest in self._everywhere:
            self._taken.add((repository, digest))
        elif not self._linked.get(digest):
            del self.blobs[digest]
        return True

    def drop_manifest(self, repository: str, reference: str) -> bool:
        """Drop a tag, or by digest a manifest with all its tags; whether it was there. Raise `InvalidDigest`."""
        found = self.find(repository, reference)
        if found is None:
            return False
        tags = self.tags.get(repository, {})
        if ":" not in reference:
            del tags[reference]
            return True
        del self.manifests[repository][found[0]]
        self.tags[repository] = {tag: digest for tag, digest in tags.items() if digest != found[0]}
        return True

    def add_manifest(
        self, repository: str, media_type: str, content: bytes, *, tag: str | None = None, algorithm: str = "sha256"
    ) -> Digest:
        """Keep a manifest byte for byte, under *tag* too if one is given."""
        digest = Digest.of(content, algorithm)
        self.manifests.setdefault(repository, {})[digest] = StoredManifest(media_type, content)
        if tag is not None:
            self.tags.setdefault(repository, {})[tag] = digest
        return digest

    def find(self, repository: str, reference: str) -> tuple[Digest, StoredManifest] | None:
        """The manifest that a tag or digest names in *repository*; absent is None."""
        digest = Digest.parse(reference) if ":" in reference else self.tags.get(repository, {}).get(reference)
        manifest = self.manifests.get(repository, {}).get(digest) if digest else None
        return (digest, manifest) if digest and manifest else None

    def add_image(self, repository: str, tag: str | None, layers: Sequence[bytes], platform: str) -> Digest:
        """Put a valid OCI image of *layers*, each a tar, gzipped or not, and return its manifest's digest."""
        os, architecture, variant = _platform(platform)
        config = {
            "architecture": architecture,
            "os": os,
            **variant,
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": [str(Digest.of(_unpacked(layer))) for layer in layers]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": self._described(repository, OCI_CONFIG, json.dumps(config).encode()),
            "layers": [self._described(repository, OCI_LAYER + ("+gzip" if _gzipped(layer) else ""), layer) for layer in layers],
        }
        return self.add_manifest(repository, OCI_MANIFEST, json.dumps(manifest).encode(), tag=tag)

    def add_index(self, repository: str, tag: str | None, images: Mapping[str, Digest]) -> Digest:
        """Put an OCI index of *images*, manifests already in *repository*, by platform; return its digest."""
        described = []
        for platform, digest in images.items():
            os, architecture, variant = _platform(platform)
            manifest = self.manifests[repository][digest]
            described.append(
                {
                    "mediaType": manifest.media_type,
                    "digest": str(digest),
                    "size": len(manifest.content),
                    "platform": {"architecture": architecture, "os": os, **variant},
                }
            )
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": described}
        return self.add_manifest(repository, OCI_INDEX, json.dumps(index).encode(), tag=tag)

    def _described(self, repository: str, media_type: str, content: bytes) -> dict[str, Any]:
        return {"mediaType": media_type, "digest": str(self.add_blob(content, repository=repository)), "size": len(content)}


def _platform(text: str) -> tuple[str, str, dict[str, str]]:
    """``os/architecture[/variant]``, the variant as the field that it becomes."""
    os, _, rest = text.partition("/")
    architecture, _, variant = rest.partition("/")
    return os, architecture, {"variant": variant} if variant else {}


def _gzipped(layer: bytes) -> bool:
    return layer[:2] == b"\x1f\x8b"


def _unpacked(layer: bytes) -> bytes:
    return gzip.decompress(layer) if _gzipped(layer) else layer
