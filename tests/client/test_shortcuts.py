"""Requests that a registry may save us: a blob that comes with the POST, a mount that names nobody; each registry is tried once."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from registryauth._http import Request, Response
from registryauth._origin import Origin
from registryauth.client import Client, RepositoryClient
from registryauth.client.shortcuts import MOUNT, SINGLE_POST, Shortcuts
from registryauth.client.uploads import SINGLE
from registryauth.digest import Digest
from registryauth.errors import Denied, RegistryError, TransportError, Unauthorized
from registryauth.testing import Features, RegistrySimulator, faults

from .clients import HOST, REPOSITORY, Answer, anonymous, app, at_once

CONTENT = b"a small blob"
DIGEST = Digest.of(CONTENT)
#: No registry of these knows where it could be mounted from.
NO_MOUNT = Features(mount="from")
ORIGIN = Origin("https", HOST, 443)


@pytest.fixture
def registry() -> RegistrySimulator:
    """Asks nobody who they are, so that every request is one of ours."""
    return RegistrySimulator(auth="none", features=NO_MOUNT)


@pytest.fixture
def repository(registry: RegistrySimulator) -> RepositoryClient:
    return app(registry)


def asked(registry: RegistrySimulator) -> list[str]:
    """Each request as its method and how its query begins."""
    lines = []
    for request in registry.requests:
        query = request.url.target.partition("?")[2]
        lines.append(f"{request.method} {query.partition('=')[0]}".strip())
    registry.requests.clear()
    return lines


def holds(registry: RegistrySimulator, content: bytes = CONTENT) -> bool:
    return registry.shelf.blob(REPOSITORY, Digest.of(content)) == content


# A single POST.


def test_a_small_blob_comes_with_the_post(registry: RegistrySimulator, repository: RepositoryClient) -> None:
    assert repository.push(CONTENT).digest == DIGEST
    assert holds(registry)
    post = registry.requests[-1]
    assert asked(registry) == ["HEAD", "POST digest"]
    assert post.url.target.endswith(f"/blobs/uploads/?digest={DIGEST}")
    assert (post.body, post.header("content-type")) == (CONTENT, "application/octet-stream")


def test_over_a_socket_it_has_its_length(registry: RegistrySimulator) -> None:
    with registry.serve() as host, Client(environ={}) as client:
        client.repository(f"{host}/{REPOSITORY}").push(CONTENT)
    (post,) = (request for request in registry.requests if request.method == "POST")
    assert post.header("content-length") == str(len(CONTENT))
    assert post.header("transfer-encoding") == ""
    assert holds(registry)


def test_a_202_is_gone_on_with_and_that_registry_never_sent_a_body_so_again(
    registry: RegistrySimulator, repository: RepositoryClient
) -> None:
    registry.features = Features(single_post=False, mount="from")
    repository.push(CONTENT)
    assert holds(registry)
    assert asked(registry) == ["HEAD", "POST digest", "PUT digest"]
    for number in range(3):
        repository.push(b"another %d" % number)
    assert asked(registry) == ["HEAD", "POST mount", "PUT digest"] * 3


def test_what_one_registry_does_not_take_another_may(registry: RegistrySimulator) -> None:
    client = Client(transport=registry.transport(), sleep=at_once)
    registry.features = Features(single_post=False, mount="from")
    client.repository(f"one.example/{REPOSITORY}").push(CONTENT)
    registry.features = NO_MOUNT
    client.repository(f"two.example/{REPOSITORY}").push(b"other")
    client.repository(f"one.example/{REPOSITORY}").push(b"third")
    assert asked(registry) == ["HEAD", "POST digest", "PUT digest", "HEAD", "POST digest", "HEAD", "POST mount", "PUT digest"]


@pytest.mark.parametrize("size", [0, SINGLE + 1])
def test_neither_an_empty_blob_nor_a_large_one_comes_so(registry: RegistrySimulator, repository: RepositoryClient, size: int) -> None:
    repository.push(bytes(size))
    assert asked(registry) == ["HEAD", "POST mount", "PUT digest"]


def test_the_largest_that_does(registry: RegistrySimulator, repository: RepositoryClient) -> None:
    repository.push(bytes(SINGLE))
    assert asked(registry) == ["HEAD", "POST digest"]


def test_one_by_sha512_opens_a_session_that_is_told_so(registry: RegistrySimulator, repository: RepositoryClient) -> None:
    repository.push(CONTENT, Digest.of(CONTENT, "sha512"))
    assert asked(registry) == ["HEAD", "POST digest-algorithm", "PUT digest"]


@pytest.mark.parametrize("status", [400, 404, 405, 411, 413, 415, 500, 501])
def test_whatever_a_registry_says_to_it_the_ordinary_way_is_tried(
    registry: RegistrySimulator, repository: RepositoryClient, status: int
) -> None:
    registry.inject(faults.server_error(r"^POST .*\?digest=", status=status))
    repository.push(CONTENT)
    repository.push(b"another")
    assert holds(registry)
    assert asked(registry) == ["HEAD", "POST digest", "POST mount", "PUT digest", "HEAD", "POST mount", "PUT digest"]


def test_a_connection_that_breaks_on_it_too(registry: RegistrySimulator, repository: RepositoryClient) -> None:
    registry.inject(faults.no_answer(r"^POST .*\?digest="))
    repository.push(CONTENT)
    assert holds(registry)
    assert asked(registry) == ["HEAD", "POST digest", "POST mount", "PUT digest"]


@pytest.mark.parametrize(("status", "error"), [(401, Unauthorized), (403, Denied)])
def test_who_may_not_push_is_told_so_at_once(
    registry: RegistrySimulator, repository: RepositoryClient, status: int, error: type[RegistryError]
) -> None:
    registry.inject(lambda r: Response.of(status, [], r.url) if r.method == "POST" else None)
    with pytest.raises(error):
        repository.push(CONTENT)
    assert asked(registry) == ["HEAD", "POST digest"]


def test_a_wrong_digest_is_refused_in_the_registrys_words(registry: RegistrySimulator, repository: RepositoryClient) -> None:
    with pytest.raises(RegistryError, match="DIGEST_INVALID"):
        repository.push(CONTENT, Digest.of(b"other"))
    assert registry.shelf.blobs == {}


@pytest.mark.parametrize(
    "headers",
    [{}, {"location": ""}, {"docker-content-digest": f"sha256:{'0' * 64}"}, {"location": "/x", "docker-content-digest": "sha256:0"}],
)
def test_a_201_that_does_not_say_that_it_has_the_blob_is_not_believed(headers: dict[str, str]) -> None:
    def answer(request: Request) -> Answer:
        match request.method:
            case "HEAD":
                return 404, {}, b""
            case "POST" if "digest=" in request.url.target or "mount=" in request.url.target:
                return 201, headers, b""
            case "POST":
                return 202, {"location": "/v2/session"}, b""
        return 201, {}, b""

    repository, wire = anonymous(answer)
    repository.push(CONTENT)
    assert [request.method for request in wire.sent] == ["HEAD", "POST", "POST", "POST", "PUT"]


def test_go_containerregistry_gives_the_digest_and_no_location() -> None:
    repository, wire = anonymous(lambda r: (404, {}, b"") if r.method == "HEAD" else (201, {"docker-content-digest": str(DIGEST)}, b""))
    repository.push(CONTENT)
    assert len(wire.sent) == 2


def test_a_token_that_runs_out_on_it_is_renewed_and_the_body_sent_again(simulator: RegistrySimulator) -> None:
    simulator.interfere(faults.expired_token("^POST /v2", times=1))
    app(simulator).push(CONTENT)
    assert holds(simulator)
    assert [r.body for r in simulator.requests if r.method == "POST" and "/v2/" in r.url.target] == [CONTENT, CONTENT]


def test_a_file_comes_so_as_well(registry: RegistrySimulator, repository: RepositoryClient, tmp_path: Path) -> None:
    seen: list[int] = []
    (tmp_path / "blob").write_bytes(CONTENT)
    repository.upload(tmp_path / "blob", progress=seen.append)
    assert asked(registry) == ["HEAD", "POST digest"]
    assert seen == [len(CONTENT)]


# Mounts that name no repository.


@pytest.fixture
def finding(registry: RegistrySimulator) -> RegistrySimulator:
    """Looks for a blob wherever it is."""
    registry.features = Features(single_post=False)
    return registry


def test_a_registry_that_finds_it_elsewhere_is_sent_nothing(finding: RegistrySimulator, repository: RepositoryClient) -> None:
    large = bytes(SINGLE + 1)
    finding.shelf.add_blob(large, repository="somebody/else")
    repository.push(large)
    assert holds(finding, large)
    assert asked(finding) == ["HEAD", "POST mount"]


def test_what_it_does_not_find_goes_into_the_session_that_it_opens(finding: RegistrySimulator, repository: RepositoryClient) -> None:
    large = bytes(SINGLE + 1)
    repository.push(large)
    assert holds(finding, large)
    post = finding.requests[1]
    assert post.url.target.endswith(f"?mount={Digest.of(large)}")
    assert asked(finding) == ["HEAD", "POST mount", "PUT digest"]


@pytest.mark.parametrize("status", [400, 404, 405, 500])
def test_a_registry_that_wants_to_know_from_where_is_asked_once(
    finding: RegistrySimulator, repository: RepositoryClient, status: int
) -> None:
    finding.inject(faults.server_error("mount=", status=status))
    for number in range(2):
        repository.push(bytes(SINGLE + 1 + number))
    assert asked(finding) == ["HEAD", "POST mount", "POST", "PUT digest", "HEAD", "POST", "PUT digest"]


def test_a_connection_that_breaks_on_it_is_no_error(finding: RegistrySimulator, repository: RepositoryClient) -> None:
    finding.inject(faults.no_answer("mount="))
    repository.push(bytes(SINGLE + 1))
    assert holds(finding, bytes(SINGLE + 1))


# What is remembered.


def test_one_caller_tries_while_the_others_go_the_ordinary_way() -> None:
    shortcuts = Shortcuts()
    tries: list[bool] = []
    threads = [threading.Thread(target=lambda: tries.append(shortcuts.may_try(SINGLE_POST, ORIGIN))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(tries) == [False] * 15 + [True]


def test_what_worked_is_gone_on_with() -> None:
    shortcuts = Shortcuts()
    assert shortcuts.may_try(SINGLE_POST, ORIGIN)
    shortcuts.took(SINGLE_POST, ORIGIN)
    assert [shortcuts.may_try(SINGLE_POST, ORIGIN) for _ in range(2)] == [True, True]


def test_ways_and_origins_are_told_apart() -> None:
    shortcuts = Shortcuts()
    assert shortcuts.may_try(SINGLE_POST, ORIGIN)
    assert shortcuts.may_try(MOUNT, ORIGIN)
    assert shortcuts.may_try(SINGLE_POST, Origin("https", HOST, 8443))
    assert not shortcuts.may_try(MOUNT, ORIGIN)


def test_many_at_once_send_a_registry_that_drops_it_one_body_for_nothing(registry: RegistrySimulator) -> None:
    registry.features = Features(single_post=False, mount="from")
    client = Client(transport=registry.transport(), sleep=at_once)
    failures: list[TransportError] = []

    def push(number: int) -> None:
        try:
            client.repository(f"{HOST}/{REPOSITORY}").push(b"blob %d" % number)
        except TransportError as error:
            failures.append(error)

    threads = [threading.Thread(target=push, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sum(line == "POST digest" for line in asked(registry)) == 1
