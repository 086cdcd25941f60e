"""Whom we trust, for which host, and what is said when we do not."""

from __future__ import annotations

import ssl
import warnings
from pathlib import Path

import pytest

from registryauth._http import Request
from registryauth._http.direct import DirectTransport
from registryauth._http.tls import NotTls, explain
from registryauth._origin import Origin, Url
from registryauth.errors import ConfigurationError, TransportError
from registryauth.testing import RegistrySimulator

from .certificates import Authority
from .raw_server import OK, Line, forever, raw_server, saying


def fetch(host: str, ca_files: dict[str, str] | None = None, **timeouts: float) -> bytes:
    transport = DirectTransport(ca_files=ca_files, **(timeouts or {"connect_timeout": 5.0, "read_timeout": 5.0}))
    try:
        return transport.send(Request("GET", Url.parse(f"https://{host}/v2/"))).read(1000)
    finally:
        transport.close()


def test_an_authority_that_was_named_is_trusted_for_its_host(authority: Authority) -> None:
    with raw_server(forever(), authority.server()) as server:
        assert fetch(server.host, {server.host: authority.ca_file}) == b"ok"


def test_an_authority_that_was_named_for_all_is_trusted_everywhere(authority: Authority) -> None:
    with raw_server(forever(), authority.server()) as one, raw_server(forever(), authority.server()) as other:
        for server in (one, other):
            assert fetch(server.host, {"*": authority.ca_file}) == b"ok"


def test_an_authority_that_was_named_for_one_host_is_not_trusted_for_another(authority: Authority) -> None:
    with raw_server(forever(), authority.server()) as server:
        for other in ("127.0.0.1", "127.0.0.1:1", "r.example", ""):
            with pytest.raises(TransportError, match="not trusted"):
                fetch(server.host, {other: authority.ca_file})
        assert server.requests == []


def test_one_transport_keeps_the_hosts_apart(authority: Authority, tmp_path: Path) -> None:
    other_authority = Authority(tmp_path, "other")
    with raw_server(forever(), authority.server()) as one, raw_server(forever(), other_authority.server()) as other:
        ca_files = {one.host: authority.ca_file, other.host: authority.ca_file}
        transport = DirectTransport(ca_files=ca_files)
        transport.send(Request("GET", Url.parse(f"https://{one.host}/"))).close()
        with pytest.raises(TransportError, match="not trusted"):
            transport.send(Request("GET", Url.parse(f"https://{other.host}/")))
        transport.close()


def test_a_hosts_own_authority_comes_before_that_for_all(authority: Authority, tmp_path: Path) -> None:
    other = Authority(tmp_path, "other")
    with raw_server(forever(), authority.server()) as server:
        assert fetch(server.host, {server.host: authority.ca_file, "*": other.ca_file}) == b"ok"


def test_an_unknown_authority_is_not_trusted_and_the_hint_names_the_option(authority: Authority) -> None:
    with raw_server(forever(), authority.server()) as server, pytest.raises(TransportError, match="not trusted") as caught:
        fetch(server.host)
    assert "--ca-file" in caught.value.hint
    assert caught.value.exit_code == 6
    assert not isinstance(caught.value, NotTls)


def test_nothing_is_sent_before_the_server_is_trusted(authority: Authority) -> None:
    with raw_server(forever(), authority.server()) as server:
        with pytest.raises(TransportError):
            fetch(server.host)
        assert server.requests == []


@pytest.mark.parametrize("name", ["r.example", "127.0.0.2", "localhost"])
def test_a_certificate_for_another_host_is_not_trusted(authority: Authority, name: str) -> None:
    with raw_server(forever(), authority.server(name)) as server, pytest.raises(TransportError, match="not trusted") as caught:
        fetch(server.host, {"*": authority.ca_file})
    assert "127.0.0.1" in caught.value.message
    assert not isinstance(caught.value, NotTls)


def test_an_expired_certificate_is_not_trusted(authority: Authority) -> None:
    with raw_server(forever(), authority.server(expired=True)) as server, pytest.raises(TransportError, match="expired"):
        fetch(server.host, {"*": authority.ca_file})


def test_the_common_name_is_not_the_name(authority: Authority) -> None:
    """A certificate whose CN is right and whose subjectAltName is not."""
    with raw_server(forever(), authority.server("localhost")) as server, pytest.raises(TransportError, match="not trusted"):
        fetch(server.host, {"*": authority.ca_file})


