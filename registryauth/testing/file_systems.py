"""Images with files in them, for tests of what reads images: layers as tars, and the base image that an Azure ML how-to makes."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping, Sequence

from registryauth.digest import Digest
from registryauth.testing.content_shelf import OCI_CONFIG, OCI_LAYER, OCI_MANIFEST
from registryauth.testing.registry_simulator import RegistrySimulator

#: What a name stands for in a layer: a file's content, a symbolic link's target, or, if it is None, a directory.
Files = Mapping[str, bytes | str | None]


def layer_of(files: Files) -> bytes:
    """A layer's tar, not compressed, the same at every call. A whiteout is an empty file called ``.wh.NAME``."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.mode = 0o755
            if content is None:
                member.type = tarfile.DIRTYPE
            elif isinstance(content, str):
                member.type, member.linkname = tarfile.SYMTYPE, content
            else:
                member.size = len(content)
            archive.addfile(member, io.BytesIO(content) if isinstance(content, bytes) else None)
    return packed.getvalue()


def add_file_system(
    simulator: RegistrySimulator,
    repository: str,
    tag: str | None,
    layers: Sequence[tuple[str, bytes]],
    *,
    env: Mapping[str, str] | None = None,
    platform: str = "linux/amd64",
) -> Digest:
    """Put an OCI image of *layers*, the lowest first, each with the command that made it, and give its manifest's digest."""
    system, _, architecture = platform.partition("/")
    config = {
        "architecture": architecture,
        "os": system,
        "config": {"Env": [f"{name}={value}" for name, value in (env or {}).items()]},
        "rootfs": {"type": "layers", "diff_ids": [str(Digest.of(content)) for _, content in layers]},
        "history": [{"created_by": command} for command, _ in layers],
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": _described(simulator, OCI_CONFIG, json.dumps(config).encode()),
        "layers": [_described(simulator, OCI_LAYER, content) for _, content in layers],
    }
    return simulator.shelf.add_manifest(repository, OCI_MANIFEST, json.dumps(manifest).encode(), tag=tag)


def add_base_image(
    simulator: RegistrySimulator, repository: str, tag: str | None, *, ubuntu: str = "16.04", conda: str = "4.5.12", python: str = "3.6.8"
) -> Digest:
    """Put an image as the Dockerfile of the how-to "Deploy a model using a custom Docker base image" makes one.

    Miniconda brings a Python of its own, 3.7.1, and a conda, 4.5.11; the last layer replaces both.
    """
    minor, prefix = ".".join(python.split(".")[:2]), "opt/miniconda"
    system: Files = {
        "bin/": None,
        "bin/dash": b"\x7fELF",
        "bin/sh": "dash",
        "etc/": None,
        "etc/os-release": "../usr/lib/os-release",
        "usr/lib/os-release": f'NAME="Ubuntu"\nVERSION_ID="{ubuntu}"\nID=ubuntu\n'.encode(),
    }
    miniconda: Files = {
        f"{prefix}/bin/python": "python3.7",
        f"{prefix}/bin/python3.7": b"\x7fELF",
        f"{prefix}/conda-meta/conda-4.5.11-py37_0.json": b"{}",
        f"{prefix}/conda-meta/python-3.7.1-h0371630_3.json": b"{}",
    }
    chosen: Files = {
        f"{prefix}/bin/.wh.python3.7": b"",
        f"{prefix}/bin/python": f"python{minor}",
        f"{prefix}/bin/python{minor}": b"\x7fELF",
        f"{prefix}/conda-meta/.wh.conda-4.5.11-py37_0.json": b"",
        f"{prefix}/conda-meta/.wh.python-3.7.1-h0371630_3.json": b"",
        f"{prefix}/conda-meta/conda-{conda}-py{minor.replace('.', '')}_0.json": b"{}",
        f"{prefix}/conda-meta/python-{python}-h0371630_0.json": b"{}",
    }
    layers = [
        ("ADD ubuntu.tar /", layer_of(system)),
        ("RUN /bin/bash ~/miniconda.sh -b -p /opt/miniconda", layer_of(miniconda)),
        (f"RUN conda install -y conda={conda} python={minor}", layer_of(chosen)),
    ]
    return add_file_system(simulator, repository, tag, layers, env={"PATH": f"/{prefix}/bin:/usr/local/bin:/usr/bin:/bin"})


def _described(simulator: RegistrySimulator, media_type: str, content: bytes) -> dict[str, object]:
    digest = simulator.add_blob(content)
    return {"mediaType": media_type, "digest": str(digest), "size": len(content)}
