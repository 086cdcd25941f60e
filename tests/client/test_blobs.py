"""A blob is in its file when all of it was verified."""

from __future__ import annotations

from pathlib import Path

import pytest

from registryauth.content import Descriptor
from registryauth.digest import Digest
from registryauth.errors import ContentError, DigestMismatch, Error, NotFound, SizeMismatch, TransportError
from registryauth.testing import RegistrySimulator, faults

from .clients import REPOSITORY, anonymous, app

CONTENT = b"blob " * 100_000


@pytest.fixture
def digest(simulator: RegistrySimulator) -> Digest:
    return simulator.add_blob(CONTENT)


def described(digest: Digest, size: int = len(CONTENT)) -> Descriptor:
    return Descriptor("application/octet-stream", digest, size)


def test_by_descriptor_and_by_digest_it_is_the_same(simulator: RegistrySimulator, digest: Digest, tmp_path: Path) -> None:
    seen: list[int] = []
    assert app(simulator).download(described(digest), tmp_path / "a", progress=seen.append) == len(CONTENT)
    assert app(simulator).download(digest, str(tmp_path / "b")) == len(CONTENT)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() == CONTENT
    assert seen[-1] == len(CONTENT)
    assert seen == sorted(seen)


def test_an_empty_blob_is_an_empty_file(simulator: RegistrySimulator, tmp_path: Path) -> None:
    empty = simulator.add_blob(b"")
    assert app(simulator).download(described(empty, 0), tmp_path / "empty") == 0
    assert (tmp_path / "empty").read_bytes() == b""


def test_sha512_is_verified(simulator: RegistrySimulator, tmp_path: Path) -> None:
    digest = simulator.shelf.add_blob(CONTENT, "sha512")
    assert app(simulator).download(digest, tmp_path / "blob") == len(CONTENT)


def refused(simulator: RegistrySimulator, blob: Descriptor | Digest, to: Path, kind: type[Error]) -> Error:
    """The error of a download; fails if it left anything in the directory of *to*."""
    to.write_bytes(b"precious")
    with pytest.raises(kind) as caught:
        app(simulator).download(blob, to)
    assert [path.name for path in to.parent.iterdir()] == [to.name]
    assert to.read_bytes() == b"precious"
    return caught.value


@pytest.mark.parametrize("fault", [faults.wrong_body("/blobs/"), faults.truncated_body("/blobs/")], ids=["wrong", "cut"])
def test_what_is_not_the_blob_is_refused(simulator: RegistrySimulator, digest: Digest, tmp_path: Path, fault: faults.Alteration) -> None:
    simulator.alter(fault)
    refused(simulator, digest, tmp_path / "blob", DigestMismatch)
    refused(simulator, described(digest), tmp_path / "blob", ContentError)


def test_what_is_not_the_described_size_is_refused(simulator: RegistrySimulator, digest: Digest, tmp_path: Path) -> None:
    for size in (0, len(CONTENT) - 1, len(CONTENT) + 1):
        refused(simulator, described(digest, size), tmp_path / "blob", SizeMismatch)


def test_a_body_that_never_ends_is_read_no_further_than_described(simulator: RegistrySimulator, digest: Digest, tmp_path: Path) -> None:
    simulator.inject(faults.oversized_body("/blobs/", 1 << 40, announced=False))
    refused(simulator, described(digest), tmp_path / "blob", SizeMismatch)


def test_a_bomb_is_not_unfolded(simulator: RegistrySimulator, digest: Digest, tmp_path: Path) -> None:
    simulator.inject(faults.gzip_bomb("/blobs/", size=1 << 24))
    refused(simulator, described(digest), tmp_path / "blob", TransportError)


def test_a_cut_connection_leaves_nothing(simulator: RegistrySimulator, digest: Digest, tmp_path: Path) -> None:
    simulator.inject(faults.no_answer("/blobs/"))
    refused(simulator, described(digest), tmp_path / "blob", TransportError)


def test_a_blob_that_is_not_there_is_not_found_by_name(simulator: RegistrySimulator, tmp_path: Path) -> None:
    absent = Digest.of(b"absent")
    error = refused(simulator, absent, tmp_path / "blob", NotFound)
    assert f"r.example/{REPOSITORY}@{absent}" in error.message
    assert error.exit_code == 3


def test_a_directory_that_is_not_there_is_an_error(simulator: RegistrySimulator, digest: Digest, tmp_path: Path) -> None:
    with pytest.raises(ContentError, match="cannot write"):
        app(simulator).download(digest, tmp_path / "missing" / "blob")


def test_over_a_real_socket(tmp_path: Path) -> None:
    simulator = RegistrySimulator(auth="none")
    digest = simulator.add_blob(CONTENT)
    from registryauth.client import Client

    with simulator.serve() as host, Client(environ={}) as client:
        assert client.repository(f"{host}/team/app").download(digest, tmp_path / "blob") == len(CONTENT)
    assert (tmp_path / "blob").read_bytes() == CONTENT


def test_a_blob_asked_for_by_digest_alone_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registryauth.client.repository.MAX_BLOB", 1000)
    repository, _ = anonymous(lambda _: (200, {}, b"x" * 1001))
    with pytest.raises(SizeMismatch):
        repository.download(Digest.of(b"x" * 1001), tmp_path / "blob")
    assert list(tmp_path.iterdir()) == []
