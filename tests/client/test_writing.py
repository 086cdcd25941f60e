"""Manifests are put to the byte, and what is deleted is gone."""

from __future__ import annotations

import json

import pytest

from registryauth._http import Request, Response
from registryauth.client import RepositoryClient
from registryauth.content import Descriptor
from registryauth.content.manifest import DOCKER_MANIFEST, MAX_MANIFEST, OCI_INDEX, OCI_MANIFEST
from registryauth.digest import Digest
from registryauth.errors import (
    ContentError,
    Denied,
    DigestMismatch,
    Error,
    InvalidDigest,
    InvalidReference,
    NotFound,
    RegistryError,
    Unsupported,
    UnsupportedMediaType,
)
from registryauth.testing import Features, RegistrySimulator, faults

from .clients import HOST, REPOSITORY, Answer, Wire, anonymous, app

CONFIG = Digest.of(b"{}")
TYPED = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": {"mediaType": "x/y", "digest": str(CONFIG), "size": 2}, "layers": []}
#: White space, an escape and the order of the fields are the author's business.
RAW = b" \n" + json.dumps({**TYPED, "annotations": {"b": "\u00e9/", "a": "\t"}}, indent=3).encode() + b"\n\n"
DIGEST = Digest.of(RAW)
UNTYPED = json.dumps({name: value for name, value in TYPED.items() if name != "mediaType"}).encode()


@pytest.fixture
def registry() -> RegistrySimulator:
    simulator = RegistrySimulator(auth="none")
    simulator.add_blob(b"{}")
    simulator.add_image(REPOSITORY, "v1")
    return simulator


@pytest.fixture
def repository(registry: RegistrySimulator) -> RepositoryClient:
    return app(registry)


def created(headers: dict[str, str] | None = None, status: int = 201) -> tuple[RepositoryClient, Wire]:
    return anonymous(lambda _: (status, headers or {}, b""))


# Putting.


def test_a_manifest_is_put_byte_for_byte_under_its_tag(registry: RegistrySimulator, repository: RepositoryClient) -> None:
    assert repository.put_manifest(RAW, tag="new") == Descriptor(OCI_MANIFEST, DIGEST, len(RAW))
    found = registry.shelf.find(REPOSITORY, "new")
    assert found
    assert (found[0], found[1].content, found[1].media_type) == (DIGEST, RAW, OCI_MANIFEST)
    assert len(registry.requests) == 1


def test_without_a_tag_it_is_put_under_its_digest(registry: RegistrySimulator, repository: RepositoryClient) -> None:
    repository.put_manifest(RAW)
    assert registry.requests[0].url.target == f"/v2/{REPOSITORY}/manifests/{DIGEST}"
    assert list(registry.shelf.tags[REPOSITORY]) == ["v1"]


def test_what_was_put_comes_back_as_it_was(repository: RepositoryClient) -> None:
    repository.put_manifest(RAW, tag="new")
    assert repository.manifest("new").raw == RAW


@pytest.mark.parametrize(
    ("raw", "media_type", "sent"),
    [
        (RAW, "", OCI_MANIFEST),
        (RAW, OCI_MANIFEST, OCI_MANIFEST),
        (RAW, f"{OCI_MANIFEST}; charset=utf-8", OCI_MANIFEST),
        (UNTYPED, "", OCI_MANIFEST),
        (UNTYPED, DOCKER_MANIFEST, DOCKER_MANIFEST),
        (b'{"schemaVersion":2,"manifests":[]}', "", OCI_INDEX),
    ],
)
def test_the_content_type_is_its_media_type_and_nothing_else(raw: bytes, media_type: str, sent: str) -> None:
    repository, wire = created()
    assert repository.put_manifest(raw, media_type=media_type).media_type == sent
    assert wire.sent[0].header("content-type") == sent
    assert wire.sent[0].body == raw


@pytest.mark.parametrize(("raw", "media_type"), [(RAW, OCI_INDEX), (RAW, "application/json"), (UNTYPED, "a/b"), (UNTYPED, "\x1b[2J")])
def test_a_media_type_that_the_content_does_not_have_is_refused(raw: bytes, media_type: str) -> None:
    repository, wire = created()
    with pytest.raises(UnsupportedMediaType) as caught:
        repository.put_manifest(raw, media_type=media_type)
    assert wire.sent == []
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xef\xbb\xbf" + RAW,
        b"\xff",
        b"{}",
        b'{"schemaVersion":1}',
        b'{"schemaVersion":2,"config":{},"layers":[]}',
        b'{"schemaVersion":2,"manifests":[],"layers":[]}',
        b'{"mediaType":"application/vnd.example"}',
        b"[" * 100_000,
        RAW.replace(b'"size": 2', b'"size": -1'),
        RAW + RAW,
        RAW + b" " * MAX_MANIFEST,
    ],
    ids=lambda raw: repr(raw[:20]),
)
def test_what_is_no_manifest_is_refused_before_any_request(raw: bytes) -> None:
    repository, wire = created()
    with pytest.raises(ContentError):
        repository.put_manifest(raw, tag="v1")
    assert wire.sent == []


