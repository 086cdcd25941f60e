"""A blob gets there whole, whatever breaks on the way, and what says who we are goes nowhere else."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from registryauth._http import Headers, Request, Response
from registryauth.client import Client, RepositoryClient
from registryauth.client.uploads import Upload, file_body, slice_of
from registryauth.credentials import Basic
from registryauth.digest import Digest
from registryauth.errors import ContentError, Denied, Error, NotFound, RealmRefused, RegistryError, TransportError, Unauthorized
from registryauth.reference import Repository
from registryauth.testing import Features, RegistrySimulator, faults

from .clients import CANARY, HOST, REPOSITORY, Answer, Wire, anonymous, app, at_once, robot

CONTENT = bytes(range(256)) * 20
DIGEST = Digest.of(CONTENT)
SESSION = f"/v2/{REPOSITORY}/blobs/uploads/one"


@pytest.fixture(autouse=True)
def in_a_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every blob here is too large to come with the POST; for those that are not see test_shortcuts.py."""
    monkeypatch.setattr("registryauth.client.uploads.SINGLE", 0)


@pytest.fixture
def open_registry() -> RegistrySimulator:
    """Asks nobody who they are, so that every request is one of ours."""
    return RegistrySimulator(auth="none")


@pytest.fixture
def repository(open_registry: RegistrySimulator) -> RepositoryClient:
    return app(open_registry)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "blob"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> int:
    """Chunks of 1,000 bytes, of 100 at least."""
    monkeypatch.setattr("registryauth.client.uploads.CHUNK", 1000)
    monkeypatch.setattr("registryauth.client.uploads._MIN_CHUNK", 100)
    return 1000


def methods(simulator: RegistrySimulator) -> list[str]:
    return [request.method for request in simulator.requests]


def holds(simulator: RegistrySimulator, content: bytes = CONTENT, algorithm: str = "sha256", repository: str = REPOSITORY) -> bool:
    return simulator.shelf.blob(repository, Digest.of(content, algorithm)) == content


def bodies(simulator: RegistrySimulator, *wanted: str) -> list[bytes]:
    return [request.body for request in simulator.requests if request.method in wanted]


# Whole.


def test_a_blob_is_one_head_one_post_and_one_put(open_registry: RegistrySimulator, repository: RepositoryClient, file: Path) -> None:
    seen: list[int] = []
    assert repository.upload(file, progress=seen.append) == DIGEST
    assert holds(open_registry)
    assert methods(open_registry) == ["HEAD", "POST", "PUT"]
    put = open_registry.requests[-1]
    assert put.header("content-type") == "application/octet-stream"
    assert put.url.target.endswith(f"digest={DIGEST}")
    assert seen[-1] == len(CONTENT)


def test_a_blob_that_is_there_costs_one_head_and_nothing_else(
    open_registry: RegistrySimulator, repository: RepositoryClient, file: Path
) -> None:
    open_registry.add_blob(CONTENT)
    assert repository.upload(file) == DIGEST
    assert repository.push(CONTENT).digest == DIGEST
    assert methods(open_registry) == ["HEAD", "HEAD"]


def test_one_token_does_for_looking_and_sending(simulator: RegistrySimulator, file: Path) -> None:
    app(simulator).upload(file)
    assert holds(simulator)
    assert [f"{r.method} {r.url.target.partition('?')[0].rpartition('/')[0]}" for r in simulator.requests] == [
        f"HEAD /v2/{REPOSITORY}/blobs",
        "GET ",
        f"HEAD /v2/{REPOSITORY}/blobs",
        f"POST /v2/{REPOSITORY}/blobs/uploads",
        f"PUT /v2/{REPOSITORY}/blobs/uploads",
    ]


def test_bytes_are_pushed_as_they_are(open_registry: RegistrySimulator, repository: RepositoryClient) -> None:
    pushed = repository.push(CONTENT)
    assert (pushed.digest, pushed.size) == (DIGEST, len(CONTENT))
    assert holds(open_registry)


