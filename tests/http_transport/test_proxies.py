"""Which requests go through a proxy, which never do, and what the proxy gets to see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from registryauth._http import Request, open_transport
from registryauth._http.direct import DirectTransport
from registryauth._http.proxies import proxy_for
from registryauth._http.through_httpx import HttpxTransport
from registryauth._origin import Url
from registryauth.errors import ConfigurationError, TransportError

from .certificates import Authority
from .proxy import Proxy
from .raw_server import RawServer, forever, raw_server

PROXY = "http://proxy.example:3128"


def chosen(url: str, environ: Mapping[str, str]) -> str:
    return proxy_for(Url.parse(url).origin, environ)


@pytest.mark.parametrize(
    ("environ", "url", "proxy"),
    [
        ({}, "https://r.example/", ""),
        ({"HTTPS_PROXY": PROXY}, "https://r.example/", PROXY),
        ({"https_proxy": PROXY}, "https://r.example/", PROXY),
        ({"https_proxy": "http://lower.example", "HTTPS_PROXY": PROXY}, "https://r.example/", "http://lower.example"),
        ({"HTTPS_PROXY": PROXY}, "http://r.example/", ""),
        ({"HTTP_PROXY": PROXY}, "http://r.example/", PROXY),
        ({"HTTP_PROXY": PROXY}, "https://r.example/", ""),
        ({"ALL_PROXY": PROXY}, "https://r.example/", PROXY),
        ({"ALL_PROXY": PROXY, "HTTPS_PROXY": "http://other.example"}, "https://r.example/", "http://other.example"),
        ({"HTTPS_PROXY": "proxy.example:3128"}, "https://r.example/", PROXY),
        ({"HTTPS_PROXY": ""}, "https://r.example/", ""),
        ({"HTTP_PROXY": PROXY, "REQUEST_METHOD": "GET"}, "http://r.example/", ""),
        ({"http_proxy": PROXY, "REQUEST_METHOD": "GET"}, "http://r.example/", PROXY),
    ],
)
def test_the_variable_for_the_scheme_counts(environ: dict[str, str], url: str, proxy: str) -> None:
    assert chosen(url, environ) == proxy


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.0.0.2", "127.255.255.254", "[::1]", "registry.localhost", "LOCALHOST"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_loopback_is_never_asked_through_a_proxy(scheme: str, host: str) -> None:
    """What may go to loopback in the clear would leave this machine there."""
    environ = {"ALL_PROXY": PROXY, "HTTP_PROXY": PROXY, "HTTPS_PROXY": PROXY}
    assert chosen(f"{scheme}://{host}:5000/v2/", environ) == ""


@pytest.mark.parametrize(
    ("no_proxy", "host", "excepted"),
    [
        ("r.example", "r.example", True),
        ("r.example", "sub.r.example", True),
        ("r.example", "xr.example", False),
        ("r.example", "r.example.evil.example", False),
        (".example", "r.example", True),
        ("*.example", "r.example", True),
        ("*", "anything.example", True),
        ("a.example, r.example", "r.example", True),
        ("a.example r.example", "r.example", True),
        ("R.EXAMPLE", "r.example", True),
        ("r.example:5000", "r.example:5000", True),
        ("r.example:5000", "r.example", False),
        ("r.example:443", "r.example", True),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.0.0.0/8", "r.example", False),
        ("10.1.2.3", "10.1.2.3:5000", True),
        ("fd00::/8", "[fd00::5]", True),
        ("fd00::5", "[fd00::5]", True),
        ("[fd00::5]:5000", "[fd00::5]:5000", True),
        ("[fd00::5]:5000", "[fd00::5]", False),
        ("10.0.0.0/99, ::/x, :::, /, *", "r.example", True),
        ("", "r.example", False),
        (",,", "r.example", False),
        (".", "r.example", False),
    ],
)
def test_no_proxy_is_read_as_other_clients_read_it(no_proxy: str, host: str, excepted: bool) -> None:
    assert chosen(f"https://{host}/", {"HTTPS_PROXY": PROXY, "NO_PROXY": no_proxy}) == ("" if excepted else PROXY)


@pytest.fixture
def proxy() -> Iterator[RawServer]:
    with raw_server(Proxy()) as server:
        yield server


def fetch(environ: Mapping[str, str], url: str, ca_files: dict[str, str] | None = None) -> bytes:
    transport = open_transport(environ, ca_files=ca_files)
    try:
        return transport.send(Request("GET", Url.parse(url), (("authorization", "Bearer tok"),))).read(1000)
    finally:
        transport.close()


def test_plain_http_goes_through_the_proxy_in_absolute_form(proxy: RawServer) -> None:
    assert fetch({"HTTP_PROXY": f"http://{proxy.host}"}, "http://r.example:5000/v2/a?b=c") == b"proxied"
    assert proxy.requests[0].startswith(b"GET http://r.example:5000/v2/a?b=c HTTP/1.1\r\n")


def test_https_goes_through_a_tunnel_and_the_proxy_sees_no_header_of_ours(authority: Authority) -> None:
    with raw_server(forever(), authority.server("r.example")) as registry, raw_server(Proxy(registry)) as proxy:
        assert fetch({"https_proxy": proxy.host}, "https://r.example/v2/", {"r.example": authority.ca_file}) == b"ok"
        assert proxy.requests[0].startswith(b"CONNECT r.example:443 HTTP/1.1\r\n")
        assert b"authorization" not in proxy.requests[0].lower()
        assert b"authorization: Bearer tok" in registry.requests[0]


def test_behind_a_proxy_an_authority_is_trusted_for_its_own_host_only(authority: Authority) -> None:
    with raw_server(forever(), authority.server("r.example")) as registry, raw_server(Proxy(registry)) as proxy:
        for ca_files in ({"other.example": authority.ca_file}, {"r.example:5000": authority.ca_file}, {}):
            with pytest.raises(TransportError, match="not trusted") as caught:
                fetch({"https_proxy": proxy.host}, "https://r.example/v2/", ca_files)
            assert "--ca-file" in caught.value.hint
        assert registry.requests == []


def test_behind_a_proxy_an_authority_for_all_is_trusted(authority: Authority) -> None:
    with raw_server(forever(), authority.server("r.example")) as registry, raw_server(Proxy(registry)) as proxy:
        assert fetch({"https_proxy": proxy.host}, "https://r.example/v2/", {"*": authority.ca_file}) == b"ok"


def test_behind_a_proxy_the_certificate_must_be_the_hosts(authority: Authority) -> None:
    with raw_server(forever(), authority.server("other.example")) as registry, raw_server(Proxy(registry)) as proxy:
        with pytest.raises(TransportError, match="not trusted"):
            fetch({"https_proxy": proxy.host}, "https://r.example/v2/", {"*": authority.ca_file})
        assert registry.requests == []


def test_a_proxy_that_refuses_is_told_from_a_registry_that_does(proxy: RawServer) -> None:
    with pytest.raises(TransportError, match=r"cannot reach https://r\.example") as caught:
        fetch({"HTTPS_PROXY": f"http://{proxy.host}"}, "https://r.example/v2/")
    assert "proxy" in caught.value.hint


def test_loopback_passes_the_proxy_by(proxy: RawServer) -> None:
    with raw_server(forever()) as registry:
        assert fetch({"ALL_PROXY": f"http://{proxy.host}"}, f"http://{registry.host}/v2/") == b"ok"
    assert proxy.accepted == 0


def test_no_proxy_passes_it_by(proxy: RawServer) -> None:
    with pytest.raises(TransportError, match=r"nowhere\.invalid"):
        fetch({"HTTP_PROXY": f"http://{proxy.host}", "NO_PROXY": "invalid"}, "http://nowhere.invalid/v2/")
    assert proxy.accepted == 0


def test_the_environment_is_the_one_that_was_passed_in(proxy: RawServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "*")
    assert fetch({"HTTP_PROXY": f"http://{proxy.host}"}, "http://r.example/v2/") == b"proxied"


def test_netrc_is_never_read(proxy: RawServer, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = home / ".netrc"
    netrc.write_text("machine r.example login robot password canary\ndefault login x password canary\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    transport = open_transport({"HTTP_PROXY": f"http://{proxy.host}", "HOME": str(home), "NETRC": str(netrc)})
    transport.send(Request("GET", Url.parse("http://r.example/"))).close()
    transport.close()
    assert b"authorization" not in proxy.requests[0].lower()


def test_nothing_is_added_to_a_request_but_the_host(proxy: RawServer) -> None:
    transport = open_transport({"HTTP_PROXY": f"http://{proxy.host}"})
    transport.send(Request("GET", Url.parse("http://r.example/"), (("accept", "x/y"),))).close()
    transport.close()
    names = {line.partition(b":")[0].lower() for line in proxy.requests[0].split(b"\r\n")[1:] if line}
    assert names <= {b"accept", b"host", b"connection", b"proxy-connection"}


@pytest.mark.parametrize("value", ["ftp://proxy.example", "socks9://user:canary@proxy.example", "http://", "://", "http://pro xy\x00"])
def test_what_is_no_proxy_is_a_fault_of_the_configuration(value: str) -> None:
    with pytest.raises(ConfigurationError, match="HTTPS_PROXY") as caught:
        open_transport({"HTTPS_PROXY": value})
    assert "canary" not in repr(caught.value) + caught.value.hint
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("environ", [{}, {"HTTPS_PROXY": ""}, {"NO_PROXY": "*"}, {"PATH": "/bin"}])
def test_without_a_proxy_the_way_is_direct(environ: dict[str, str]) -> None:
    transport = open_transport(environ)
    assert isinstance(transport, DirectTransport)
    transport.close()


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"])
def test_with_one_it_is_httpxs(name: str) -> None:
    transport = open_transport({name: PROXY})
    assert isinstance(transport, HttpxTransport)
    transport.close()