def test_4_mib_are_put(registry: RegistrySimulator, repository: RepositoryClient) -> None:
    raw = RAW + b" " * (MAX_MANIFEST - len(RAW))
    assert repository.put_manifest(raw).size == MAX_MANIFEST


@pytest.mark.parametrize(
    "tag", ["-x", "a b", "../x", "a/b", "x" * 129, "\u00e9", "a?b", "a#b", "a%2Fb", "sha256:0", "sha1:" + "0" * 40, "a:b"]
)
def test_what_is_no_tag_or_digest_does_not_get_into_a_url(tag: str) -> None:
    repository, wire = created()
    with pytest.raises((InvalidReference, InvalidDigest)):
        repository.put_manifest(RAW, tag=tag)
    with pytest.raises((InvalidReference, InvalidDigest)):
        repository.delete_manifest(tag)
    assert wire.sent == []


def test_a_manifest_whose_blobs_are_missing_is_refused_in_the_registrys_words(registry: RegistrySimulator) -> None:
    registry.shelf.drop_blob(REPOSITORY, CONFIG)
    with pytest.raises(RegistryError, match="MANIFEST_BLOB_UNKNOWN"):
        app(registry).put_manifest(RAW, tag="new")


@pytest.mark.parametrize("status", [200, 201, 202])
def test_any_word_of_success_will_do(status: int) -> None:
    repository, _ = created(status=status)
    assert repository.put_manifest(RAW).digest == DIGEST


@pytest.mark.parametrize("status", [204, 301, 307, 400, 405, 412, 413, 500])
def test_anything_else_is_an_error(status: int) -> None:
    repository, wire = created({"location": "/x"}, status)
    with pytest.raises(RegistryError):
        repository.put_manifest(RAW)
    assert len(wire.sent) == 1


# What the registry made of it.


def test_another_digest_in_the_answer_is_a_mismatch(registry: RegistrySimulator, repository: RepositoryClient) -> None:
    registry.alter(faults.wrong_digest("^PUT"))
    with pytest.raises(DigestMismatch, match=f"{DIGEST} was put, the registry made sha256:000"):
        repository.put_manifest(RAW, tag="new")


def test_a_digest_that_is_none_is_an_error() -> None:
    repository, _ = created({"docker-content-digest": "sha256:x"})
    with pytest.raises(RegistryError):
        repository.put_manifest(RAW)


def test_a_digest_of_another_algorithm_is_held_against_the_content() -> None:
    repository, _ = created({"docker-content-digest": str(Digest.of(RAW, "sha512"))})
    assert repository.put_manifest(RAW, tag="v1").digest == DIGEST
    repository, _ = created({"docker-content-digest": str(Digest.of(b"other", "sha512"))})
    with pytest.raises(DigestMismatch):
        repository.put_manifest(RAW, tag="v1")


def test_it_is_put_under_sha512_where_that_is_asked_for(registry: RegistrySimulator, repository: RepositoryClient) -> None:
    digest = Digest.of(RAW, "sha512")
    assert repository.put_manifest(RAW, tag=str(digest)).digest == digest
    assert repository.manifest(digest).raw == RAW


def test_a_registry_that_keeps_sha512_as_sha256_is_found_out() -> None:
    """As distribution v3 does: the manifest is there, and not under the name that was asked for."""
    repository, _ = created({"docker-content-digest": str(DIGEST)})
    with pytest.raises(DigestMismatch, match=f"sha512:[0-9a-f]+ was put, the registry keeps it as {DIGEST} alone") as caught:
        repository.put_manifest(RAW, tag=str(Digest.of(RAW, "sha512")))
    assert "by its sha256 digest" in caught.value.hint


def test_a_digest_that_is_not_the_contents_is_refused_before_any_request() -> None:
    repository, wire = created()
    with pytest.raises(DigestMismatch):
        repository.put_manifest(RAW, tag=str(Digest.of(b"other")))
    assert wire.sent == []


# Deleting.


def test_a_tag_is_deleted_and_the_manifest_stays(registry: RegistrySimulator, repository: RepositoryClient) -> None:
    digest = registry.shelf.tags[REPOSITORY]["v1"]
    repository.delete_manifest("v1")
    assert registry.shelf.tags[REPOSITORY] == {}
    assert repository.head(digest).digest == digest
    assert [request.method for request in registry.requests] == ["DELETE", "HEAD"]


