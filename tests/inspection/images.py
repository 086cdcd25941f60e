"""Images made by hand, and what our code says of them."""

from __future__ import annotations

import gzip
import io
import json
import tarfile

from registryauth.client import Client
from registryauth.content.descriptor import Platform
from registryauth.digest import Digest
from registryauth.inspection.facts import fact
from registryauth.inspection.image import Image
from registryauth.inspection.tar import entries
from registryauth.inspection.tree import Budget, Layer
from registryauth.inspection.view import View
from registryauth.testing import RegistrySimulator
from registryauth.testing.file_systems import layer_of

HOST, NAME = "r.example", "team/base"
OCI = "application/vnd.oci.image"
DOCKER = "application/vnd.docker"
MINICONDA = "/opt/miniconda/bin:/usr/bin:/bin"


def member(name, kind=tarfile.REGTYPE, *, content=b"", target="", mode=0o755, pax=None):
    """One entry, exactly so."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode, info.size = kind, target, mode, len(content)
    info.pax_headers = pax or {}
    return info, content


def tar(*members, form=tarfile.PAX_FORMAT):
    """Members in this order, twice the same name included."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=form) as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return packed.getvalue()


def described(media_type, content, **more):
    return {"mediaType": media_type, "digest": str(Digest.of(content)), "size": len(content)} | more


def put(simulator, layers, *, tag="v1", config=None, layer_type=f"{OCI}.layer.v1.tar", **manifest):
    """Put an image of *layers*, packed as they are, and give its manifest's digest. *config* and *manifest* overrule single fields."""
    unpacked = [gzip.decompress(layer) if layer.startswith(b"\x1f\x8b") else layer for layer in layers]
    document = {
        "os": "linux",
        "architecture": "amd64",
        "config": {"Env": [f"PATH={MINICONDA}"]},
        "rootfs": {"diff_ids": [str(Digest.of(layer)) for layer in unpacked]},
    } | (config or {})
    raw = json.dumps(document).encode()
    for blob in (raw, *layers):
        simulator.add_blob(blob)
    whole = {
        "schemaVersion": 2,
        "mediaType": f"{OCI}.manifest.v1+json",
        "config": described(f"{OCI}.config.v1+json", raw),
        "layers": [described(layer_type, layer) for layer in layers],
    } | manifest
    return simulator.shelf.add_manifest(NAME, whole["mediaType"], json.dumps(whole).encode(), tag=tag)


def repository_of(simulator: RegistrySimulator, transport=None):
    return Client(transport=transport or simulator.transport(), sleep=lambda _: None).repository(f"{HOST}/{NAME}")


def image_with(path=MINICONDA, layers=1):
    """What facts need to know of an image beside its files."""
    digest = Digest.of(b"")
    places = tuple(path.split(":")) if path else ()
    return Image(digest, digest, "oci", Platform("linux", "amd64"), places, None, (None,) * layers, (digest,) * layers, ("",) * layers)


def view_of(*layers, complete=True):
    """A view of *layers*, tars or what `layer_of` takes, the lowest first, as if they had been read from the topmost down."""
    view, budget = View(), Budget()
    for number in reversed(range(len(layers))):
        layer = Layer(number, budget)
        content = layers[number] if isinstance(layers[number], bytes) else layer_of(layers[number])
        for entry in entries([content], lambda entry: entry.size < 4096):
            layer.add(entry)
        view.lay_under(layer.finish())
    view.complete = complete
    return view


def known(name, *layers, path=MINICONDA, complete=True):
    """What is said of the fact *name*: each thing seen, and whether that is final."""
    found = fact(name, image_with(path, len(layers)), view_of(*layers, complete=complete))
    return [str(seen) for seen in found.seen], found.final
