"""What ``docker save`` wrote, as an OCI image.

https://github.com/moby/docker-image-spec/blob/main/v1.2.md, "Combined Image JSON + Filesystem Changeset Format".
"""

from __future__ import annotations

import json
import os
import zlib
from typing import Any

from registryauth._json import load_json
from registryauth._redact import printable
from registryauth._value import Value
from registryauth.content.descriptor import Descriptor
from registryauth.content.layout import Region
from registryauth.content.manifest import MAX_MANIFEST, OCI_MANIFEST, Index, Manifest, read_manifest
from registryauth.content.verify import replacing
from registryauth.digest import Digest
from registryauth.errors import ContentError, DigestMismatch, InvalidDigest, NotFound
from registryauth.transfer.crew import Crew
from registryauth.transfer.sources import TarIndex
from registryauth.transfer.tars import GZIP, ZSTD, starts_with

_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"


class Converted(Value):
    """An OCI image and where the content of each of its blobs lies."""

    manifest: Manifest | Index
    regions: dict[Digest, Region]


def convert(archive: TarIndex, name: str, tag: str, scratch: str, crew: Crew, *, compress: bool) -> Converted:
    """The image *name* of *archive*, or its only one, or the one tagged *tag*.

    Layers that are plain tars are checked against the image's own list of them, and gzipped into the directory *scratch* if
    *compress*; layers that are compressed already stay as they are. Raise `ContentError` and its kinds for what is no such archive.
    """
    row = _chosen(archive, name, tag)
    config = _located(archive, row.get("Config"))
    raw = config.read(MAX_MANIFEST)
    names = _diff_ids(raw, archive)
    layers = row.get("Layers")
    if not isinstance(layers, list) or len(layers) != len(names):
        raise ContentError(f"{archive.path} has not as many layers as its configuration says", hint="was all of it copied?")
    # A layer that occurs twice is looked at once.
    pairs = dict.fromkeys(zip((_located(archive, layer) for layer in layers), names, strict=True))
    made = dict(zip(pairs, crew.each(lambda pair: _layer(*pair, scratch, compress=compress), pairs), strict=True))
    described = [made[_located(archive, layer), diff_id] for layer, diff_id in zip(layers, names, strict=True)]
    whole = Descriptor(_CONFIG, Digest.of(raw), len(raw))
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": _plain(whole),
        "layers": [_plain(layer) for layer, _ in described],
    }
    regions = {layer.digest: region for layer, region in described} | {whole.digest: config}
    found = read_manifest(json.dumps(manifest, separators=(",", ":")).encode(), OCI_MANIFEST, None)
    return Converted(found, regions)


def _chosen(archive: TarIndex, name: str, tag: str) -> dict[str, Any]:
    plain = load_json(_located(archive, "manifest.json").read(MAX_MANIFEST), f"{archive.path}: manifest.json", error=ContentError)
    rows = plain if isinstance(plain, list) and all(isinstance(row, dict) for row in plain) else []
    tagged = [(row, [tag for tag in row.get("RepoTags") or [] if isinstance(tag, str)]) for row in rows]
    if name:
        hits = [row for row, names in tagged if name in names]
    else:
        hits = rows if len(rows) == 1 else [row for row, names in tagged if any(own.rpartition(":")[2] == tag for own in names)]
    if len(hits) != 1:
        there = ", ".join(printable(own) for _, names in tagged for own in names) or "none with a name"
        raise NotFound(f"{archive.path} has {len(rows)} images and no one of them is meant", hint=f"name one: it has {there}")
    row: dict[str, Any] = hits[0]
    return row


def _located(archive: TarIndex, name: object) -> Region:
    found = archive.locate(name) if isinstance(name, str) else None
    if not found:
        raise ContentError(f"{archive.path} lacks {printable(str(name), 100)}", hint="was all of it copied?")
    return found


def _diff_ids(raw: bytes, archive: TarIndex) -> list[Digest]:
    plain = load_json(raw, f"{archive.path}: the configuration", error=ContentError)
    rootfs = plain.get("rootfs") if isinstance(plain, dict) else None
    names = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ContentError(f"{archive.path}: the configuration does not list the layers", hint="is this an image?")
    try:
        return [Digest.parse(name) for name in names]
    except InvalidDigest as error:
        raise ContentError(f"{archive.path}: a layer's digest is not one we can verify: {error.message}", hint=error.hint) from error


def _layer(region: Region, diff_id: Digest, scratch: str, *, compress: bool) -> tuple[Descriptor, Region]:
    if starts_with(region, GZIP, ZSTD):
        hasher = Digest("sha256", "").hasher()
        for piece in region.pieces():
            hasher.update(piece)
        kind = "+gzip" if starts_with(region, GZIP) else "+zstd"
        return Descriptor(_LAYER + kind, Digest("sha256", hasher.hexdigest()), region.size), region
    if not compress:
        # Its digest is its name in the configuration; the registry checks it.
        return Descriptor(_LAYER, diff_id, region.size), region
    to = os.path.join(scratch, f"{diff_id.encoded}.gz")
    digest, size = _gzip(region, diff_id, to)
    return Descriptor(f"{_LAYER}+gzip", digest, size), Region(to, 0, size)


def _gzip(region: Region, diff_id: Digest, to: str) -> tuple[Digest, int]:
    """Write *region* gzipped to *to*, without a date, so that the same layer gives the same blob; give its digest and size."""
    plain, packed, size = diff_id.hasher(), Digest("sha256", "").hasher(), 0
    deflater = zlib.compressobj(wbits=31)
    with replacing(to) as file:

        def put(data: bytes) -> None:
            nonlocal size
            packed.update(data)
            size += len(data)
            rest = memoryview(data)
            while rest:
                rest = rest[file.write(rest) or 0 :]

        for piece in region.pieces():
            plain.update(piece)
            put(deflater.compress(piece))
        put(deflater.flush())
        if plain.hexdigest() != diff_id.encoded:
            raise DigestMismatch(f"a layer is not {diff_id}, as the configuration says", hint="the file is damaged: save the image again")
    return Digest("sha256", packed.hexdigest()), size


def _plain(blob: Descriptor) -> dict[str, Any]:
    return {"mediaType": blob.media_type, "digest": str(blob.digest), "size": blob.size}
