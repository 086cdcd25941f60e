"""Where a redirect may lead, and what travels along: nothing that says who we are."""

from __future__ import annotations

from pathlib import Path

import pytest

from registryauth._http import Request
from registryauth.client import Client
from registryauth.credentials import Basic, IdentityToken, RegistryToken
from registryauth.digest import Digest
from registryauth.errors import Error, RealmRefused, RegistryError, TransportError
from registryauth.testing import RegistrySimulator

from .clients import CANARY, HOST, REPOSITORY, Answer, Wire, anonymous, app, robot

CONTENT = b"the blob"
DIGEST = Digest.of(CONTENT)
STORAGE = "https://storage.example/bucket/"


def leading(location: str, content: bytes = CONTENT, status: int = 307) -> tuple[Client, Wire]:
    """A client with credentials at a Basic registry that leads its blobs to *location*, where anybody is given *content*."""

    def answer(request: Request) -> Answer:
        if str(request.url.origin) != f"https://{HOST}":
            return 200, {}, content
        if not request.header("authorization"):
            return 401, {"www-authenticate": "Basic realm=x", "set-cookie": "session=1"}, b""
        return status, {"location": location, "set-cookie": f"session={CANARY}"}, b""

    wire = Wire(answer)
    return Client(robot(Basic("robot", CANARY)), transport=wire), wire


def download(client: Client, to: Path, digest: Digest = DIGEST) -> int:
    return client.repository(f"{HOST}/{REPOSITORY}").download(digest, to / "blob")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("elsewhere", ["https://storage.example", "https://r.example:444", "https://sub.r.example"])
def test_another_origin_gets_neither_authorization_nor_cookie(tmp_path: Path, elsewhere: str, status: int) -> None:
    client, wire = leading(f"{elsewhere}/x?signature=s", status=status)
    assert download(client, tmp_path) == len(CONTENT)
    onward = wire.sent[-1]
    assert str(onward.url) == f"{elsewhere}/x?signature=s"
    assert {name for name, _ in onward.headers} <= {"accept", "accept-encoding", "user-agent"}
    assert CANARY not in "".join(value for _, value in onward.headers)


def test_the_simulators_storage_which_refuses_any_authorization_is_read(simulator: RegistrySimulator, tmp_path: Path) -> None:
    """As Azure's does, with 400 InvalidAuthenticationInfo."""
    simulator.blob_redirect = STORAGE
    digest = simulator.add_blob(CONTENT)
    for _ in range(2):
        assert app(simulator).download(digest, tmp_path / "blob") == len(CONTENT)


@pytest.mark.parametrize(
    "credential", [Basic("robot", CANARY), IdentityToken(CANARY), RegistryToken(CANARY)], ids=lambda c: type(c).__name__
)
@pytest.mark.parametrize(
    "challenge", ["Basic realm=give", f'Bearer realm="https://evil.example/token",service="{HOST}"', f'Bearer realm="https://{HOST}/token"']
)
@pytest.mark.parametrize("status", [401, 403])
def test_a_challenge_from_there_is_not_answered(
    tmp_path: Path, credential: Basic | IdentityToken | RegistryToken, challenge: str, status: int
) -> None:
    """CVE-2020-15157."""

    def answer(request: Request) -> Answer:
        if request.url.origin.host == HOST:
            return 307, {"location": "https://evil.example/blob"}, b""
        return status, {"www-authenticate": challenge + ',error="insufficient_scope"'}, b""

    wire = Wire(answer)
    with pytest.raises(RegistryError, match=r"evil\.example refused .* sent no credential") as caught:
        download(Client(robot(credential), transport=wire), tmp_path)
    assert wire.urls[1:] == ["https://evil.example/blob"]
    assert not any(CANARY in value for request in wire.sent for _, value in request.headers)
    assert caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_what_comes_from_there_is_verified(tmp_path: Path) -> None:
    client, _ = leading(STORAGE, b"evil bob")
    with pytest.raises(Error, match="what came is not"):
        download(client, tmp_path)


@pytest.mark.parametrize(
    ("location", "onward"),
    [
        ("/other", f"https://{HOST}/other"),
        ("other?x=1", f"https://{HOST}/v2/{REPOSITORY}/blobs/other?x=1"),
        ("//storage.example/x", "https://storage.example/x"),
        ("?x=1", f"https://{HOST}/v2/{REPOSITORY}/blobs/{DIGEST}?x=1"),
        ("https://storage.example/x#fragment", "https://storage.example/x"),
    ],
)
def test_a_location_may_be_relative(tmp_path: Path, location: str, onward: str) -> None:
    first = f"https://{HOST}/v2/{REPOSITORY}/blobs/{DIGEST}"
    repository, wire = anonymous(lambda request: (302, {"location": location}, b"") if str(request.url) == first else (200, {}, CONTENT))
    repository.download(DIGEST, tmp_path / "blob")
    assert wire.urls == [first, onward]


