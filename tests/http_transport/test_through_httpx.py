"""The same behaviour through an httpx client of somebody else's."""

from __future__ import annotations

import gzip
import traceback
from collections.abc import Callable, Iterator

import httpx
import pytest
import respx

from registryauth._http import Request
from registryauth._http.through_httpx import HttpxTransport
from registryauth._http.tls import NotTls
from registryauth._origin import Url
from registryauth.errors import SizeMismatch, TransportError
from registryauth.testing import RegistrySimulator

from .certificates import Authority
from .raw_server import OK, forever, raw_server, saying

CANARY = "canary-7f3a"
REQUEST = Request("GET", Url.parse("https://r.example/v2/?x=1"), (("accept", "a/b"), ("authorization", "Bearer tok")))


def over(handle: Callable[[httpx.Request], httpx.Response], **options: object) -> HttpxTransport:
    return HttpxTransport(httpx.Client(transport=httpx.MockTransport(handle), **options))  # type: ignore[arg-type]


@pytest.fixture
def real() -> Iterator[HttpxTransport]:
    with httpx.Client(timeout=5, trust_env=False) as client:
        yield HttpxTransport(client)


def test_the_request_is_what_was_asked_for_and_nothing_of_the_clients() -> None:
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    options = {"headers": {"x-of-the-client": "1"}, "cookies": {"a": "b"}, "auth": ("user", CANARY), "params": {"q": "1"}}
    over(handle, **options).send(REQUEST).close()
    assert str(seen[0].url) == "https://r.example/v2/?x=1"
    assert sorted(seen[0].headers.items()) == [("accept", "a/b"), ("authorization", "Bearer tok"), ("host", "r.example")]


def test_a_body_has_its_length() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, text=f"{request.headers['content-length']} {request.content.decode()}")

    assert over(handle).send(REQUEST.replace(method="PUT", body=b"abc")).read(100) == b"3 abc"


def test_status_headers_and_body_come_back() -> None:
    headers = [("www-authenticate", "Basic"), ("www-authenticate", "Bearer realm=x")]
    response = over(lambda _: httpx.Response(401, headers=headers, stream=httpx.ByteStream(b"no"))).send(REQUEST)
    assert response.status == 401
    assert response.headers.all("WWW-Authenticate") == ["Basic", "Bearer realm=x"]
    assert response.read(10) == b"no"


def test_an_answer_that_a_mock_has_read_already_can_be_read() -> None:
    assert over(lambda _: httpx.Response(200, json={"a": 1})).send(REQUEST).read(100) == b'{"a":1}'


def test_redirects_are_not_followed_even_if_the_client_would() -> None:
    seen: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        return httpx.Response(302, headers={"location": "https://evil.example/"})

    assert over(handle, follow_redirects=True).send(REQUEST).status == 302
    assert seen == ["https://r.example/v2/?x=1"]


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "x-unknown"])
def test_a_compressed_answer_is_refused_unread(encoding: str) -> None:
    body = httpx.ByteStream(gzip.compress(bytes(1 << 24)))
    transport = over(lambda _: httpx.Response(200, headers={"content-encoding": encoding}, stream=body))
    with pytest.raises(TransportError, match="compressed"):
        transport.send(REQUEST).read(1 << 20)


