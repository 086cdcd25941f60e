"""Layouts as tar files: OCI's own, and the one that ``docker load`` reads."""

from __future__ import annotations

import contextlib
import json
import tarfile
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from registryauth._json import load_json
from registryauth.content.descriptor import Descriptor
from registryauth.content.layout import MARKER, MARKER_CONTENT, Layout, Region, blob_name, index_of
from registryauth.content.manifest import MAX_MANIFEST, Manifest
from registryauth.content.verify import replacing, write_all
from registryauth.errors import ContentError, UnsupportedMediaType
from registryauth.transfer.graph import Graph

#: The endings that tell a person what a layer is; ``docker load`` looks into the file.
_ENDINGS = {"gzip": ".tar.gz", "zstd": ".tar.zst"}


def write_oci(layout: Layout, graph: Graph, tag: str, to: str) -> None:
    """Write the tar file *to*, a layout of what *graph* names, its root under *tag* if one is given: all of it or nothing."""
    with _tar(to) as tar:
        _add(tar, MARKER, MARKER_CONTENT)
        _add(tar, "index.json", index_of(graph.root, tag))
        for blob in (*(found.described for found in graph.manifests), *graph.blobs):
            _add(tar, blob_name(blob.digest), layout.blob(blob))


def write_docker(layout: Layout, image: Manifest, tags: Sequence[str], to: str) -> None:
    """Write the tar file *to* with *image*, as ``docker save`` does, to be loaded as *tags*: all of it or nothing.

    Layers stay as they are; ``docker load``, podman and skopeo read compressed ones, too. Raise `UnsupportedMediaType` for what is no
    image for containers (https://github.com/moby/docker-image-spec/blob/main/v1.2.md, "Combined Image JSON + Filesystem Changeset Format").
    """
    _check_config(layout, image)
    config = f"{image.config.digest.encoded}.json"
    layers = [f"{layer.digest.encoded}{_ENDINGS.get(layer.media_type.rpartition('+')[2], _docker_ending(layer))}" for layer in image.layers]
    with _tar(to) as tar:
        _add(tar, config, layout.blob(image.config))
        for name, layer in dict(zip(layers, image.layers, strict=True)).items():
            _add(tar, name, layout.blob(layer))
        manifest = [{"Config": config, "RepoTags": list(tags) or None, "Layers": layers}]
        _add(tar, "manifest.json", json.dumps(manifest, separators=(",", ":")).encode())


def _docker_ending(layer: Descriptor) -> str:
    return ".tar.gz" if layer.media_type.endswith(".tar.gzip") else ".tar"


def _check_config(layout: Layout, image: Manifest) -> None:
    if image.config.size > MAX_MANIFEST:
        raise ContentError(f"the image's configuration has more than {MAX_MANIFEST} bytes")
    plain = load_json(layout.blob(image.config).read(MAX_MANIFEST), "the image's configuration", error=UnsupportedMediaType)
    rootfs = plain.get("rootfs") if isinstance(plain, dict) else None
    names = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
    if not isinstance(names, list) or len(names) != len(image.layers):
        raise UnsupportedMediaType("this is no image that docker could load", hint="pull an artifact in the form files, or as oci")


@contextlib.contextmanager
def _tar(to: str) -> Iterator[BinaryIO]:
    with replacing(to) as file:
        yield file
        # Two empty blocks end a tar (POSIX pax, "ustar Interchange Format").
        write_all(bytes(2 * tarfile.BLOCKSIZE), file.write)


def _add(tar: BinaryIO, name: str, content: bytes | Region) -> None:
    # Without dates and owners: the same image gives the same file.
    member = tarfile.TarInfo(name)
    member.mode = 0o644
    member.size = len(content) if isinstance(content, bytes) else content.size
    write_all(member.tobuf(), tar.write)
    if isinstance(content, bytes):
        write_all(content, tar.write)
    else:
        content.copy_to(tar)
    write_all(bytes(-member.size % tarfile.BLOCKSIZE), tar.write)
