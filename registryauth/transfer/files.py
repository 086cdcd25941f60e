"""An artifact's layers as files, by their titles."""

from __future__ import annotations

import os
from collections import Counter

from registryauth._value import Value
from registryauth.client import RepositoryClient
from registryauth.content.descriptor import Descriptor
from registryauth.content.layout import Layout, Region
from registryauth.content.manifest import Manifest
from registryauth.content.verify import digest_of, replacing
from registryauth.digest import Digest
from registryauth.errors import ContentError, InvalidDigest, UnsafeArchive
from registryauth.transfer.crew import Crew
from registryauth.transfer.fetching import expect_room, fetch
from registryauth.transfer.graph import is_foreign, layer_annotations
from registryauth.transfer.progress import Ledger
from registryauth.transfer.staging import staging
from registryauth.transfer.tree import directory, steps
from registryauth.transfer.unpacking import unpack_layer

#: What oras writes (image-spec, annotations.md; oras-go, content/file).
TITLE = "org.opencontainers.image.title"
UNPACK = "io.deis.oras.content.unpack"
UNPACKED_DIGEST = "io.deis.oras.content.digest"


class NamedLayer(Value):
    """A layer that is to be the file *parts*, or a directory of that name if *unpack*; *unpacked* is the digest of its plain tar."""

    blob: Descriptor
    parts: tuple[str, ...]
    unpack: bool = False
    unpacked: Digest | None = None

    @property
    def title(self) -> str:
        """The path as it was given."""
        return "/".join(self.parts)


def named_layers(manifest: Manifest, *, unpack: bool) -> list[NamedLayer]:
    """The layers with a title; raise `UnsafeArchive` for a title that is no path below the directory, or that two layers have."""
    named = []
    for layer, notes in zip(manifest.layers, layer_annotations(manifest), strict=True):
        if TITLE in notes and not is_foreign(layer.media_type):
            packed = unpack and notes.get(UNPACK) == "true"
            parts = steps(notes[TITLE], f"{manifest.digest}")
            named.append(NamedLayer(layer, parts, packed, _digest(notes.get(UNPACKED_DIGEST)) if packed else None))
    twice = [title for title, count in Counter(layer.title for layer in named).items() if count > 1]
    if twice:
        raise UnsafeArchive(f"{manifest.digest} has two files with the name {twice[0]!a}", hint="fetch it in the form oci and look")
    return named


def place_files(repository: RepositoryClient, manifest: Manifest, to: str, crew: Crew, ledger: Ledger, *, unpack: bool) -> tuple[str, ...]:
    """Fetch the named layers of *manifest* into the directory *to*; give their paths. A file that is there already is replaced."""
    named = named_layers(manifest, unpack=unpack)
    ledger.left_out(tuple(layer for layer in manifest.layers if is_foreign(layer.media_type)))
    missing = [layer for layer in named if not _is_there(layer, to)]
    for layer in missing:
        if layer.unpack and os.path.lexists(os.path.join(to, *layer.parts)):
            raise ContentError(f"{os.path.join(to, *layer.parts)} is there already", hint="remove it first, or choose another directory")
    blobs = {layer.blob.digest: layer.blob for layer in missing}
    for layer in named:
        if layer.blob.digest not in blobs:
            ledger.settled("present", layer.blob)
    # Named for what is fetched: an interrupted fetch is found again, another artifact's is not in the way.
    with staging(os.path.join(to, f".{manifest.digest.encoded}.partial"), crew.pause) as layout:
        expect_room(blobs.values(), layout)
        crew.each(lambda blob: fetch(repository, blob, layout, crew, ledger), blobs.values())
        left = Counter(layer.blob.digest for layer in missing)
        for layer in missing:
            left[layer.blob.digest] -= 1
            _place(layer, layout, to, last=not left[layer.blob.digest])
    return tuple(os.path.join(to, *layer.parts) for layer in named)


def _is_there(layer: NamedLayer, to: str) -> bool:
    path = os.path.join(to, *layer.parts)
    if layer.unpack or os.path.islink(path) or not os.path.isfile(path) or os.path.getsize(path) != layer.blob.size:
        return False
    return digest_of(path, layer.blob.digest.algorithm) == layer.blob.digest


def _place(layer: NamedLayer, layout: Layout, to: str, *, last: bool) -> None:
    blob = layout.path(layer.blob.digest)
    *parents, name = layer.parts
    try:
        if layer.unpack:
            with unpack_layer(blob, layer.blob, layer.unpacked, layer.parts, layout.directory) as tree, directory(to, parents) as handle:
                os.rename(tree, name, dst_dir_fd=handle)
            return
        if not last:
            # The same content under two names is two files: changing one must not change the other.
            copy = os.path.join(layout.directory, ".copy")
            with replacing(copy) as target:
                Region(blob, 0, layer.blob.size).copy_to(target)
            blob = copy
        with directory(to, parents) as handle:
            os.replace(blob, name, dst_dir_fd=handle)
    except OSError as error:
        raise ContentError(f"cannot write {os.path.join(to, *layer.parts)}: {error.strerror}", hint="is the disk full?") from error


def _digest(text: str | None) -> Digest | None:
    try:
        return Digest.parse(text) if text else None
    except InvalidDigest as error:
        raise ContentError(f"{UNPACKED_DIGEST} is not a digest we can verify: {error.message}", hint=error.hint) from error
