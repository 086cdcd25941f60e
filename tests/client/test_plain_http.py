"""Plain http is spoken where the registry is this machine or the user said so, and only after https was tried."""

from __future__ import annotations

import pytest

from registryauth._http import Request, Response
from registryauth._http.tls import NotTls
from registryauth._origin import Url
from registryauth.client import Client
from registryauth.credentials import Basic, Pinned
from registryauth.errors import NotFound, RealmRefused, TransportError, Unauthorized
from registryauth.testing import RegistrySimulator

from .clients import CANARY, Answer, Wire, robot


def plain(answer: Answer = (404, {}, b"")) -> Wire:
    """A server that does not speak TLS."""

    def respond(request: Request) -> Answer | Response:
        if request.url.origin.scheme == "https":
            raise NotTls(request.url.origin)
        return answer

    return Wire(respond)


@pytest.mark.parametrize("host", ["localhost:5000", "127.0.0.1:5000", "127.8.8.8:5000", "[::1]:5000", "x.localhost:5000", "localhost"])
def test_loopback_is_asked_in_the_clear_after_tls(host: str) -> None:
    wire = plain()
    with pytest.raises(NotFound):
        Client(transport=wire).repository(f"{host}/app").manifest("v1")
    assert [url.partition("://")[0] for url in wire.urls] == ["https", "http"]


@pytest.mark.parametrize(
    "host",
    ["r.example", "r.example:5000", "10.0.0.1:5000", "127.0.0.1.evil.example", "localhost.evil.example:80", "evil-localhost.example"],
)
def test_no_other_is_asked_in_the_clear(host: str) -> None:
    wire = plain()
    with pytest.raises(NotTls) as caught:
        Client(robot(), transport=wire).repository(f"{host}/app").manifest("v1")
    assert "--insecure" in caught.value.hint
    assert [url.partition("://")[0] for url in wire.urls] == ["https"]


@pytest.mark.parametrize(
    ("named", "host"), [("r.example:5000", "r.example:5000"), ("r.example", "r.example"), ("R.example:80", "r.example:80")]
)
def test_one_that_was_named_insecure_is(named: str, host: str) -> None:
    wire = plain()
    with pytest.raises(NotFound):
        Client(transport=wire, insecure=[named]).repository(f"{host}/app").manifest("v1")
    assert len(wire.sent) == 2


@pytest.mark.parametrize(
    ("named", "host"),
    [("r.example", "r.example:5000"), ("r.example:5000", "r.example"), ("r.example", "sub.r.example"), ("example.com", "r.example")],
)
def test_naming_one_names_no_other(named: str, host: str) -> None:
    wire = plain()
    with pytest.raises(NotTls):
        Client(transport=wire, insecure=[named]).repository(f"{host}/app").manifest("v1")
    assert len(wire.sent) == 1


def test_a_credential_registered_for_plain_http_names_its_registry() -> None:
    pinned = Pinned(Basic("robot", CANARY), "store:1", insecure=True)
    wire = plain()
    with pytest.raises(NotFound):
        Client(lambda _: (pinned,), transport=wire).repository("r.example:5000/app").manifest("v1")
    assert len(wire.sent) == 2


@pytest.mark.parametrize("error", [TransportError("refused"), TransportError("certificate not trusted")])
def test_no_other_failure_leads_to_plain_http(error: TransportError) -> None:
    def respond(_: Request) -> Answer:
        raise error

    wire = Wire(respond)
    with pytest.raises(TransportError):
        Client(transport=wire, insecure=["r.example"]).repository("r.example/app").manifest("v1")
    assert len(wire.sent) == 1


def test_a_token_server_without_tls_does_not_bring_the_registry_down_to_plain_http() -> None:
    def respond(request: Request) -> Answer:
        if request.url.origin.port == 5001:
            raise NotTls(request.url.origin)
        return 401, {"www-authenticate": 'Bearer realm="https://localhost:5001/token"'}, b""

    wire = Wire(respond)
    pinned = Pinned(Basic("robot", CANARY), "store:1", (Url.parse("https://localhost:5001/").origin,))
    with pytest.raises(NotTls):
        Client(lambda _: (pinned,), transport=wire).repository("localhost:5000/app").manifest("v1")
    assert not any(url.startswith("http://") for url in wire.urls)


def test_what_was_found_out_is_remembered() -> None:
    wire = plain()
    repository = Client(transport=wire).repository("localhost:5000/app")
    for _ in range(3):
        with pytest.raises(NotFound):
            repository.manifest("v1")
    assert [url.partition("://")[0] for url in wire.urls] == ["https", "http", "http", "http"]


def test_a_registry_that_spoke_tls_is_not_asked_in_the_clear_later() -> None:
    answers = iter([True])

    def respond(request: Request) -> Answer:
        if next(answers, False):
            return 404, {}, b""
        raise NotTls(request.url.origin)

    wire = Wire(respond)
    repository = Client(transport=wire).repository("localhost:5000/app")
    with pytest.raises(NotFound):
        repository.manifest("v1")
    with pytest.raises(NotTls):
        repository.manifest("v1")
    assert {url.partition("://")[0] for url in wire.urls} == {"https"}


def test_loopbacks_secret_may_go_to_loopback_in_the_clear() -> None:
    simulator = RegistrySimulator(accounts={"robot": "right"})
    simulator.add_image("app", "v1")
    with simulator.serve() as host, Client(robot(), environ={}) as client:
        assert client.repository(f"{host}/app").manifest("v1").raw
    assert simulator.requests[-1].header("authorization").startswith("Bearer ")


def test_an_insecure_registrys_secret_may_go_to_it_in_the_clear_and_nowhere_else() -> None:
    def respond(request: Request) -> Answer:
        if request.url.origin.scheme == "https":
            raise NotTls(request.url.origin)
        return 401, {"www-authenticate": 'Bearer realm="http://auth.example/token"'}, b""

    wire = Wire(respond)
    with pytest.raises(RealmRefused):
        Client(robot(Basic("robot", CANARY)), transport=wire, insecure=["r.example:5000"]).repository("r.example:5000/app").manifest("v1")
    assert not any("auth.example" in url for url in wire.urls)
    basic = plain((401, {"www-authenticate": "Basic"}, b""))
    with pytest.raises(Unauthorized):
        Client(robot(), transport=basic, insecure=["r.example:5000"]).repository("r.example:5000/app").manifest("v1")
    assert [bool(request.header("authorization")) for request in basic.sent] == [False, False, True]
