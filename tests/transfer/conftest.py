from __future__ import annotations

import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from registryauth import Basic, Client
from registryauth.content import hashing
from registryauth.credentials import Pinned
from registryauth.reference import Repository
from registryauth.testing import RegistrySimulator

HOST = "registry.example"
NAME = f"{HOST}/team/model"


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    """Whatever came of a transfer, nobody goes on hashing."""
    yield
    assert not [thread for thread in threading.enumerate() if thread.name == "hashing"]


@pytest.fixture(params=["alone", "beside"])
def hashed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every blob is hashed in the thread that fetches it, or beside it."""
    monkeypatch.setattr(hashing, "LARGE", 1 << 62 if request.param == "alone" else 1)
    monkeypatch.setattr(hashing, "_processors", lambda: 2)


def files_in(directory: Path) -> dict[str, bytes]:
    """Every file below *directory*, hidden ones too."""
    return {str(path.relative_to(directory)): path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file()}


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def described(media_type: str, content: bytes, **more) -> dict:
    return {"mediaType": media_type, "digest": f"sha256:{sha(content)}", "size": len(content), **more}


def tar_of(*members: tarfile.TarInfo | tuple[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                archive.addfile(info, io.BytesIO(member[1]))
    return packed.getvalue()


def image(simulator: RegistrySimulator, layers: list[dict], *, tag: str | None = "v1", **more):
    """Put a manifest with *layers* as they are; gives its digest. Blobs are not put."""
    simulator.add_blob(b"{}")
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": described("application/vnd.oci.empty.v1+json", b"{}"),
        "layers": layers,
        **more,
    }
    return simulator.shelf.add_manifest("team/model", manifest["mediaType"], json.dumps(manifest).encode(), tag=tag)


@pytest.fixture
def simulator():
    return RegistrySimulator(accounts={"me": "pw"})


@pytest.fixture
def client(simulator):
    with Client(lambda _: (Pinned(Basic("me", "pw"), "test"),), transport=simulator.transport()) as client:
        yield client


@pytest.fixture
def repository(client):
    return client.repository(Repository.parse(NAME))


@pytest.fixture
def asked(simulator):
    """What the registry was asked: ``METHOD /path``, without tokens."""

    def asked(pattern: str = "") -> list[str]:
        lines = [f"{request.method} {request.url.target}" for request in simulator.requests]
        return [line for line in lines if pattern in line]

    return asked