def test_an_empty_blob_has_a_body_of_no_bytes(open_registry: RegistrySimulator, repository: RepositoryClient, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert repository.upload(tmp_path / "empty") == Digest.of(b"")
    assert holds(open_registry, b"")
    assert methods(open_registry) == ["HEAD", "POST", "PUT"]


def test_sha512_is_announced_and_closed_with(open_registry: RegistrySimulator, repository: RepositoryClient, file: Path) -> None:
    digest = Digest.of(CONTENT, "sha512")
    assert repository.upload(file, digest) == digest
    assert holds(open_registry, algorithm="sha512")
    assert open_registry.requests[1].url.target.endswith("?digest-algorithm=sha512")
    assert f"digest={digest}" in open_registry.requests[2].url.target


def test_a_wrong_digest_is_refused_in_the_registrys_words_and_the_session_given_up(
    open_registry: RegistrySimulator, repository: RepositoryClient, file: Path
) -> None:
    with pytest.raises(RegistryError, match="DIGEST_INVALID") as caught:
        repository.upload(file, Digest.of(b"something else"))
    assert caught.value.status == 400
    assert methods(open_registry) == ["HEAD", "POST", "PUT", "DELETE"]
    assert open_registry.shelf.blobs == {}


def test_a_session_that_cannot_be_given_up_hides_no_error(
    open_registry: RegistrySimulator, repository: RepositoryClient, file: Path
) -> None:
    open_registry.inject(faults.no_answer("^DELETE"))
    with pytest.raises(RegistryError, match="DIGEST_INVALID"):
        repository.upload(file, Digest.of(b"something else"))


def test_an_account_that_may_not_push_is_told_so(tmp_path: Path, file: Path) -> None:
    simulator = RegistrySimulator(accounts={"robot": "right"}, rights={"robot": ["pull"]})
    with pytest.raises((Unauthorized, Denied)) as caught:
        app(simulator).upload(file)
    assert caught.value.exit_code == 4
    assert "PUT" not in methods(simulator)


# Where the registry says it belongs.


def taking(location: str | None, **more: str) -> Callable[[Request], Answer]:
    """A registry that opens sessions at *location* and takes whatever is put."""

    def answer(request: Request) -> Answer:
        match request.method:
            case "HEAD":
                return 404, {}, b""
            case "POST":
                return 202, {**({"location": location} if location is not None else {}), **more}, b""
            case "PUT":
                return 201, {}, b""
        return 204, {}, b""

    return answer


@pytest.mark.parametrize(
    ("location", "put"),
    [
        (SESSION, f"https://{HOST}{SESSION}?digest={DIGEST}"),
        ("one", f"https://{HOST}{SESSION}?digest={DIGEST}"),
        (f"https://{HOST}{SESSION}", f"https://{HOST}{SESSION}?digest={DIGEST}"),
        (f"{SESSION}?_state=a%2Bb%3D&x=1", f"https://{HOST}{SESSION}?_state=a%2Bb%3D&x=1&digest={DIGEST}"),
        ("https://storage.example/b?sig=a%2F", f"https://storage.example/b?sig=a%2F&digest={DIGEST}"),
        ("//storage.example/b", f"https://storage.example/b?digest={DIGEST}"),
    ],
)
def test_a_location_is_used_as_it_was_given(file: Path, location: str, put: str) -> None:
    repository, wire = anonymous(taking(location))
    repository.upload(file)
    assert wire.urls[-1] == put


@pytest.mark.parametrize(
    "location", [None, "", "http://", "ftp://x.example/", "https://user:pw@x.example/", "https://x.example/ y", "\x1b[2J"]
)
def test_no_location_that_is_one_is_an_error_at_once(file: Path, location: str | None) -> None:
    repository, wire = anonymous(taking(location))
    with pytest.raises(RegistryError, match="Location") as caught:
        repository.upload(file)
    # Once as a mount, which may fail as it likes.
    assert [request.method for request in wire.sent] == ["HEAD", "POST", "POST"]
    assert "pw" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("credential_sent", [True, False])
def test_a_foreign_origin_gets_no_secret(file: Path, credential_sent: bool) -> None:
    plain = taking("https://storage.example/b?sig=s")

    def answer(request: Request) -> Answer:
        if credential_sent and request.url.origin.host == HOST and not request.header("authorization"):
            return 401, {"www-authenticate": "Basic realm=x", "set-cookie": f"session={CANARY}"}, b""
        return plain(request)

    wire = Wire(answer)
    client = Client(robot(Basic("robot", CANARY)), transport=wire, sleep=at_once)
    client.repository(f"{HOST}/{REPOSITORY}").upload(file)
    foreign = [request for request in wire.sent if request.url.origin.host != HOST]
    assert len(foreign) == 1
    assert {name for name, _ in foreign[0].headers} == {"user-agent", "accept-encoding", "content-type"}


@pytest.mark.parametrize(
    "challenge", ["Basic realm=give", f'Bearer realm="https://{HOST}/token"', 'Bearer realm="https://storage.example/t"']
)
def test_a_foreign_origins_challenge_is_not_answered(file: Path, challenge: str) -> None:
    plain = taking("https://storage.example/b")

    def answer(request: Request) -> Answer:
        return plain(request) if request.url.origin.host == HOST else (401, {"www-authenticate": challenge}, b"")

    wire = Wire(answer)
    client = Client(robot(Basic("robot", CANARY)), transport=wire, sleep=at_once)
    with pytest.raises(RegistryError):
        client.repository(f"{HOST}/{REPOSITORY}").upload(file)
    assert not any("authorization" in dict(request.headers) for request in wire.sent)
    assert not any("token" in url or url.endswith("/t") for url in wire.urls)


@pytest.mark.parametrize(
    "location",
    [
        "http://storage.example/b",
        f"http://{HOST}{SESSION}",
        "https://169.254.169.254/latest/meta-data/",
        "https://10.0.0.1/b",
        "https://127.0.0.1/b",
        "https://localhost/b",
        "https://[::1]/b",
        "https://[::ffff:169.254.169.254]/",
        "https://2130706433/b",
        "https://168.63.129.16/",
    ],
)
def test_no_location_leads_into_somebodys_network_or_out_of_tls(file: Path, location: str) -> None:
    repository, wire = anonymous(taking(location))
    with pytest.raises((RealmRefused, RegistryError)):
        repository.upload(file)
    assert {str(request.url.origin) for request in wire.sent} == {f"https://{HOST}"}


def test_an_upload_store_that_refuses_any_authorization_is_filled(simulator: RegistrySimulator, file: Path) -> None:
    simulator.features = Features(upload_store="https://storage.example/up/", upload_state=True)
    app(simulator).upload(file)
    assert holds(simulator)


def test_201_to_a_post_that_mounts_nothing_is_no_session(file: Path) -> None:
    repository, wire = anonymous(lambda request: (404 if request.method == "HEAD" else 201, {}, b""))
    with pytest.raises(RegistryError, match="201"):
        repository.upload(file)
    assert [request.method for request in wire.sent] == ["HEAD", "POST", "POST"]


# Mounts.

OTHER = Repository.parse(f"{HOST}/team/other")


def test_a_mount_sends_nothing(open_registry: RegistrySimulator, repository: RepositoryClient, file: Path) -> None:
    open_registry.shelf.add_blob(CONTENT, repository="team/other")
    repository.upload(file, mount_from=OTHER)
    assert holds(open_registry)
    assert methods(open_registry) == ["HEAD", "POST"]
    assert f"mount={DIGEST}&from=team/other" in open_registry.requests[-1].url.target


def test_a_mount_that_opens_a_session_is_filled(open_registry: RegistrySimulator, repository: RepositoryClient, file: Path) -> None:
    open_registry.features = Features(mount="never")
    repository.upload(file, mount_from=OTHER)
    assert holds(open_registry)
    assert methods(open_registry) == ["HEAD", "POST", "PUT"]


@pytest.mark.parametrize("status", [202, 400, 401, 403, 404, 405, 500])
def test_a_mount_that_fails_is_an_ordinary_upload(file: Path, status: int) -> None:
    """202 without a Location, too."""
    plain = taking(SESSION)
    repository, wire = anonymous(lambda request: (status, {}, b"") if "mount=" in request.url.target else plain(request))
    repository.upload(file, mount_from=OTHER)
    assert [request.method for request in wire.sent] == ["HEAD", "POST", "POST", "PUT"]


def test_a_mount_whose_connection_breaks_is_an_ordinary_upload(
    open_registry: RegistrySimulator, repository: RepositoryClient, file: Path
) -> None:
    open_registry.inject(faults.no_answer("mount="))
    repository.upload(file, mount_from=OTHER)
    assert holds(open_registry)


def test_nothing_is_mounted_across_registries(open_registry: RegistrySimulator, repository: RepositoryClient, file: Path) -> None:
    repository.upload(file, mount_from=Repository.parse("elsewhere.example/team/other"))
    assert not any("from=" in request.url.target for request in open_registry.requests)
    assert methods(open_registry) == ["HEAD", "POST", "PUT"]


def test_a_mount_asks_for_a_token_that_may_pull_there(simulator: RegistrySimulator, file: Path) -> None:
    simulator.shelf.add_blob(CONTENT, repository="team/other")
    app(simulator).upload(file, mount_from=OTHER)
    assert holds(simulator)
    assert "PUT" not in methods(simulator)
    assert any("team/other%3Apull" in r.url.target or "team/other:pull" in r.url.target for r in simulator.requests)


def test_without_the_right_to_pull_there_it_is_sent(file: Path) -> None:
    rights = {"robot": {REPOSITORY: ["pull", "push"]}}
    simulator = RegistrySimulator(accounts={"robot": "right"}, rights=rights)
    simulator.shelf.add_blob(CONTENT, repository="team/other")
    app(simulator).upload(file, mount_from=OTHER)
    assert holds(simulator)
    assert methods(simulator)[-1] == "PUT"


# Broken connections.


@pytest.mark.parametrize("state", [False, True])
@pytest.mark.parametrize("after", [2, 1000, len(CONTENT) - 1])
def test_a_put_that_was_cut_goes_on_where_it_broke(
    open_registry: RegistrySimulator, repository: RepositoryClient, file: Path, after: int, state: bool
) -> None:
    open_registry.features = Features(upload_state=state)
    open_registry.interfere(faults.cut_upload("^PUT", after, times=1))
    repository.upload(file)
    assert holds(open_registry)
    assert methods(open_registry)[:4] == ["HEAD", "POST", "PUT", "GET"]
    assert b"".join(bodies(open_registry, "PATCH")) == CONTENT[after:]
    first = next(request for request in open_registry.requests if request.method == "PATCH")
    assert first.header("content-range") == f"{after}-{len(CONTENT) - 1}"


@pytest.mark.parametrize("after", [0, 1])
def test_a_put_of_which_nothing_arrived_starts_afresh(
    open_registry: RegistrySimulator, repository: RepositoryClient, file: Path, after: int
) -> None:
    """One byte, too: ``0-0`` means none or one."""
    open_registry.interfere(faults.cut_upload("^PUT", after, times=1))
    repository.upload(file)
    assert holds(open_registry)
    assert methods(open_registry) == ["HEAD", "POST", "PUT", "GET", "HEAD", "POST", "PUT"]


def test_a_put_of_which_all_arrived_and_that_was_not_closed_is_closed(
    open_registry: RegistrySimulator, repository: RepositoryClient, file: Path
) -> None:
    open_registry.interfere(faults.cut_upload("^PUT", len(CONTENT), times=1))
    repository.upload(file)
    assert holds(open_registry)
    assert methods(open_registry) == ["HEAD", "POST", "PUT", "GET", "PUT"]
    assert bodies(open_registry, "PUT")[1] == b""


def test_a_put_whose_answer_was_lost_is_found_to_be_there(
    open_registry: RegistrySimulator, repository: RepositoryClient, file: Path
) -> None:
    def lose(request: Request, response: Response) -> Response:
        if request.method == "PUT":
            raise TransportError("cut")
        return response

    open_registry.alter(lose)
    repository.upload(file)
    assert methods(open_registry) == ["HEAD", "POST", "PUT", "GET", "HEAD"]


def test_connections_that_break_again_and_again_while_something_arrives_are_outlived(
    open_registry: RegistrySimulator, repository: RepositoryClient, file: Path, small_chunks: int
) -> None:
    open_registry.interfere(faults.cut_upload("^PUT", 700, times=1))
    open_registry.interfere(faults.cut_upload("^PATCH", 300))
    repository.upload(file)
    assert holds(open_registry)
    assert methods(open_registry).count("POST") == 1
    assert methods(open_registry).count("PATCH") > 10


@pytest.mark.parametrize("status", [429, 502, 503, 504])
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_registry_that_is_busy_for_a_moment_gets_another_try(
    open_registry: RegistrySimulator, repository: RepositoryClient, file: Path, status: int, method: str
) -> None:
    open_registry.inject(faults.server_error(f"^{method}", status=status, times=1))
    repository.upload(file)
    assert holds(open_registry)


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_registry_that_never_answers_is_given_up(
    open_registry: RegistrySimulator, repository: RepositoryClient, file: Path, method: str
) -> None:
    open_registry.inject(faults.no_answer(f"^{method}"))
    with pytest.raises(TransportError):
        repository.upload(file)
    # Three sessions; the first is asked for as a mount, too.
    assert methods(open_registry).count("POST") == 4 - (method == "PUT")


def test_500_is_no_passing_trouble(open_registry: RegistrySimulator, repository: RepositoryClient, file: Path) -> None:
    open_registry.inject(faults.server_error("^PUT"))
    with pytest.raises(RegistryError, match="500"):
        repository.upload(file)
    assert methods(open_registry).count("PUT") == 1


# Offsets.


@pytest.mark.parametrize(
    "said", ["0-99999", "0--5", "-1-5", "0-x", "x", "5-10", "0-0", "", "bytes 0-5", "0-" + "9" * 30, "0-5, 7-9", "0-5\x1b"], ids=repr
)
def test_an_offset_that_cannot_be_starts_afresh(
    open_registry: RegistrySimulator, repository: RepositoryClient, file: Path, said: str
) -> None:
    open_registry.interfere(faults.cut_upload("^PUT", 1000, times=1))
    open_registry.alter(faults.wrong_field("^GET .*uploads", "range", said))
    repository.upload(file)
    assert holds(open_registry)
    assert methods(open_registry) == ["HEAD", "POST", "PUT", "GET", "HEAD", "POST", "PUT"]


@pytest.mark.parametrize("last", [500, 1500, len(CONTENT) - 1])
def test_an_offset_that_is_a_lie_costs_a_session_and_harms_nothing(
    open_registry: RegistrySimulator, repository: RepositoryClient, file: Path, last: int
) -> None:
    open_registry.interfere(faults.cut_upload("^PUT", 1000, times=1))
    open_registry.alter(faults.wrong_offset("uploads", last, times=3))
    repository.upload(file)
    assert holds(open_registry)
    assert methods(open_registry).count("POST") <= 2


def test_a_lie_that_nobody_notices_until_the_end_costs_a_session(file: Path) -> None:
    """A registry that takes chunks anywhere, and has all bytes at the end, but not these."""
    sessions = itertools.count(1)

    def answer(request: Request) -> Answer:
        match request.method:
            case "HEAD":
                return 404, {}, b""
            case "POST":
                return 202, {"location": f"{SESSION}{next(sessions)}"}, b""
            case "PUT" if f"{SESSION}2" in request.url.target:
                return 201, {}, b""
            case "PUT" if request.upload:
                raise TransportError("cut")
            case "PUT":
                return 400, {}, b'{"errors":[{"code":"DIGEST_INVALID"}]}'
            case "GET":
                return 204, {"range": "0-2000"}, b""
        return 202, {"range": request.header("content-range").replace("2001-", "0-")}, b""

    repository, wire = anonymous(answer)
    repository.upload(file)
    assert [request.method for request in wire.sent] == ["HEAD", "POST", "PUT", "GET", "PATCH", "PUT", "POST", "PUT"]


def test_bytes_equals_in_a_range_is_read_too(open_registry: RegistrySimulator, repository: RepositoryClient, file: Path) -> None:
    open_registry.interfere(faults.cut_upload("^PUT", 1000, times=1))
    open_registry.alter(faults.wrong_field("^GET .*uploads", "range", "bytes=0-999"))
    repository.upload(file)
    assert methods(open_registry).count("POST") == 1


# Sessions that are lost.


@pytest.mark.parametrize("status_code", [(404, "BLOB_UPLOAD_UNKNOWN"), (400, "BLOB_UPLOAD_UNKNOWN"), (400, "BLOB_UPLOAD_INVALID")])
def test_a_lost_session_is_a_new_one(
    open_registry: RegistrySimulator, repository: RepositoryClient, file: Path, status_code: tuple[int, str]
) -> None:
    from registryauth.testing import answers

    lost = iter([True])
    open_registry.inject(lambda r: answers.error(r, *status_code, "gone") if r.method == "PUT" and next(lost, False) else None)
    repository.upload(file)
    assert holds(open_registry)
    assert methods(open_registry) == ["HEAD", "POST", "PUT", "POST", "PUT"]


def test_three_lost_sessions_are_an_error(open_registry: RegistrySimulator, repository: RepositoryClient, file: Path) -> None:
    from registryauth.testing import answers

    open_registry.inject(lambda r: answers.error(r, 404, "BLOB_UPLOAD_UNKNOWN", "gone") if r.method == "PUT" else None)
    with pytest.raises(RegistryError, match="lost the upload"):
        repository.upload(file)
    assert methods(open_registry).count("POST") == 3


def test_a_repository_that_may_not_be_made_is_not_found(file: Path) -> None:
    body = b'{"errors":[{"code":"NAME_UNKNOWN","message":"create it first"}]}'
    repository, wire = anonymous(lambda request: (404, {}, b"" if request.method == "HEAD" else body))
    with pytest.raises(NotFound, match="create it first"):
        repository.upload(file)
    assert len(wire.sent) == 3


# Chunks.


def refusing_large(limit: int) -> Callable[[Request], Response | None]:
    """A proxy that takes no body of more than *limit* bytes."""

    def refuse(request: Request) -> Response | None:
        return Response.of(413, [], request.url, b"<html>too large</html>") if len(request.body) > limit else None

    return refuse


@pytest.mark.parametrize("state", [False, True])
def test_what_is_too_large_goes_in_chunks(
    open_registry: RegistrySimulator, repository: RepositoryClient, file: Path, small_chunks: int, state: bool
) -> None:
    open_registry.features = Features(upload_state=state)
    open_registry.inject(refusing_large(1000))
    repository.upload(file)
    assert holds(open_registry)
    sent = bodies(open_registry, "PATCH")
    assert b"".join(sent) == CONTENT
    assert {len(chunk) for chunk in sent[:-1]} == {1000}
    ranges = [r.header("content-range") for r in open_registry.requests if r.method == "PATCH"]
    assert ranges[:2] == ["0-999", "1000-1999"]


def test_chunks_that_are_too_large_get_smaller(
    open_registry: RegistrySimulator, repository: RepositoryClient, file: Path, small_chunks: int
) -> None:
    open_registry.inject(refusing_large(260))
    repository.upload(file)
    assert holds(open_registry)


def test_a_registry_for_which_everything_is_too_large_is_given_up(
    open_registry: RegistrySimulator, repository: RepositoryClient, file: Path, small_chunks: int
) -> None:
    open_registry.inject(refusing_large(0))
    with pytest.raises(RegistryError, match="413"):
        repository.upload(file)
    assert len(open_registry.requests) < 12


def test_the_least_of_a_chunk_is_heeded(
    open_registry: RegistrySimulator, repository: RepositoryClient, file: Path, small_chunks: int
) -> None:
    open_registry.features = Features(chunk_minimum=2000)
    open_registry.inject(refusing_large(2000))
    repository.upload(file)
    assert holds(open_registry)
    assert [len(chunk) for chunk in bodies(open_registry, "PATCH")] == [2000, 2000, 1120]


def test_the_least_of_a_chunk_makes_no_chunks_of_what_goes_whole(
    open_registry: RegistrySimulator, repository: RepositoryClient, file: Path
) -> None:
    """Some registries take no chunks at all; the least is about those who send some."""
    open_registry.features = Features(chunk_minimum=2000)
    repository.upload(file)
    assert methods(open_registry) == ["HEAD", "POST", "PUT"]


@pytest.mark.parametrize("least", ["99999999999", "9" * 5000, "-1", "x", "1e3", "\u0661", "0", ""])
def test_an_absurd_least_is_bounded(
    file: Path, small_chunks: int, least: str, open_registry: RegistrySimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registryauth.client.uploads._MAX_CHUNK", 3000)
    open_registry.alter(faults.wrong_field("^POST", "oci-chunk-min-length", least))
    open_registry.inject(refusing_large(3000))
    app(open_registry).upload(file)
    assert holds(open_registry)


def test_another_offset_in_a_416_is_gone_on_from(
    open_registry: RegistrySimulator, repository: RepositoryClient, file: Path, small_chunks: int
) -> None:
    open_registry.inject(refusing_large(1000))
    open_registry.interfere(faults.refused_chunk("^PATCH", times=2))
    repository.upload(file)
    assert holds(open_registry)
    assert methods(open_registry).count("POST") == 1


def test_a_416_without_an_offset_is_asked_about(
    open_registry: RegistrySimulator, repository: RepositoryClient, file: Path, small_chunks: int
) -> None:
    open_registry.inject(refusing_large(1000))
    refusals = iter([False, False, True])
    open_registry.inject(lambda r: Response.of(416, [], r.url) if r.method == "PATCH" and next(refusals, False) else None)
    repository.upload(file)
    assert holds(open_registry)
    assert methods(open_registry).count("POST") == 1


def test_a_chunk_that_was_taken_and_forgotten_is_sent_again(
    open_registry: RegistrySimulator, repository: RepositoryClient, file: Path, small_chunks: int
) -> None:
    open_registry.inject(refusing_large(1000))
    open_registry.interfere(faults.lost_chunk("^PATCH", times=2))
    repository.upload(file)
    assert holds(open_registry)


@pytest.mark.parametrize("fault", [faults.refused_chunk("^PATCH"), faults.lost_chunk("^PATCH")])
def test_a_session_that_never_moves_is_given_up(
    open_registry: RegistrySimulator, repository: RepositoryClient, file: Path, small_chunks: int, fault: faults.Interference
) -> None:
    open_registry.inject(refusing_large(1000))
    open_registry.interfere(fault)
    with pytest.raises(RegistryError, match="lost the upload"):
        repository.upload(file)
    assert len(open_registry.requests) < 40


def test_a_session_that_goes_forth_and_back_is_given_up(file: Path, small_chunks: int) -> None:
    """Progress, 416 back to the start, the same progress: for ever, if one let it."""
    turns = itertools.count()

    def answer(request: Request) -> Answer:
        match request.method:
            case "HEAD":
                return 404, {}, b""
            case "POST":
                return 202, {"location": SESSION}, b""
            case "PUT":
                return 413, {}, b""
            case "PATCH" if next(turns) % 2:
                return 416, {"range": "0-0"}, b""
            case "PATCH":
                return 202, {"range": request.header("content-range").replace("-", "-", 1)}, b""
        return 204, {"range": "0-0"}, b""

    repository, wire = anonymous(answer)
    with pytest.raises(RegistryError, match="lost the upload"):
        repository.upload(file)
    assert len(wire.sent) < 60


def test_a_202_that_does_not_say_how_far_is_believed(file: Path, small_chunks: int) -> None:
    def answer(request: Request) -> Answer:
        match request.method:
            case "HEAD":
                return 404, {}, b""
            case "PUT":
                return (413 if request.upload else 201), {}, b""
            case "GET":
                return 404, {}, b""
        return 202, {"location": SESSION}, b""

    repository, wire = anonymous(answer)
    repository.upload(file)
    assert [r.header("content-range") for r in wire.sent if r.method == "PATCH"][-1] == f"5000-{len(CONTENT) - 1}"


def test_each_answers_location_is_the_next_requests(file: Path, small_chunks: int) -> None:
    numbers = itertools.count()

    def answer(request: Request) -> Answer:
        match request.method:
            case "HEAD":
                return 404, {}, b""
            case "PUT":
                return (413 if request.upload else 201), {}, b""
        reached = request.header("content-range").partition("-")[2] or "0"
        return 202 if request.method != "GET" else 204, {"location": f"{SESSION}?at={next(numbers)}", "range": f"0-{reached}"}, b""

    repository, wire = anonymous(answer)
    repository.upload(file)
    at = [found[1] for url in wire.urls if (found := re.search(r"at=(\d+)", url))]
    # The PUT that was too large and the question how far it came have the first.
    assert at == ["0", "0", *map(str, range(1, len(at) - 1))]


# Tokens.


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_token_that_runs_out_is_renewed_and_the_body_sent_again_from_its_start(
    simulator: RegistrySimulator, file: Path, method: str
) -> None:
    simulator.interfere(faults.expired_token(f"^{method} /v2", times=1))
    app(simulator).upload(file)
    assert holds(simulator)
    if method == "PUT":
        assert bodies(simulator, "PUT") == [CONTENT, CONTENT]


def test_a_token_that_runs_out_between_chunks_is_renewed(simulator: RegistrySimulator, file: Path, small_chunks: int) -> None:
    simulator.inject(refusing_large(1000))
    seen: set[str] = set()
    expire = faults.expired_token("^PATCH")

    def each_once(request: Request, then: faults.Then) -> Response:
        where = request.header("content-range")
        first = where not in seen
        seen.add(where)
        return expire(request, then) if first else then(request)

    simulator.interfere(each_once)
    app(simulator).upload(file)
    assert holds(simulator)
    assert len(seen - {""}) == 6
    assert methods(simulator).count("PATCH") == 12


def test_a_revoked_account_ends_an_upload(simulator: RegistrySimulator, file: Path) -> None:
    simulator.interfere(faults.expired_token("^PUT"))
    with pytest.raises((Unauthorized, Error)) as caught:
        app(simulator).upload(file)
    assert caught.value.exit_code == 4
    assert methods(simulator).count("PUT") <= 3


# Files that do not keep still.


def test_a_file_that_is_not_there_is_an_error_before_any_request(
    open_registry: RegistrySimulator, repository: RepositoryClient, tmp_path: Path
) -> None:
    for digest in (None, DIGEST):
        with pytest.raises(ContentError, match="cannot read"):
            repository.upload(tmp_path / "missing", digest)
    assert open_registry.requests == []


def test_what_is_no_plain_file_is_refused_before_it_is_read(repository: RepositoryClient, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in ("/dev/zero", tmp_path / "fifo", tmp_path):
        with pytest.raises(ContentError, match="not a plain file"):
            repository.upload(path)


@pytest.mark.parametrize("change", ["shrinks", "vanishes"])
def test_a_file_that_changes_while_it_is_sent_is_an_error_and_the_session_given_up(
    open_registry: RegistrySimulator, repository: RepositoryClient, file: Path, change: str
) -> None:
    def strike(request: Request) -> None:
        if request.method == "POST":
            if change == "vanishes":
                file.unlink()
            else:
                file.write_bytes(CONTENT[:100])

    open_registry.inject(strike)
    with pytest.raises(ContentError):
        repository.upload(file)
    assert methods(open_registry)[-1] == "DELETE"
    assert open_registry.shelf.blobs == {}


def test_of_a_file_that_grows_what_was_measured_is_sent(open_registry: RegistrySimulator, repository: RepositoryClient, file: Path) -> None:
    def grow(request: Request) -> None:
        if request.method == "POST":
            with file.open("ab") as more:
                more.write(b"more")

    open_registry.inject(grow)
    assert repository.upload(file) == DIGEST
    assert holds(open_registry)


def test_a_file_that_was_rewritten_is_refused_by_the_registry(
    open_registry: RegistrySimulator, repository: RepositoryClient, file: Path
) -> None:
    open_registry.inject(lambda request: file.write_bytes(b"x" * len(CONTENT)) and None if request.method == "POST" else None)
    with pytest.raises(RegistryError, match="DIGEST_INVALID"):
        repository.upload(file)
    assert open_registry.shelf.blobs == {}


def test_a_slice_is_that_part_of_the_file_as_often_as_it_is_asked_for(file: Path) -> None:
    part = slice_of(str(file), 10, 20)
    assert len(part) == 10
    for _ in range(2):
        assert b"".join(map(bytes, part.pieces())) == CONTENT[10:20]
    assert b"".join(map(bytes, file_body(str(file)).pieces())) == CONTENT
    assert b"".join(map(bytes, slice_of(str(file), 5, 5).pieces())) == b""


def test_an_upload_can_be_given_up_by_whoever_began_it(open_registry: RegistrySimulator, repository: RepositoryClient) -> None:
    upload = Upload(repository.client, repository.repository, DIGEST, len(CONTENT), lambda start, end: slice_of("", start, end))
    upload.cancel()
    assert open_registry.requests == []
    upload._start()
    upload.cancel()
    upload.cancel()
    assert methods(open_registry) == ["POST", "DELETE"]


def test_a_cancel_that_is_refused_is_the_registrys_business() -> None:
    repository, _ = anonymous(lambda r: (202, {"location": SESSION}, b"") if r.method == "POST" else (405, {}, b""))
    upload = Upload(repository.client, repository.repository, DIGEST, 1, lambda start, end: slice_of("", start, end))
    upload._start()
    upload.cancel()


def test_every_answer_is_closed(file: Path) -> None:
    opened, closed = [], []

    def answer(request: Request) -> Response:
        status, headers, _ = taking(SESSION)(request)
        opened.append(request.method)
        return Response(status, Headers(headers.items()), request.url, lambda _: 0, lambda: closed.append(request.method))

    repository, _ = anonymous(answer)
    repository.upload(file)
    assert closed == opened == ["HEAD", "POST", "PUT"]


def test_a_registry_gets_a_moment_to_notice_that_a_connection_broke(open_registry: RegistrySimulator, file: Path) -> None:
    """Asked at once, distribution v3 says that nothing arrived; half a second later it knows better."""
    slept: list[float] = []
    open_registry.interfere(faults.cut_upload("^PUT", 1000, times=1))
    Client(transport=open_registry.transport(), sleep=slept.append).repository(f"{HOST}/{REPOSITORY}").upload(file)
    assert slept == [0.5]
    assert holds(open_registry)