def test_a_manifest_is_deleted_with_its_tags(registry: RegistrySimulator, repository: RepositoryClient) -> None:
    digest = registry.shelf.tags[REPOSITORY]["v1"]
    repository.delete_manifest(digest)
    assert registry.shelf.tags[REPOSITORY] == {}
    with pytest.raises(NotFound):
        repository.manifest(digest)


def test_a_blob_is_deleted(registry: RegistrySimulator, repository: RepositoryClient) -> None:
    assert repository.has(CONFIG)
    repository.delete_blob(CONFIG)
    assert not repository.has(CONFIG)


@pytest.mark.parametrize("what", ["tag", "manifest", "blob"])
def test_what_a_registry_does_not_let_be_deleted_is_unsupported(
    registry: RegistrySimulator, repository: RepositoryClient, what: str
) -> None:
    registry.features = Features(delete=())
    digest = registry.shelf.tags[REPOSITORY]["v1"]
    with pytest.raises(Unsupported) as caught:
        repository.delete_blob(CONFIG) if what == "blob" else repository.delete_manifest("v1" if what == "tag" else digest)
    assert (caught.value.exit_code, caught.value.status) == (1, 405)


@pytest.mark.parametrize("what", ["tag", "manifest", "blob"])
def test_what_is_not_there_is_not_found(repository: RepositoryClient, what: str) -> None:
    absent = Digest.of(b"absent")
    with pytest.raises(NotFound) as caught:
        repository.delete_blob(absent) if what == "blob" else repository.delete_manifest("absent" if what == "tag" else absent)
    assert caught.value.exit_code == 3
    assert f"{HOST}/{REPOSITORY}{'@' if what != 'tag' else ':'}" in str(caught.value)


def test_deleting_takes_a_token_that_may(simulator: RegistrySimulator) -> None:
    app(simulator).delete_manifest("v1")
    assert "v1" not in simulator.shelf.tags[REPOSITORY]
    assert any("delete" in request.url.target for request in simulator.requests if "/token" in request.url.target)


def test_an_account_that_may_not_delete_is_refused() -> None:
    simulator = RegistrySimulator(accounts={"robot": "right"}, rights={"robot": ["pull", "push"]})
    simulator.add_image(REPOSITORY, "v1")
    with pytest.raises(Error) as caught:
        app(simulator).delete_manifest("v1")
    assert caught.value.exit_code == 4
    assert "v1" in simulator.shelf.tags[REPOSITORY]


def test_nothing_is_deleted_where_a_redirect_leads() -> None:
    repository, wire = anonymous(lambda _: (307, {"location": "https://evil.example/"}, b""))
    with pytest.raises(RegistryError):
        repository.delete_manifest("v1")
    assert len(wire.sent) == 1


# Looking.


@pytest.mark.parametrize("status", [200, 404])
def test_has_is_one_head(status: int) -> None:
    repository, wire = anonymous(lambda _: (status, {}, b""))
    assert repository.has(CONFIG) is (status == 200)
    assert [(r.method, r.url.target) for r in wire.sent] == [("HEAD", f"/v2/{REPOSITORY}/blobs/{CONFIG}")]


@pytest.mark.parametrize("status", [400, 401, 403, 405, 429, 500, 503])
def test_has_raises_for_what_is_no_answer(status: int) -> None:
    repository, _ = anonymous(lambda _: (status, {}, b""))
    with pytest.raises(RegistryError):
        repository.has(CONFIG)


def test_has_follows_to_the_storage() -> None:
    def answer(request: Request) -> Answer | Response:
        return (307, {"location": "https://storage.example/x"}, b"") if request.url.origin.host == HOST else (200, {}, b"")

    repository, wire = anonymous(answer)
    assert repository.has(CONFIG)
    assert [request.method for request in wire.sent] == ["HEAD", "HEAD"]


# Several tags.


def tags_of(simulator: RegistrySimulator) -> dict[str, Digest]:
    return simulator.shelf.tags[REPOSITORY]


def puts(simulator: RegistrySimulator) -> list[str]:
    found = [r.url.target.partition("/manifests/")[2] for r in simulator.requests if r.method == "PUT"]
    simulator.requests.clear()
    return found


@pytest.fixture
def plain() -> tuple[RegistrySimulator, bytes, Digest]:
    """A registry that asks nobody who they are, a manifest that can be put there, and its digest."""
    simulator = RegistrySimulator(auth="none", features=Features(sparse=True))
    raw = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}).encode()
    return simulator, raw, Digest.of(raw)


def test_several_tags_are_one_request(plain: tuple[RegistrySimulator, bytes, Digest]) -> None:
    simulator, raw, digest = plain
    assert app(simulator).put_manifest(raw, tag="v1", more_tags=["v1.2", "latest", "v1"]).digest == digest
    assert tags_of(simulator) == dict.fromkeys(("v1", "v1.2", "latest"), digest)
    assert puts(simulator) == [f"{digest}?tag=v1&tag=v1.2&tag=latest"]


