"""A manifest is given when it is what was asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from registryauth._http import Request, Response
from registryauth.content import ACCEPT, Descriptor, Index, Manifest, Platform
from registryauth.content.manifest import MAX_MANIFEST, OCI_INDEX, OCI_MANIFEST
from registryauth.digest import Digest
from registryauth.errors import ContentError, DigestMismatch, NotFound, RegistryError, SizeMismatch, TransportError, UnsupportedMediaType
from registryauth.testing import RegistrySimulator, faults

from .clients import REPOSITORY, Answer, anonymous, app, client_of

MANIFESTS = "/manifests/"


def raw(plain: dict[str, Any]) -> bytes:
    return json.dumps(plain).encode()


def test_by_tag_by_digest_and_by_descriptor_it_is_the_same(simulator: RegistrySimulator) -> None:
    repository = app(simulator)
    manifest = repository.manifest("v1")
    assert isinstance(manifest, Manifest)
    stored = simulator.shelf.manifests[REPOSITORY][manifest.digest]
    assert manifest.raw == stored.content
    descriptor = Descriptor(OCI_MANIFEST, manifest.digest, len(manifest.raw))
    assert repository.manifest(str(manifest.digest)) == repository.manifest(manifest.digest) == repository.manifest(descriptor) == manifest


def test_what_we_read_is_asked_for_and_nothing_compressed(simulator: RegistrySimulator) -> None:
    app(simulator).manifest("v1")
    for request in simulator.requests:
        if MANIFESTS in request.url.target:
            assert request.header("accept") == ACCEPT
            assert request.header("accept-encoding") == "identity"
            assert request.header("user-agent") == "registryauth"


def test_a_hundred_fetches_are_102_requests(simulator: RegistrySimulator) -> None:
    repository = app(simulator)
    for _ in range(100):
        repository.manifest("v1")
    assert len(simulator.requests) == 102


def test_head_gives_type_digest_and_size(simulator: RegistrySimulator) -> None:
    repository = app(simulator)
    manifest = repository.manifest("v1")
    assert repository.head("v1") == Descriptor(OCI_MANIFEST, manifest.digest, len(manifest.raw))
    assert repository.head(manifest.digest) == repository.head("v1")
    assert {request.method for request in simulator.requests if MANIFESTS in request.url.target} == {"GET", "HEAD"}


@pytest.mark.parametrize(
    "lacking",
    [
        {"docker-content-digest": ""},
        {"content-length": ""},
        {"content-length": "-1"},
        {"content-length": "\u0665"},
        {"content-length": "9" * 5000},
    ],
)
def test_where_head_lacks_the_digest_or_the_size_the_content_is_asked(simulator: RegistrySimulator, lacking: dict[str, str]) -> None:
    repository = app(simulator)
    told = repository.head("v1")

    def strip(request: Request, response: Response) -> Response:
        kept = [field for field in response.headers if field[0] not in lacking]
        added = [field for field in lacking.items() if field[1]]
        return Response.of(response.status, [*kept, *added], request.url) if request.method == "HEAD" else response

    simulator.alter(strip)
    simulator.requests.clear()
    assert repository.head("v1") == told
    assert [request.method for request in simulator.requests] == ["HEAD", "GET"]


@pytest.mark.parametrize("claimed", ["nonsense", "md5:" + "0" * 32])
def test_a_digest_in_head_that_is_none_is_an_error(claimed: str) -> None:
    repository, wire = anonymous(lambda _: (200, {"docker-content-digest": claimed, "content-length": "5"}, b""))
    with pytest.raises(RegistryError):
        repository.head("v1")
    assert len(wire.sent) == 1


def test_head_by_digest_needs_no_digest_header_and_refuses_another() -> None:
    digest = Digest.of(b"x")
    repository, _ = anonymous(lambda _: (200, {"content-length": "5", "content-type": "a/b; c=d"}, b""))
    assert repository.head(digest) == Descriptor("a/b", digest, 5)
    repository, _ = anonymous(lambda _: (200, {"content-length": "5", "docker-content-digest": str(Digest.of(b"y"))}, b""))
    with pytest.raises(RegistryError, match="was asked for"):
        repository.head(digest)


@pytest.mark.parametrize(
    ("platform", "layer"),
    [("linux/amd64", b"layer of v1"), ("linux/arm64", b"layer of v1-arm"), (Platform("linux", "arm64"), b"layer of v1-arm")],
)
def test_an_index_is_followed_to_the_platform(simulator: RegistrySimulator, platform: str | Platform, layer: bytes) -> None:
    manifest = app(simulator).manifest("both", platform=platform)
    assert isinstance(manifest, Manifest)
    assert manifest.layers[0].digest == Digest.of(layer)


def test_without_a_platform_an_index_is_given_as_it_is(simulator: RegistrySimulator) -> None:
    index = app(simulator).manifest("both")
    assert isinstance(index, Index)
    assert len(index.manifests) == 2


def test_a_platform_for_what_is_no_index_changes_nothing(simulator: RegistrySimulator) -> None:
    assert app(simulator).manifest("v1", platform="linux/s390x") == app(simulator).manifest("v1")


def test_a_platform_that_is_not_there_lists_what_is(simulator: RegistrySimulator) -> None:
    with pytest.raises(NotFound, match="nothing for windows/amd64") as caught:
        app(simulator).manifest("both", platform="windows/amd64")
    assert "linux/amd64, linux/arm64/v8" in caught.value.hint


def test_an_index_in_an_index_is_not_followed(simulator: RegistrySimulator) -> None:
    inner = simulator.shelf.tags[REPOSITORY]["both"]
    simulator.add_index(REPOSITORY, "nested", {"linux/amd64": inner})
    with pytest.raises(ContentError, match="another index"):
        app(simulator).manifest("nested", platform="linux/amd64")
    assert sum(MANIFESTS in request.url.target for request in simulator.requests) == 3


def test_a_manifest_that_the_index_describes_shorter_is_refused(simulator: RegistrySimulator) -> None:
    image = simulator.shelf.tags[REPOSITORY]["v1"]
    size = len(simulator.shelf.manifests[REPOSITORY][image].content)
    for said, error in ((size - 1, SizeMismatch), (0, SizeMismatch)):
        entry = {"mediaType": OCI_MANIFEST, "digest": str(image), "size": said, "platform": {"os": "linux", "architecture": "amd64"}}
        index = raw({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]})
        simulator.shelf.add_manifest(REPOSITORY, OCI_INDEX, index, tag="liar")
        with pytest.raises(error):
            app(simulator).manifest("liar", platform="linux/amd64")


@pytest.mark.parametrize("announced", [True, False])
def test_an_oversized_manifest_is_not_read(simulator: RegistrySimulator, announced: bool) -> None:
    simulator.inject(faults.oversized_body(MANIFESTS, MAX_MANIFEST + 1, announced=announced))
    with pytest.raises(SizeMismatch):
        app(simulator).manifest("v1")


def test_a_bomb_is_not_unfolded(simulator: RegistrySimulator) -> None:
    simulator.inject(faults.gzip_bomb(MANIFESTS, size=1 << 24))
    with pytest.raises(TransportError, match="compressed"):
        app(simulator).manifest("v1")


def test_another_content_under_the_digest_is_refused(simulator: RegistrySimulator) -> None:
    repository = app(simulator)
    digest = repository.head("v1").digest
    simulator.alter(faults.wrong_body("GET .*" + MANIFESTS))
    for target in (digest, "v1"):
        with pytest.raises(DigestMismatch) as caught:
            repository.manifest(target)
        assert str(digest) in caught.value.message


def test_a_truncated_content_is_refused(simulator: RegistrySimulator) -> None:
    simulator.alter(faults.truncated_body("GET .*" + MANIFESTS))
    with pytest.raises(DigestMismatch):
        app(simulator).manifest("v1")


def test_a_false_claim_of_the_digest_is_refused_for_a_tag_and_does_not_matter_for_a_digest(simulator: RegistrySimulator) -> None:
    repository = app(simulator)
    digest = repository.manifest("v1").digest
    simulator.alter(faults.wrong_field(MANIFESTS, "docker-content-digest", str(Digest.of(b"else"))))
    with pytest.raises(DigestMismatch):
        repository.manifest("v1")
    assert repository.manifest(digest).digest == digest


@pytest.mark.parametrize("claimed", ["nonsense", "sha256:", "md5:" + "0" * 32, "sha256:" + "A" * 64, "\x1b[2J"])
def test_a_claim_that_is_no_digest_is_refused(simulator: RegistrySimulator, claimed: str) -> None:
    simulator.alter(faults.wrong_field(MANIFESTS, "docker-content-digest", claimed))
    with pytest.raises(RegistryError, match="Docker-Content-Digest") as caught:
        app(simulator).manifest("v1")
    assert "\x1b" not in str(caught.value)


def test_without_a_claim_a_tag_is_named_by_what_came() -> None:
    content = raw({"schemaVersion": 2, "config": {"mediaType": "a/b", "digest": str(Digest.of(b"")), "size": 0}, "layers": []})
    repository, _ = anonymous(lambda _: (200, {"content-type": OCI_MANIFEST}, content))
    assert repository.manifest("v1").digest == Digest.of(content)


def test_sha512_is_asked_for_and_verified(simulator: RegistrySimulator) -> None:
    content = simulator.shelf.manifests[REPOSITORY][simulator.shelf.tags[REPOSITORY]["v1"]].content
    digest = simulator.shelf.add_manifest(REPOSITORY, OCI_MANIFEST, content, algorithm="sha512")
    manifest = app(simulator).manifest(digest)
    assert manifest.digest == digest
    assert digest.algorithm == "sha512"


@pytest.mark.parametrize(
    "content_type",
    [OCI_INDEX, "application/vnd.docker.distribution.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"],
)
def test_a_header_that_calls_it_something_else_is_refused(simulator: RegistrySimulator, content_type: str) -> None:
    simulator.alter(faults.wrong_field(MANIFESTS, "content-type", content_type))
    with pytest.raises(UnsupportedMediaType):
        app(simulator).manifest("v1")


def test_a_web_page_is_no_manifest() -> None:
    repository, _ = anonymous(lambda _: (200, {"content-type": "text/html"}, b"<html>Please log in to the hotel's network</html>"))
    with pytest.raises(ContentError):
        repository.manifest("v1")


@pytest.mark.parametrize("status", [201, 202, 204, 206])
def test_another_success_is_none(status: int) -> None:
    repository, _ = anonymous(lambda _: (status, {}, b""))
    with pytest.raises(RegistryError, match=f"answered {status}"):
        repository.manifest("v1")


def test_a_manifest_that_is_elsewhere_is_asked_for_in_the_same_words() -> None:
    """registry.k8s.io leads to another registry, which gives another kind of manifest to whoever does not say what it reads."""
    content = raw({"schemaVersion": 2, "config": {"mediaType": "a/b", "digest": str(Digest.of(b"")), "size": 0}, "layers": []})

    def answer(request: Request) -> Answer:
        if request.url.origin.host == "r.example":
            return 307, {"location": "https://elsewhere.example/v2/x/manifests/v1"}, b""
        length = {"content-length": str(len(content)), "docker-content-digest": str(Digest.of(content)), "content-type": OCI_MANIFEST}
        return 200, length, b"" if request.method == "HEAD" else content

    repository, wire = anonymous(answer)
    assert repository.manifest("v1").raw == content
    assert repository.head("v1").digest == Digest.of(content)
    assert [(r.method, r.header("accept")) for r in wire.sent if r.url.origin.host == "elsewhere.example"] == [
        ("GET", ACCEPT),
        ("HEAD", ACCEPT),
    ]


def test_ping_tells_what_the_token_grants(simulator: RegistrySimulator) -> None:
    repository = app(simulator).repository
    assert client_of(simulator).ping(repository, "pull") == ("pull",)
    assert client_of(simulator).ping(repository, "pull", "push") == ("pull", "push")


def test_ping_tells_that_less_was_granted_than_asked_for() -> None:
    simulator = RegistrySimulator(accounts={"robot": "right"}, rights={"robot": ["pull"]})
    assert client_of(simulator).ping(app(simulator).repository, "pull", "push") == ("pull",)


@pytest.mark.parametrize("auth", ["basic", "none"])
def test_ping_cannot_tell_where_no_token_says_so(auth: Any) -> None:
    simulator = RegistrySimulator(auth=auth, accounts={"robot": "right"})
    assert client_of(simulator).ping(app(simulator).repository, "pull") is None
