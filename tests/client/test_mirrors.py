"""What is read from a mirror, what never is, and what a mirror gets to see."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from pathlib import Path

import pytest

from registryauth._http import Request, Response
from registryauth.client import Client, RepositoryClient
from registryauth.client.mirrors import REST, Mirrors, mirrored
from registryauth.credentials import Basic, Pinned
from registryauth.digest import Digest
from registryauth.errors import ContentError, DigestMismatch, NotFound, SourceFailed, TransportError
from registryauth.reference import Address, Repository
from registryauth.testing import RegistrySimulator

from .clients import CANARY, HOST, REPOSITORY, at_once

LAYER = bytes(range(256)) * 40
MIRROR, SECOND = "mirror.example", "other.example:5000"

Handler = Callable[[Request], Response]


class Hosts:
    """A transport to several registries: each host is a simulator, or what answers in its place."""

    def __init__(self, **ready: Handler) -> None:
        self.at: dict[str, Handler] = dict(ready)
        self.sent: list[Request] = []

    def send(self, request: Request) -> Response:
        self.sent.append(request)
        try:
            answer = self.at[request.url.origin.netloc]
        except KeyError:
            raise TransportError(f"cannot reach {request.url.origin}: no such host") from None
        return answer(request)

    def close(self) -> None:
        pass

    def asked(self, host: str) -> list[str]:
        return [f"{r.method} {r.url.target}" for r in self.sent if r.url.origin.netloc == host]

    def seen_by(self, host: str) -> str:
        return " ".join(f"{r.url} {list(r.headers)} {r.body!r}" for r in self.sent if r.url.origin.netloc == host)


def filled(repository: str = REPOSITORY, **options: object) -> RegistrySimulator:
    simulator = RegistrySimulator(**{"anonymous_pull": True, **options})  # type: ignore[arg-type]
    image = simulator.add_image(repository, "v1", [LAYER], "linux/amd64")
    simulator.add_index(repository, "both", {"linux/amd64": image})
    return simulator


def empty() -> RegistrySimulator:
    return RegistrySimulator(anonymous_pull=True)


IMAGE = filled().add_image(REPOSITORY, "v1", [LAYER], "linux/amd64")
BLOB = Digest.of(LAYER)


@pytest.fixture
def hosts() -> Hosts:
    hosts = Hosts()
    hosts.at = {HOST: filled().handle, MIRROR: filled().handle, SECOND: filled(f"hub/{REPOSITORY}").handle}
    return hosts


def client_of(
    hosts: Hosts, *mirrors: str, for_tags: Collection[str] = (), held: Callable[[Repository], tuple[Pinned, ...]] = lambda _: ()
) -> Client:
    return Client(held, transport=hosts, sleep=at_once, mirrors={HOST: mirrors or (MIRROR,)}, mirrors_for_tags=for_tags)


def app(hosts: Hosts, *mirrors: str, **options: object) -> RepositoryClient:
    return client_of(hosts, *mirrors, **options).repository(f"{HOST}/{REPOSITORY}")  # type: ignore[arg-type]


def drain(repository: RepositoryClient) -> bytes:
    with repository.open(BLOB) as answer:
        return answer.read(1 << 20)


@pytest.mark.parametrize(
    "read",
    [
        lambda repository, to: repository.manifest(str(IMAGE)),
        lambda repository, to: repository.head(IMAGE),
        lambda repository, to: drain(repository),
        lambda repository, to: repository.download(BLOB, to / "blob"),
    ],
    ids=["manifest", "head", "open", "download"],
)
def test_what_is_asked_for_by_digest_comes_from_the_mirror(hosts: Hosts, tmp_path: Path, read: Callable[..., object]) -> None:
    assert read(app(hosts), tmp_path)
    assert hosts.asked(HOST) == []
    assert hosts.asked(MIRROR)


def test_a_mirror_with_a_prefix_has_it_below_that(hosts: Hosts) -> None:
    assert drain(app(hosts, f"{SECOND}/hub")) == LAYER
    assert f"GET /v2/hub/{REPOSITORY}/blobs/{BLOB}?ns={HOST}" in hosts.asked(SECOND)
    assert hosts.asked(HOST) == []


def test_a_mirror_is_told_whose_content_is_meant_and_the_registry_is_not(hosts: Hosts, tmp_path: Path) -> None:
    """A proxy for many registries goes by ``ns`` (specification 1.2, "Registry Proxying")."""
    repository = app(hosts)
    repository.manifest("v1")
    repository.manifest(IMAGE)
    repository.head(IMAGE)
    repository.download(BLOB, tmp_path / "layer")
    drain(repository)
    content = [line for line in hosts.asked(MIRROR) if "/v2/" in line]
    assert len(content) >= 4
    assert all(line.endswith(f"?ns={HOST}") for line in content)
    assert not any("ns=" in line for line in hosts.asked(HOST))


def test_docker_hub_is_called_by_the_name_that_people_use(tmp_path: Path) -> None:
    hosts = Hosts(**{MIRROR: filled("library/busybox").handle})
    busybox = Client(transport=hosts, mirrors={"docker.io": [MIRROR]}, mirrors_for_tags=["docker.io"], sleep=at_once)
    busybox.repository("busybox").manifest("v1")
    assert hosts.asked(MIRROR)[0] == "GET /v2/library/busybox/manifests/v1?ns=docker.io"


def test_another_path_of_the_same_registry_is_no_proxy(hosts: Hosts) -> None:
    hosts.at[HOST] = filled(f"cache/{REPOSITORY}").handle
    app(hosts, f"{HOST}/cache").manifest(IMAGE)
    assert any("/cache/" in line for line in hosts.asked(HOST))
    assert not any("ns=" in line for line in hosts.asked(HOST))


def test_mirrors_are_asked_in_order(hosts: Hosts) -> None:
    hosts.at[MIRROR] = empty().handle
    assert drain(app(hosts, MIRROR, f"{SECOND}/hub")) == LAYER
    assert list(dict.fromkeys(request.url.origin.netloc for request in hosts.sent)) == [MIRROR, SECOND]
    assert hosts.asked(HOST) == []


def status(code: int, **headers: str) -> Handler:
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return lambda request: Response.of(code, named, request.url, b"")


def cut(request: Request) -> Response:
    raise TransportError("the connection was cut", transient=True)


BASIC = 'Basic realm="x"'
FOREIGN = 'Bearer realm="https://thief.example/token",service="x"'
FAILURES = {
    "404": status(404),
    "500": status(500),
    "503": status(503),
    "429": status(429),
    "401": status(401, www_authenticate=BASIC),
    "401 without a challenge": status(401),
    "a challenge that is none": status(401, www_authenticate="Bearer"),
    "a foreign realm": status(401, www_authenticate=FOREIGN),
    "403": status(403),
    "400": status(400),
    "a redirect in circles": status(307, location="/again"),
    "a redirect into the cloud": status(307, location="http://169.254.169.254/"),
    "no connection": cut,
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
@pytest.mark.parametrize("read", ["manifest", "open", "download"])
def test_a_mirror_that_fails_is_passed_over(hosts: Hosts, tmp_path: Path, failure: Handler, read: str) -> None:
    hosts.at[MIRROR] = failure
    repository = app(hosts, held=lambda _: (Pinned(Basic("robot", "right"), "test"),) if _.registry.host == MIRROR else ())
    if read == "manifest":
        assert repository.manifest(str(IMAGE)).digest == IMAGE
    elif read == "open":
        assert drain(repository) == LAYER
    else:
        repository.download(BLOB, tmp_path / "blob")
        assert (tmp_path / "blob").read_bytes() == LAYER
    assert hosts.asked(MIRROR)
    assert hosts.asked("thief.example") == []


def test_a_token_server_that_refuses_is_a_mirrors_failure(hosts: Hosts) -> None:
    mirror = filled(anonymous_pull=False, accounts={"robot": "right"})
    hosts.at[MIRROR] = mirror.handle
    assert drain(app(hosts, held=lambda r: (Pinned(Basic("robot", "wrong"), "test"),) if r.registry.host == MIRROR else ())) == LAYER


def test_an_error_names_every_place_that_was_asked(hosts: Hosts) -> None:
    hosts.at = {HOST: empty().handle, MIRROR: empty().handle}
    with pytest.raises(NotFound, match=rf"{HOST}/{REPOSITORY}@sha256:") as caught:
        app(hosts, MIRROR, f"{SECOND}/hub").manifest(str(IMAGE))
    title, first, second = caught.value.hint.splitlines()[-3:]
    assert title == "mirrors asked before:"
    assert first.startswith(f"  {MIRROR}/{REPOSITORY}: ")
    assert "not found" in first
    assert second.startswith(f"  {SECOND}/hub/{REPOSITORY}: cannot reach")


def test_an_error_without_mirrors_speaks_of_none(hosts: Hosts) -> None:
    with pytest.raises(NotFound) as caught:
        app(hosts).manifest("absent")
    assert "mirror" not in caught.value.hint


def test_what_a_mirror_says_cannot_move_the_cursor(hosts: Hosts) -> None:
    body = json.dumps({"errors": [{"code": "X", "message": "\x1b[2Jgone"}]}).encode()
    hosts.at = {HOST: empty().handle, MIRROR: lambda request: Response.of(404, (), request.url, body)}
    with pytest.raises(NotFound) as caught:
        app(hosts).manifest(str(IMAGE))
    assert "gone" in caught.value.hint
    assert "\x1b" not in caught.value.hint


def lying(request: Request) -> Response:
    return Response.of(200, [("content-type", "application/vnd.oci.image.manifest.v1+json")], request.url, b'{"schemaVersion": 2}')


def test_wrong_content_is_not_passed_over_in_silence(hosts: Hosts, tmp_path: Path) -> None:
    hosts.at[MIRROR] = lying
    for read in (lambda: app(hosts).manifest(str(IMAGE)), lambda: app(hosts).download(BLOB, tmp_path / "blob")):
        with pytest.raises(ContentError) as caught:
            read()
        assert isinstance(caught.value, DigestMismatch)
        assert f"that came from a mirror:\n  {MIRROR}/{REPOSITORY}" in caught.value.hint
    assert list(tmp_path.iterdir()) == []
    assert hosts.asked(HOST) == []


def test_what_a_tag_stands_for_is_the_registrys_to_say(hosts: Hosts) -> None:
    repository = app(hosts)
    assert repository.manifest("v1").digest == IMAGE
    assert repository.head("v1").digest == IMAGE
    assert hosts.asked(MIRROR) == []


def test_mirrors_that_are_trusted_with_tags_are_asked_for_them(hosts: Hosts) -> None:
    repository = app(hosts, for_tags=[HOST])
    assert repository.manifest("v1").digest == IMAGE
    assert repository.head("v1").digest == IMAGE
    assert hosts.asked(HOST) == []


def test_of_an_index_by_tag_the_image_comes_from_the_mirror(hosts: Hosts) -> None:
    assert app(hosts).manifest("both", platform="linux/amd64").digest == IMAGE
    assert any(line.endswith("/manifests/both") for line in hosts.asked(HOST))
    assert not any(str(IMAGE) in line for line in hosts.asked(HOST))
    assert any(str(IMAGE) in line for line in hosts.asked(MIRROR))


@pytest.mark.parametrize(
    "act",
    [
        lambda repository, file: repository.push(b"new"),
        lambda repository, file: repository.upload(file),
        lambda repository, file: repository.put_manifest(repository.client.repository(f"{SECOND}/hub/{REPOSITORY}").manifest("v1").raw),
        lambda repository, file: repository.delete_blob(BLOB),
        lambda repository, file: repository.delete_manifest(IMAGE),
        lambda repository, file: repository.has(BLOB),
        lambda repository, file: list(repository.tags()),
        lambda repository, file: list(repository.referrers(IMAGE)),
        lambda repository, file: repository.tagged("v1"),
    ],
    ids=["push", "upload", "put_manifest", "delete_blob", "delete_manifest", "has", "tags", "referrers", "tagged"],
)
def test_writes_and_questions_about_the_registry_never_go_to_a_mirror(hosts: Hosts, tmp_path: Path, act: Callable[..., object]) -> None:
    hosts.at[HOST] = filled(accounts={"robot": "right"}).transport().send
    (tmp_path / "file").write_bytes(b"content")
    held = lambda r: (Pinned(Basic("robot", "right"), "test"),) if r.registry.host == HOST else ()  # noqa: E731
    act(app(hosts, for_tags=[HOST], held=held), tmp_path / "file")
    assert hosts.asked(HOST)
    assert hosts.asked(MIRROR) == []


def test_a_mirror_gets_the_credential_of_its_own_host_and_never_the_registrys(hosts: Hosts) -> None:
    hosts.at[HOST] = filled(accounts={"robot": CANARY}, anonymous_pull=False).handle
    mirror = filled(accounts={"reader": "the mirror's own"}, anonymous_pull=False)
    hosts.at[MIRROR] = mirror.handle
    secrets = {HOST: Basic("robot", CANARY), MIRROR: Basic("reader", "the mirror's own")}
    repository = app(hosts, held=lambda r: (Pinned(secrets[r.registry.host], f"store:{r.registry}"),))
    repository.manifest("v1")
    assert drain(repository) == LAYER
    assert any("/blobs/" in line for line in hosts.asked(MIRROR))
    ours = hosts.seen_by(HOST) + hosts.seen_by(MIRROR)
    for_registry, for_mirror = (Basic("robot", CANARY), Basic("reader", "the mirror's own"))
    assert header(for_registry) in ours, "the measure works"
    assert header(for_registry) not in hosts.seen_by(MIRROR)
    assert header(for_mirror) not in hosts.seen_by(HOST)


def header(credential: Basic) -> str:
    import base64

    return base64.b64encode(f"{credential.username}:{credential.password}".encode()).decode()


@pytest.mark.parametrize("challenge", [BASIC, f'Bearer realm="https://{MIRROR}/token",service="x"'])
def test_a_function_that_answers_for_every_host_hands_a_mirror_nothing(hosts: Hosts, challenge: str) -> None:
    """What such a function gives is meant for the registry that the client was made for."""
    hosts.at[MIRROR] = status(401, www_authenticate=challenge)
    canary = Basic("robot", CANARY)
    hosts.at[HOST] = filled(accounts={"robot": CANARY}, anonymous_pull=False).handle
    repository = app(hosts, held=lambda _: (Pinned(canary, "test"),))
    for _ in range(2):
        assert drain(repository) == LAYER
    assert header(canary) in hosts.seen_by(HOST)
    assert hosts.asked(MIRROR)
    assert header(canary) not in hosts.seen_by(MIRROR)
    assert "authorization" not in hosts.seen_by(MIRROR)


def test_a_source_that_is_broken_is_no_failure_of_the_mirrors(hosts: Hosts) -> None:
    def held(repository: Repository) -> tuple[Pinned, ...]:
        if repository.registry.host == MIRROR:
            raise SourceFailed("the helper crashed")
        return ()

    with pytest.raises(SourceFailed):
        drain(app(hosts, held=held))


@pytest.mark.parametrize(("failure", "rests"), [("503", True), ("no connection", True), ("403", True), ("404", False), ("400", False)])
def test_a_mirror_in_trouble_is_left_alone_for_a_while(hosts: Hosts, failure: str, rests: bool) -> None:
    now = [0.0]
    client = client_of(hosts)
    client.mirrors = Mirrors({HOST: [MIRROR]}, clock=lambda: now[0])
    repository = client.repository(f"{HOST}/{REPOSITORY}")
    hosts.at[MIRROR] = FAILURES[failure]
    drain(repository)
    before = len(hosts.asked(MIRROR))
    drain(repository)
    assert (len(hosts.asked(MIRROR)) == before) is rests
    if rests:
        with pytest.raises(NotFound, match=HOST) as caught:
            repository.manifest("sha256:" + "0" * 64)
        assert f"{MIRROR}/{REPOSITORY}: not asked again so soon" in caught.value.hint
    now[0] = REST
    drain(repository)
    assert len(hosts.asked(MIRROR)) > before


def breaking(request: Request) -> Response:
    """Half of the layer, and then nothing."""
    left = [LAYER[:5000]]

    def read_into(buffer: memoryview) -> int:
        if not left:
            raise TransportError("the connection broke")
        piece = left.pop()
        buffer[: len(piece)] = piece
        return len(piece)

    from registryauth._http import Headers

    return Response(200, Headers([("content-length", str(len(LAYER)))]), request.url, read_into)


def test_a_download_that_a_mirror_breaks_off_is_begun_again_elsewhere(hosts: Hosts, tmp_path: Path) -> None:
    hosts.at[MIRROR] = breaking
    app(hosts).download(BLOB, tmp_path / "blob")
    assert (tmp_path / "blob").read_bytes() == LAYER
    assert len(hosts.asked(MIRROR)) == 1


def test_who_takes_a_broken_answer_up_is_sent_elsewhere(hosts: Hosts) -> None:
    hosts.at[MIRROR] = breaking
    repository = app(hosts)
    got = bytearray()

    def take(answer: Response) -> None:
        for piece in answer.chunks():
            got.extend(piece)

    with repository.open(BLOB) as answer, pytest.raises(TransportError):
        take(answer)
    assert len(got) == 5000
    with repository.open(BLOB, len(got)) as answer:
        assert answer.status == 206
        got += answer.read(1 << 20)
    assert bytes(got) == LAYER
    assert any(line.startswith("GET") and "/blobs/" in line for line in hosts.asked(HOST))


@pytest.mark.parametrize(
    ("name", "mirror", "there"),
    [
        ("docker.io/library/ubuntu", "mirror.example", "mirror.example/library/ubuntu"),
        ("docker.io/library/ubuntu", "other:5000/prefix", "other:5000/prefix/library/ubuntu"),
        ("r.example:5000/a/b", "[fd00::5]/x/y", "[fd00::5]/x/y/a/b"),
    ],
)
def test_where_a_mirror_keeps_it(name: str, mirror: str, there: str) -> None:
    assert str(mirrored(Repository.parse(name), Address.parse(mirror))) == there


def test_a_registry_has_its_own_mirrors_and_no_others() -> None:
    mirrors = Mirrors({"index.docker.io": ["m.azureecr.io", "n.example"]}, clock=lambda: 0.0)
    hub, other = Repository.parse("docker.io/library/ubuntu"), Repository.parse("quay.io/a/b")
    assert [place.registry.host for place in mirrors.of(hub, by_digest=True)] == ["m.azureecr.io", "n.example"]
    assert mirrors.of(hub, by_digest=False) == ()
    assert mirrors.of(other, by_digest=True) == ()


def test_a_mirrors_own_mirrors_are_not_asked(hosts: Hosts) -> None:
    hosts.at[MIRROR] = empty().handle
    client = Client(transport=hosts, sleep=at_once, mirrors={HOST: [MIRROR], MIRROR: [f"{SECOND}/hub"]})
    assert drain(client.repository(f"{HOST}/{REPOSITORY}")) == LAYER
    assert hosts.asked(SECOND) == []