def test_ten_at_a_time(plain: tuple[RegistrySimulator, bytes, Digest]) -> None:
    simulator, raw, _ = plain
    names = [f"v{number}" for number in range(23)]
    app(simulator).put_manifest(raw, more_tags=names)
    assert set(tags_of(simulator)) == set(names)
    assert [line.count("tag=") for line in puts(simulator)] == [10, 10, 3]


def test_a_registry_that_knows_no_such_request_gets_one_for_each(plain: tuple[RegistrySimulator, bytes, Digest]) -> None:
    simulator, raw, digest = plain
    simulator.features = Features(sparse=True, tag_parameters=False)
    repository = app(simulator)
    repository.put_manifest(raw, tag="v1", more_tags=["v2"])
    assert tags_of(simulator) == {"v1": digest, "v2": digest}
    assert puts(simulator) == [f"{digest}?tag=v1&tag=v2", "v1", "v2"]
    # And is not asked again.
    repository.put_manifest(raw, tag="v3", more_tags=["v4"])
    assert puts(simulator) == ["v3", "v4"]


@pytest.mark.parametrize("status", [400, 405, 414, 431, 501])
def test_one_that_refuses_it_too(plain: tuple[RegistrySimulator, bytes, Digest], status: int) -> None:
    simulator, raw, digest = plain
    simulator.inject(faults.server_error("tag=", status=status))
    app(simulator).put_manifest(raw, tag="v1", more_tags=["v2"])
    assert tags_of(simulator) == {"v1": digest, "v2": digest}


@pytest.mark.parametrize(("status", "error"), [(403, Denied), (500, RegistryError)])
def test_any_other_refusal_is_an_error(plain: tuple[RegistrySimulator, bytes, Digest], status: int, error: type[Error]) -> None:
    simulator, raw, _ = plain
    simulator.inject(faults.server_error("tag=", status=status))
    with pytest.raises(error):
        app(simulator).put_manifest(raw, tag="v1", more_tags=["v2"])
    assert len(puts(simulator)) == 1


def test_tags_that_it_left_out_are_put_one_by_one(plain: tuple[RegistrySimulator, bytes, Digest]) -> None:
    simulator, raw, digest = plain
    simulator.alter(faults.wrong_field("tag=", "oci-tag", "v1 ,v2", times=1))
    app(simulator).put_manifest(raw, tag="v1", more_tags=["v2", "v3"])
    assert puts(simulator) == [f"{digest}?tag=v1&tag=v2&tag=v3", f"{digest}?tag=v3"]


def test_a_registry_that_says_it_set_others_is_not_believed_for_ours(plain: tuple[RegistrySimulator, bytes, Digest]) -> None:
    simulator, raw, digest = plain
    simulator.alter(faults.wrong_field("tag=", "oci-tag", "other"))
    app(simulator).put_manifest(raw, tag="v1", more_tags=["v2"])
    assert puts(simulator) == [f"{digest}?tag=v1&tag=v2", "v1", "v2"]


@pytest.mark.parametrize("known", [True, False])
def test_under_a_digest_and_tags(plain: tuple[RegistrySimulator, bytes, Digest], known: bool) -> None:
    simulator, raw, digest = plain
    repository = app(simulator)
    if not known:
        simulator.features = Features(sparse=True, tag_parameters=False)
        repository.put_manifest(raw, tag="v0", more_tags=["v0.0"])
    puts(simulator)
    repository.put_manifest(raw, tag=str(digest), more_tags=["v1"])
    assert puts(simulator) == ([f"{digest}?tag=v1"] if known else [str(digest), "v1"])


@pytest.mark.parametrize("tag", ["", "a/b", "a&tag=b", "sha256:" + "0" * 64, "-x", "a" * 129])
def test_what_is_no_tag_is_refused_before_any_request(plain: tuple[RegistrySimulator, bytes, Digest], tag: str) -> None:
    simulator, raw, _ = plain
    with pytest.raises(InvalidReference):
        app(simulator).put_manifest(raw, tag="v1", more_tags=[tag])
    assert simulator.requests == []


def test_with_a_subject_the_fallback_is_kept_for_many_tags_as_for_one(plain: tuple[RegistrySimulator, bytes, Digest]) -> None:
    simulator, raw, digest = plain
    simulator.features = Features(sparse=True, referrers=False)
    subject = {"mediaType": OCI_INDEX, "digest": str(digest), "size": len(raw)}
    about = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [], "subject": subject}).encode()
    app(simulator).put_manifest(about, tag="v1", more_tags=["v2"])
    assert [found.digest for found in app(simulator).referrers(digest)] == [Digest.of(about)]
