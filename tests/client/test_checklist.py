"""Lines of the specification's checklist (docs/conformance.md) that no other test was about."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from registryauth._http import Request, Response
from registryauth.client import Client
from registryauth.content.manifest import OCI_INDEX, OCI_MANIFEST, Index
from registryauth.digest import Digest
from registryauth.errors import Error, NotFound, RegistryError
from registryauth.testing import Features, RegistrySimulator
from registryauth.transfer import pull

from .clients import HOST, REPOSITORY, anonymous, app

#: distribution-spec, "Error Codes", code-1 to code-14.
CODES = (
    "BLOB_UNKNOWN",
    "BLOB_UPLOAD_INVALID",
    "BLOB_UPLOAD_UNKNOWN",
    "DIGEST_INVALID",
    "MANIFEST_BLOB_UNKNOWN",
    "MANIFEST_INVALID",
    "MANIFEST_UNKNOWN",
    "NAME_INVALID",
    "NAME_UNKNOWN",
    "SIZE_INVALID",
    "UNAUTHORIZED",
    "DENIED",
    "UNSUPPORTED",
    "TOOMANYREQUESTS",
)
EMPTY = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": str(Digest.of(b"{}")), "size": 2}
ABSENT = {"mediaType": OCI_MANIFEST, "digest": str(Digest.of(b"absent")), "size": 6}
IMAGE: dict[str, Any] = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": EMPTY, "layers": [EMPTY]}


@pytest.fixture
def registry() -> RegistrySimulator:
    """Asks nobody who they are, and has the empty blob."""
    simulator = RegistrySimulator(auth="none")
    simulator.add_blob(b"{}")
    return simulator


@pytest.mark.parametrize("code", CODES)
def test_every_error_code_of_the_specification_is_passed_on(code: str) -> None:
    body = json.dumps({"errors": [{"code": code, "message": "words", "detail": {"any": ["thing"]}}]}).encode()
    repository, _ = anonymous(lambda _: (400, {}, body))
    with pytest.raises(RegistryError) as caught:
        repository.manifest("v1")
    assert caught.value.diagnostics == (f"{code}: words",)
    assert f"{code}: words" in str(caught.value)


def test_an_error_may_have_a_code_and_nothing_else() -> None:
    repository, _ = anonymous(lambda _: (400, {}, b'{"errors":[{"code":"MANIFEST_INVALID"}]}'))
    with pytest.raises(RegistryError) as caught:
        repository.manifest("v1")
    assert caught.value.diagnostics == ("MANIFEST_INVALID",)


def test_a_session_is_opened_with_a_length_of_0(registry: RegistrySimulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registryauth.client.uploads.SINGLE", 0)
    with registry.serve() as host, Client() as client:
        client.repository(f"{host}/{REPOSITORY}").push(b"content")
    (post,) = (request for request in registry.requests if request.method == "POST")
    assert post.header("content-length") == "0"


def test_chunks_are_closed_with_the_digest_of_the_whole(
    registry: RegistrySimulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registryauth.client.uploads.CHUNK", 1000)
    monkeypatch.setattr("registryauth.client.uploads._MIN_CHUNK", 100)
    registry.inject(lambda r: Response.of(413, [], r.url) if len(r.body) > 1000 else None)
    (tmp_path / "blob").write_bytes(b"x" * 2500)
    digest = app(registry).upload(tmp_path / "blob")
    patches = [request for request in registry.requests if request.method == "PATCH"]
    assert [patch.header("content-range") for patch in patches] == ["0-999", "1000-1999", "2000-2499"]
    assert {patch.header("content-type") for patch in patches} == {"application/octet-stream"}
    close = registry.requests[-1]
    assert (close.method, close.body) == ("PUT", b"")
    assert close.url.target.endswith(f"digest={digest}")


def test_a_session_is_given_up_with_the_right_to_delete_where_the_registry_wants_that(simulator: RegistrySimulator, tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(b"content")
    with pytest.raises(RegistryError, match="DIGEST_INVALID"):
        app(simulator).upload(tmp_path / "blob", Digest.of(b"other"))
    assert [request.method for request in simulator.requests][-3:] == ["DELETE", "GET", "DELETE"]
    assert "delete" in simulator.requests[-2].url.target


def test_fewer_than_n_are_not_the_end_where_a_link_leads_on(registry: RegistrySimulator) -> None:
    for number in range(5):
        registry.add_image(REPOSITORY, f"v{number}")
    registry.features = Features(page_size=1)
    assert list(app(registry).tags(n=3)) == [f"v{number}" for number in range(5)]
    assert len(registry.requests) == 5


@pytest.mark.parametrize(
    "warning", ['299 - "say hello to Mr. Warning"', '299 - "' + "x" * 4000 + '"', "not a warning", '110 - "stale"', "299 - \x1b[2J"]
)
def test_a_warning_changes_nothing(registry: RegistrySimulator, warning: str) -> None:
    registry.add_image(REPOSITORY, "v1")
    plain = app(registry).manifest("v1")

    def warned(_: Request, response: Response) -> Response:
        return Response.of(response.status, [*response.headers, ("warning", warning)], response.url, response.read(1 << 20))

    registry.alter(warned)
    assert app(registry).manifest("v1") == plain


SHAPES: dict[str, dict[str, Any]] = {
    "data": {**IMAGE, "layers": [{**EMPTY, "data": "e30="}]},
    "custom fields": {**IMAGE, "org.example.custom": {"b": 1, "a": [None]}, "config": {**EMPTY, "org.example.more": "x"}},
    "no layers": {**IMAGE, "layers": []},
    "artifact": {**IMAGE, "artifactType": "application/vnd.example", "annotations": {"k": "\u00e9"}},
    "subject that is not there": {**IMAGE, "subject": ABSENT},
    "empty index": {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []},
    "index with a type and a subject": {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "artifactType": "application/vnd.example",
        "manifests": [],
        "subject": ABSENT,
    },
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_whatever_shape_it_has_it_goes_there_and_back_to_the_byte(registry: RegistrySimulator, shape: dict[str, Any]) -> None:
    raw = json.dumps(shape, indent=1).encode()
    assert app(registry).put_manifest(raw, tag="v1").digest == Digest.of(raw)
    assert app(registry).manifest("v1").raw == raw


def test_what_a_descriptor_embeds_is_fetched_all_the_same(registry: RegistrySimulator, tmp_path: Path) -> None:
    """``data`` may lie; what counts is the blob that the digest names."""
    layer = {**EMPTY, "digest": str(registry.add_blob(b"layer")), "size": 5, "data": "bGllcyE="}
    app(registry).put_manifest(json.dumps({**IMAGE, "layers": [layer]}).encode(), tag="v1")
    pull(app(registry), "v1", tmp_path / "out")
    assert (tmp_path / "out/blobs/sha256" / Digest.of(b"layer").encoded).read_bytes() == b"layer"


def test_of_a_sparse_index_what_is_there_is_had_and_what_is_not_is_not_found(registry: RegistrySimulator) -> None:
    registry.features = Features(sparse=True)
    there = registry.add_image(REPOSITORY, None)
    rows = [
        {"mediaType": OCI_MANIFEST, "digest": str(there), "size": len(app(registry).manifest(there).raw), "platform": platform}
        for platform in ({"os": "linux", "architecture": "amd64"},)
    ]
    absent = {**ABSENT, "platform": {"os": "linux", "architecture": "arm64"}}
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [*rows, absent]}
    app(registry).put_manifest(json.dumps(index).encode(), tag="both")
    assert isinstance(app(registry).manifest("both"), Index)
    assert app(registry).manifest("both", platform="linux/amd64").digest == there
    with pytest.raises(NotFound):
        app(registry).manifest("both", platform="linux/arm64")


@pytest.mark.parametrize("length", [255, 256])
def test_a_repositorys_path_has_at_most_255_characters(length: int) -> None:
    repository, wire = anonymous(lambda _: (404, {}, b""))
    name = f"{HOST}/{'a' * length}"
    if length == 255:
        assert repository.client.repository(name).repository.path == "a" * 255
        return
    with pytest.raises(Error):
        repository.client.repository(name)
    assert wire.sent == []


def test_host_and_path_together_may_have_more() -> None:
    """Other clients count the host, too; a registry that has such a repository is served all the same."""
    repository, wire = anonymous(lambda _: (200, {}, b'{"tags":["v1"]}'))
    host = f"{'h' * 60}.{'h' * 60}.example"
    assert list(repository.client.repository(f"{host}/{'a' * 255}").tags()) == ["v1"]
    assert wire.urls == [f"https://{host}/v2/{'a' * 255}/tags/list"]
