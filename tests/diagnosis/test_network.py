"""Names, connections and certificates as they are, over sockets of this machine."""

from __future__ import annotations

import time

import pytest

from registryauth._http.tls import NotTls, trusting
from registryauth._origin import Origin
from registryauth.diagnosis.network import Found, Network
from registryauth.errors import TransportError

from ..http_transport.certificates import Authority
from ..http_transport.proxy import Proxy
from ..http_transport.raw_server import raw_server as serve


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


def at(server, scheme="https"):
    return Origin(scheme, "127.0.0.1", server.port)


def silent(line):
    line.request()


def test_a_name_is_found_and_one_that_cannot_be_is_broken():
    assert Network().addresses("127.0.0.1", 443) == Found(("127.0.0.1",), "127.0.0.1")
    with pytest.raises(TransportError, match=r"nobody\.invalid cannot be found"):
        Network().addresses("nobody.invalid", 443)


@pytest.mark.parametrize(
    ("address", "private"), [("10.1.0.5", True), ("fd00::1", True), ("52.1.0.5", False), ("127.0.0.1", False), ("169.254.1.1", False)]
)
def test_private_addresses_are_those_of_private_networks(address, private):
    assert Found((address,)).private == ((address,) if private else ())


def test_a_closed_port_refuses():
    with serve(silent) as server:
        closed = at(server)
    with pytest.raises(TransportError, match="refuses connections"):
        Network().connect(closed, "")


def test_a_handshake_tells_the_certificate(authority):
    with serve(silent, authority.server()) as server:
        done = Network().handshake(at(server), "", trusting({"*": authority.ca_file}))
    assert done.version in ("TLSv1.2", "TLSv1.3")
    assert (done.certificate.subject, done.certificate.issuer) == ("CN=127.0.0.1", "CN=registryauth testing authority")
    assert done.certificate.names == ("127.0.0.1",)
    assert 23 * 3600 < done.certificate.not_after - time.time() <= 24 * 3600


@pytest.mark.parametrize("expired", [False, True])
def test_a_certificate_that_is_not_believed_is_shown_all_the_same(authority, expired):
    with serve(silent, authority.server(expired=expired)) as server:
        trust = trusting({"*": authority.ca_file} if expired else None)
        with pytest.raises(TransportError, match="expired" if expired else "unable to get local issuer"):
            Network().handshake(at(server), "", trust)
        shown = Network().shown(at(server), "")
    assert shown is not None
    assert (shown.not_after < time.time()) is expired


def test_what_speaks_no_tls_is_told_apart():
    with serve(lambda line: line.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as server:
        with pytest.raises(NotTls):
            Network().handshake(at(server), "", trusting())
        assert Network().shown(at(server), "") is None


def test_a_proxy_is_asked_to_connect_with_its_own_password(authority):
    with serve(silent, authority.server()) as server, serve(Proxy(server)) as proxy:
        url = f"http://me:p%40ss@127.0.0.1:{proxy.port}"
        done = Network().handshake(at(server), url, trusting({"*": authority.ca_file}))
        asked = proxy.requests[0].decode()
    assert done.certificate.subject == "CN=127.0.0.1"
    assert asked.startswith(f"CONNECT 127.0.0.1:{server.port} HTTP/1.1\r\n")
    assert "proxy-authorization: Basic bWU6cEBzcw==\r\n" in asked


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "wants a user name and a password"),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "answered 403 to CONNECT"),
        (b"SSH-2.0-nonsense\r\n\r\n", "did not answer as a proxy does"),
    ],
)
def test_a_proxy_that_does_not_let_us_through(answer, said):
    with serve(lambda line: line.request() and line.say(answer)) as proxy, pytest.raises(TransportError, match=said):
        Network().connect(Origin("https", "registry.example.com", 443), f"http://127.0.0.1:{proxy.port}")