def test_tls_1_1_is_not_spoken(authority: Authority) -> None:
    context = authority.server()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with raw_server(forever(), context) as server, pytest.raises(TransportError, match=r"TLS with .* failed") as caught:
        fetch(server.host, {"*": authority.ca_file})
    assert not isinstance(caught.value, NotTls)
    assert server.requests == []


def test_tls_1_2_is_spoken(authority: Authority) -> None:
    context = authority.server()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with raw_server(forever(), context) as server:
        assert fetch(server.host, {"*": authority.ca_file}) == b"ok"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTPS request to an HTTP server.\n",
        b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=["Go", "nginx"],
)
def test_a_plain_http_server_is_recognised(answer: bytes) -> None:
    def talk(line: Line) -> None:
        line.socket.recv(65536)
        line.say(answer)

    with raw_server(talk) as server, pytest.raises(NotTls) as caught:
        fetch(server.host)
    assert "--insecure" in caught.value.hint
    assert caught.value.exit_code == 6


def test_the_simulator_on_plain_http_is_recognised() -> None:
    with RegistrySimulator().serve() as host, pytest.raises(NotTls):
        fetch(host)


def test_a_server_that_hangs_up_in_the_handshake_is_a_transport_error() -> None:
    with raw_server(lambda line: None) as server, pytest.raises(TransportError):
        fetch(server.host)


def test_a_server_that_never_answers_the_handshake_is_waited_for_only_so_long() -> None:
    def silent(line: Line) -> None:
        while line.socket.recv(65536):
            pass

    with raw_server(silent) as server, pytest.raises(TransportError, match="in time") as caught:
        fetch(server.host, connect_timeout=0.1, read_timeout=0.1)
    assert not isinstance(caught.value, NotTls)


def test_connections_are_used_again_over_tls_too(authority: Authority) -> None:
    with raw_server(forever(), authority.server()) as server:
        transport = DirectTransport(ca_files={"*": authority.ca_file})
        for _ in range(3):
            assert transport.send(Request("GET", Url.parse(f"https://{server.host}/"))).read(10) == b"ok"
        assert server.accepted == 1
        transport.close()


def test_a_tls_connection_that_was_closed_while_idle_is_replaced(authority: Authority) -> None:
    with raw_server(saying(OK), authority.server()) as server:
        transport = DirectTransport(ca_files={"*": authority.ca_file})
        for _ in range(4):
            assert transport.send(Request("GET", Url.parse(f"https://{server.host}/"))).read(10) == b"ok"
        assert len(server.requests) == 4
        transport.close()


def test_an_unknown_authority_costs_no_more_than_two_connections_each_time(authority: Authority) -> None:
    """The lean context may not know what the full one knows; after that, the full one is asked at once."""
    with raw_server(forever(), authority.server()) as server:
        transport = DirectTransport(connect_timeout=5, read_timeout=5)
        for _ in range(3):
            with pytest.raises(TransportError, match="not trusted"):
                transport.send(Request("GET", Url.parse(f"https://{server.host}/")))
        assert server.accepted <= 4
        transport.close()


def test_the_systems_authorities_are_those_that_openssl_was_told_of(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", authority.ca_file)
    with raw_server(forever(), authority.server()) as server:
        assert fetch(server.host) == b"ok"


def test_naming_an_authority_adds_it_to_the_systems(authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", authority.ca_file)
    with raw_server(forever(), authority.server()) as server:
        assert fetch(server.host, {"*": Authority(tmp_path, "other").ca_file}) == b"ok"


@pytest.mark.parametrize("content", [None, b"", b"not a certificate", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_an_authority_that_cannot_be_read_is_a_fault_of_the_configuration(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"ca\.pem") as caught:
        fetch("127.0.0.1:1", {"*": str(file)})
    assert caught.value.file == str(file)
    assert "PEM" in caught.value.hint


def test_a_tls_failure_that_nobody_foresaw_is_shown_fit_for_a_terminal() -> None:
    error = explain(ssl.SSLError(1, "weird \x1b[2J thing"), Origin("https", "r.example", 443))
    assert error.message.isprintable()
    assert "https://r.example" in error.message