def test_a_body_is_read_no_further_than_allowed() -> None:
    pulled: list[int] = []

    def endless() -> Iterator[bytes]:
        while True:
            pulled.append(1)
            yield bytes(10_000)

    class Endless(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            return endless()

    with pytest.raises(SizeMismatch):
        over(lambda _: httpx.Response(200, stream=Endless())).send(REQUEST).read(25_000)
    assert len(pulled) < 20


def test_pieces_larger_and_smaller_than_the_buffer_are_put_together() -> None:
    class Pieces(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            return iter([b"a" * 10, b"", b"b" * 100_000, b"c"])

    response = over(lambda _: httpx.Response(200, stream=Pieces())).send(REQUEST)
    assert b"".join(map(bytes, response.chunks(7))) == b"a" * 10 + b"b" * 100_000 + b"c"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (httpx.ConnectTimeout("x"), "in time"),
        (httpx.ReadTimeout("x"), "in time"),
        (httpx.PoolTimeout("x"), "in time"),
        (httpx.ConnectError("refused \x1b[2J"), "cannot reach"),
        (httpx.RemoteProtocolError("x"), "cannot reach"),
        (httpx.ProxyError("403"), "cannot reach"),
        (httpx.UnsupportedProtocol("x"), "cannot reach"),
        (httpx.InvalidURL("x"), "cannot reach"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_httpxs_errors_become_ours(error: Exception, message: str) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(TransportError, match=message) as caught:
        over(fail).send(REQUEST)
    assert caught.value.__cause__ is error
    assert caught.value.message.isprintable()
    assert caught.value.exit_code == 6


def test_a_body_that_breaks_off_is_a_transport_error() -> None:
    class Cut(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            yield b"half"
            raise httpx.RemoteProtocolError("cut")

    with pytest.raises(TransportError, match="in the middle of an answer"):
        over(lambda _: httpx.Response(200, stream=Cut())).send(REQUEST).read(100)


@pytest.mark.parametrize("injection", ["\r\nX-Injected: 1", "\n", "\x00", "\u0100"], ids=repr)
def test_no_header_value_becomes_another_header_and_no_error_shows_it(real: HttpxTransport, injection: str) -> None:
    with raw_server(forever()) as server, pytest.raises(TransportError) as caught:
        real.send(Request("GET", Url.parse(f"http://{server.host}/"), (("authorization", f"Bearer {CANARY}{injection}"),)))
    assert server.requests == []
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_a_real_socket_gives_the_same(real: HttpxTransport) -> None:
    with raw_server(forever()) as server:
        for _ in range(3):
            assert real.send(Request("GET", Url.parse(f"http://{server.host}/"))).read(10) == b"ok"
        assert server.accepted == 1


def test_a_body_cut_on_a_real_socket_is_a_transport_error(real: HttpxTransport) -> None:
    with raw_server(saying(OK.replace(b"Content-Length: 2", b"Content-Length: 9"))) as server:
        response = real.send(Request("GET", Url.parse(f"http://{server.host}/")))
        with pytest.raises(TransportError):
            response.read(100)


def test_a_plain_http_server_is_recognised(real: HttpxTransport) -> None:
    with RegistrySimulator().serve() as host, pytest.raises(NotTls) as caught:
        real.send(Request("GET", Url.parse(f"https://{host}/v2/")))
    assert "--insecure" in caught.value.hint


def test_an_unknown_authority_is_not_trusted_and_the_hint_names_the_option(real: HttpxTransport, authority: Authority) -> None:
    with raw_server(forever(), authority.server()) as server, pytest.raises(TransportError, match="not trusted") as caught:
        real.send(Request("GET", Url.parse(f"https://{server.host}/v2/")))
    assert "--ca-file" in caught.value.hint


def test_the_simulator_is_reached_by_its_httpx_door() -> None:
    simulator = RegistrySimulator(auth="none")
    digest = simulator.add_blob(b"content")
    transport = HttpxTransport(httpx.Client(transport=simulator.httpx_transport()))
    assert transport.send(Request("GET", Url.parse(f"https://r.example/v2/app/blobs/{digest}"))).read(100) == b"content"


def test_respx_stands_in_for_a_registry(respx_mock: respx.MockRouter) -> None:
    respx_mock.get("https://r.example/v2/", params={"x": "1"}).respond(200, text="mocked")
    with httpx.Client() as client:
        assert HttpxTransport(client).send(REQUEST).read(100) == b"mocked"


def test_closing_closes_the_client() -> None:
    client = httpx.Client()
    HttpxTransport(client).close()
    assert client.is_closed