@pytest.mark.parametrize("count", [1, 5])
def test_so_many_redirects_are_followed(tmp_path: Path, count: int) -> None:
    hops = iter(range(count))
    repository, wire = anonymous(
        lambda _: (307, {"location": f"{STORAGE}{n}"}, b"") if (n := next(hops, None)) is not None else (200, {}, CONTENT)
    )
    assert repository.download(DIGEST, tmp_path / "blob") == len(CONTENT)
    assert len(wire.sent) == count + 1


def test_a_longer_chain_is_not_followed_to_its_end(tmp_path: Path) -> None:
    hops = iter(range(6))
    repository, wire = anonymous(
        lambda _: (307, {"location": f"{STORAGE}{n}"}, b"") if (n := next(hops, None)) is not None else (200, {}, CONTENT)
    )
    with pytest.raises(RegistryError, match="in circles"):
        repository.download(DIGEST, tmp_path / "blob")
    assert len(wire.sent) == 6


@pytest.mark.parametrize("location", ["", "?", f"https://{HOST}/v2/", "https://b.example/"])
def test_a_loop_ends(tmp_path: Path, location: str) -> None:
    repository, wire = anonymous(lambda _: (307, {"location": location}, b""))
    with pytest.raises(RegistryError, match=r"in circles|to nowhere"):
        repository.download(DIGEST, tmp_path / "blob")
    assert len(wire.sent) <= 6


@pytest.mark.parametrize(
    "location",
    [
        "http://storage.example/x",
        f"http://{HOST}/x",
        "https://169.254.169.254/latest/meta-data/",
        "http://169.254.169.254/",
        "https://10.0.0.1/x",
        "https://192.168.0.1/",
        "https://172.16.0.1/",
        "https://127.0.0.1/x",
        "https://localhost/x",
        "https://[::1]/x",
        "https://[fe80::1]/",
        "https://[fd12::1]/",
        "https://[::ffff:169.254.169.254]/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0.0.0.0/",
        "https://100.64.0.1/",
    ],
)
def test_no_redirect_leads_into_somebodys_network_or_out_of_tls(tmp_path: Path, location: str) -> None:
    client, wire = leading(location)
    with pytest.raises((RealmRefused, TransportError)) as caught:
        download(client, tmp_path)
    assert all(str(request.url.origin) == f"https://{HOST}" for request in wire.sent)
    assert CANARY not in str(caught.value)


def test_a_later_hop_is_held_to_the_registrys_rules_too(tmp_path: Path) -> None:
    chain = {f"https://{HOST}": STORAGE, "https://storage.example": "http://storage.example/plain"}
    repository, wire = anonymous(lambda request: (302, {"location": chain[str(request.url.origin)]}, b""))
    with pytest.raises(RealmRefused, match="plain http"):
        repository.download(DIGEST, tmp_path / "blob")
    assert wire.urls[-1] == STORAGE


@pytest.mark.parametrize(
    "location",
    [
        "file:///etc/passwd",
        "ftp://x.example/",
        "javascript:alert(1)",
        "https://user:pw@storage.example/",
        "https://storage.example\\@evil.example/",
        "https://st\u043erage.example/",
        "https://",
        "https://x.example/\r\nX: 1",
        "https://x.example/" + "a" * 9000,
        "data:,x",
    ],
    ids=lambda value: value[:24],
)
def test_a_location_that_is_none_is_not_followed_nor_quoted(tmp_path: Path, location: str) -> None:
    client, wire = leading(location)
    with pytest.raises(Error) as caught:
        download(client, tmp_path)
    assert all(str(request.url.origin) == f"https://{HOST}" for request in wire.sent)
    assert "pw" not in str(caught.value)


def test_a_signature_in_a_location_is_in_no_message(tmp_path: Path) -> None:
    def answer(request: Request) -> Answer:
        return (307, {"location": f"{STORAGE}?sig={CANARY}"}, b"") if request.url.origin.host == HOST else (403, {}, b"")

    repository, _ = anonymous(answer)
    with pytest.raises(RegistryError) as caught:
        repository.download(DIGEST, tmp_path / "blob")
    assert CANARY not in str(caught.value) + caught.value.hint


def test_the_connection_of_a_redirect_is_freed_before_it_is_followed(tmp_path: Path) -> None:
    from registryauth._http import Headers, Response

    freed: list[bool] = []

    def answer(request: Request) -> Answer | Response:
        if request.url.origin.host == HOST:
            return Response(307, Headers([("location", STORAGE)]), request.url, lambda _: 0, lambda: freed.append(True))
        assert freed == [True]
        return 200, {}, CONTENT

    repository, _ = anonymous(answer)
    repository.download(DIGEST, tmp_path / "blob")
