"""To whom a client certificate is shown, and what is said when that cannot be done."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from registryauth._http import Request, open_transport
from registryauth._http.tls import explain
from registryauth._origin import Origin, Url
from registryauth.client import Client
from registryauth.digest import Digest
from registryauth.errors import ConfigurationError, TransportError

from .certificates import Authority
from .proxy import Proxy
from .raw_server import OK, Line, RawServer, forever, raw_server

Pairs = dict[str, tuple[str, str]]
HOST = "r.example"


class Road:
    """A server behind a proxy, or without one: where it is, and what to ask it with."""

    def __init__(self, host: str, server: RawServer, environ: dict[str, str], authority: Authority) -> None:
        self.host, self.server, self._environ, self._authority = host, server, environ, authority

    def fetch(self, pairs: Pairs) -> bytes:
        transport = open_transport(self._environ, ca_files={"*": self._authority.ca_file}, client_certs=pairs)
        try:
            return transport.send(Request("GET", Url.parse(f"https://{self.host}/v2/"))).read(1000)
        finally:
            transport.close()


@pytest.fixture(params=["direct", "proxy"])
def road(request: pytest.FixtureRequest, authority: Authority) -> Iterator[Road]:
    """To a server that takes nobody without a certificate."""
    if request.param == "direct":
        with raw_server(forever(), authority.server(clients=ssl.CERT_REQUIRED)) as server:
            yield Road(server.host, server, {}, authority)
        return
    with raw_server(forever(), authority.server(HOST, clients=ssl.CERT_REQUIRED)) as server, raw_server(Proxy(server)) as proxy:
        yield Road(HOST, server, {"HTTPS_PROXY": f"http://{proxy.host}"}, authority)


def test_a_host_that_requires_one_is_shown_the_one_that_was_named_for_it(road: Road, authority: Authority) -> None:
    assert road.fetch({road.host: authority.client()}) == b"ok"


def test_certificate_and_key_may_be_in_one_file(road: Road, authority: Authority, tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(b"".join(Path(file).read_bytes() for file in authority.client()))
    assert road.fetch({road.host: (str(both), "")}) == b"ok"


def test_without_one_nothing_is_sent(road: Road) -> None:
    with pytest.raises(TransportError):
        road.fetch({})
    assert road.server.requests == []


def test_one_that_was_named_for_another_host_is_not_shown(road: Road, authority: Authority) -> None:
    for other in ("other.example", f"{road.host}:1", f"x.{HOST}", "*"):
        with pytest.raises(TransportError):
            road.fetch({other: authority.client()})
    assert road.server.requests == []


def test_one_by_an_authority_that_the_server_does_not_know_is_refused(road: Road, tmp_path: Path) -> None:
    with pytest.raises(TransportError):
        road.fetch({road.host: Authority(tmp_path, "foreign").client()})
    assert road.server.requests == []


def test_an_encrypted_key_is_a_fault_of_the_configuration_and_nobody_is_asked_for_its_passphrase(road: Road, authority: Authority) -> None:
    certificate, key = authority.client(passphrase=b"canary")
    with pytest.raises(ConfigurationError, match="is encrypted") as caught:
        road.fetch({road.host: (certificate, key)})
    assert caught.value.file == key
    assert "without a passphrase" in caught.value.hint


def _swapped(authority: Authority, _: Path) -> tuple[str, str]:
    certificate, key = authority.client()
    return key, certificate


def _another_key(authority: Authority, _: Path) -> tuple[str, str]:
    return authority.client()[0], authority.client()[1]


def _no_key(authority: Authority, _: Path) -> tuple[str, str]:
    return authority.client()[0], ""


def _gone(authority: Authority, directory: Path) -> tuple[str, str]:
    return authority.client()[0], str(directory / "gone.key")


def _no_pem(_: Authority, directory: Path) -> tuple[str, str]:
    file = directory / "client.pem"
    file.write_bytes(b"nothing \x1b[2J of the kind")
    return str(file), str(file)


def _a_directory(authority: Authority, directory: Path) -> tuple[str, str]:
    return str(directory), authority.client()[1]


@pytest.mark.parametrize("make", [_swapped, _another_key, _no_key, _gone, _no_pem, _a_directory])
def test_files_that_are_no_certificate_and_its_key_are_a_fault_of_the_configuration(
    road: Road, authority: Authority, tmp_path: Path, make: Callable[[Authority, Path], tuple[str, str]]
) -> None:
    pair = make(authority, tmp_path)
    with pytest.raises(ConfigurationError) as caught:
        road.fetch({road.host: pair})
    assert caught.value.file in pair
    assert caught.value.file in caught.value.message
    assert road.server.accepted == 0


def test_the_wrong_key_is_told_from_what_is_no_key(authority: Authority) -> None:
    with raw_server(forever()) as server, pytest.raises(ConfigurationError, match="is not the key of"):
        Road(server.host, server, {}, authority).fetch({server.host: _another_key(authority, Path())})


class Passport:
    """A server that does not insist: it writes down what it was shown, and gives *answer*."""

    def __init__(self, answer: bytes = OK) -> None:
        self.answer = answer
        self.shown: list[bytes | None] = []

    def __call__(self, line: Line) -> None:
        assert isinstance(line.socket, ssl.SSLSocket)
        while line.request():
            self.shown.append(line.socket.getpeercert(binary_form=True))
            line.say(self.answer)


def test_one_transport_shows_it_to_its_host_alone(authority: Authority) -> None:
    one, other = Passport(), Passport()
    tls = authority.server(clients=ssl.CERT_OPTIONAL)
    with raw_server(one, tls) as this, raw_server(other, tls) as that:
        transport = open_transport({}, ca_files={"*": authority.ca_file}, client_certs={this.host: authority.client()})
        for host in (this.host, that.host, this.host):
            transport.send(Request("GET", Url.parse(f"https://{host}/"))).read(10)
        transport.close()
    assert all(one.shown)
    assert other.shown == [None]


def test_where_a_redirect_leads_it_is_not_shown(authority: Authority) -> None:
    storage = Passport()
    with raw_server(storage, authority.server(clients=ssl.CERT_OPTIONAL)) as there:
        away = f"HTTP/1.1 307 Away\r\nLocation: https://{there.host}/x\r\nContent-Length: 0\r\n\r\n".encode()
        registry = Passport(away)
        with raw_server(registry, authority.server(clients=ssl.CERT_REQUIRED)) as here:
            certs = {here.host: authority.client()}
            with Client(ca_files={"*": authority.ca_file}, client_certs=certs, certs_d=(), environ={}) as client:
                answer = client.repository(f"{here.host}/team/app").open(Digest.of(b"ok"))
                assert answer.read(10) == b"ok"
    assert all(registry.shown)
    assert storage.shown == [None]


@pytest.mark.parametrize(
    "reason",
    ["TLSV13_ALERT_CERTIFICATE_REQUIRED", "TLSV1_ALERT_UNKNOWN_CA", "SSLV3_ALERT_BAD_CERTIFICATE", "SSLV3_ALERT_CERTIFICATE_EXPIRED"],
)
def test_a_server_that_turns_the_certificate_down_is_told_of_as_such(reason: str) -> None:
    error = ssl.SSLError(1, reason)
    error.reason = reason
    told = explain(error, Origin("https", HOST, 443))
    assert "client certificate" in told.message
    assert "client_cert" in told.hint


def test_a_tls_1_2_server_that_wants_one_gets_a_hint(authority: Authority) -> None:
    context = authority.server(clients=ssl.CERT_REQUIRED)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with raw_server(forever(), context) as server, pytest.raises(TransportError, match="failed") as caught:
        Road(server.host, server, {}, authority).fetch({})
    assert "client certificate" in caught.value.hint
