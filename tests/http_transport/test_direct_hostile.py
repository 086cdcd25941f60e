"""Servers that lie, stall, break off and flood; and requests that must not leave at all."""

from __future__ import annotations

import gzip
import socket
import threading
import traceback
import zlib

import pytest

from registryauth._http import Request
from registryauth._http.direct import DirectTransport
from registryauth._http.tls import NotTls
from registryauth._origin import Origin, Url
from registryauth.errors import SizeMismatch, TransportError

from .raw_server import OK, Line, forever, raw_server, saying
from .test_direct import body, get

CANARY = "canary-7f3a"


def refused(transport: DirectTransport, answer: bytes) -> TransportError:
    """The error when a server says *answer* and hangs up."""
    with raw_server(saying(answer)) as server, pytest.raises(TransportError) as caught:
        body(transport.send(get(server.host)))
    assert caught.value.exit_code == 6
    assert str(caught.value).isprintable()
    return caught.value


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\n",
        b"\x00" * 100,
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 99 Low\r\n\r\n",
        b"HTTP/1.1 1000 High\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"ICY 200 OK\r\n\r\n",
        b"HTTP/1.1\r\n\r\n",
        b"220 smtp.example ESMTP\r\n",
        b"\x1b[2Jowned\r\n",
        b"HTTP/1.1 -200 OK\r\n\r\n",
    ],
    ids=repr,
)
def test_what_is_not_http_is_a_transport_error(transport: DirectTransport, answer: bytes) -> None:
    assert "cannot reach" in refused(transport, answer).message


def test_a_head_that_breaks_off_is_a_transport_error_or_has_no_body(transport: DirectTransport) -> None:
    with raw_server(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-")) as server, pytest.raises(TransportError):
        body(transport.send(get(server.host)))


def test_too_many_header_lines_are_not_read(transport: DirectTransport) -> None:
    refused(transport, b"HTTP/1.1 200 OK\r\n" + b"X-Filler: y\r\n" * 100_000 + b"\r\n")


def test_a_header_line_that_is_too_long_is_not_read(transport: DirectTransport) -> None:
    refused(transport, b"HTTP/1.1 200 OK\r\nX-Filler: " + b"y" * 1_000_000 + b"\r\n\r\n")


def test_a_status_line_that_is_too_long_is_not_read(transport: DirectTransport) -> None:
    refused(transport, b"HTTP/1.1 200 " + b"y" * 1_000_000 + b"\r\n\r\n")


@pytest.mark.parametrize("missing", [1, 99, 100])
def test_a_body_that_breaks_off_is_a_transport_error_and_its_connection_not_kept(transport: DirectTransport, missing: int) -> None:
    with raw_server(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + b"x" * (100 - missing))) as server:
        response = transport.send(get(server.host))
        with pytest.raises(TransportError, match=f"cut {missing} bytes before the end"):
            body(response)
        assert transport._idle.get(response.url.origin, []) == []


@pytest.mark.parametrize(
    "chunks",
    [
        b"",
        b"5\r\nhel",
        b"5\r\nhello\r\n",
        b"5\r\nhello\r\n3",
        b"zz\r\nhello",
        b"5 hello",
        b"FFFFFFFFFFFFFFFF\r\nx",
        b"1" * 100_000 + b"\r\nx",
    ],
    ids=lambda value: repr(value[:24]),
)
def test_chunks_that_break_off_or_make_no_sense_are_a_transport_error(transport: DirectTransport, chunks: bytes) -> None:
    error = refused(transport, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
    assert "in the middle of an answer" in error.message


def test_what_comes_after_the_announced_length_is_not_read(transport: DirectTransport) -> None:
    smuggled = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled"
    with raw_server(forever(OK + smuggled)) as server:
        assert body(transport.send(get(server.host))) == b"ok"
        assert body(transport.send(get(server.host))) == b"ok"


def test_an_informational_answer_is_not_taken_for_the_answer_to_another_request(transport: DirectTransport) -> None:
    """103 Early Hints, say: whatever we make of it, the final answer behind it must not be the next request's."""

    def talk(line: Line) -> None:
        while request := line.request():
            line.say(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
            line.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + request.split(b" ")[1][-2:])

    answers = []
    with raw_server(talk) as server:
        for target in ("/v2/aa", "/v2/bb", "/v2/cc"):
            try:
                answers.append(body(transport.send(get(server.host, target))))
            except TransportError:
                answers.append(target[-2:].encode())
    assert answers == [b"aa", b"bb", b"cc"]


@pytest.mark.parametrize("length", [b"-1", b"abc", b"5, 5", b"", b"99999999999999999999999", b"0x5"])
def test_a_length_that_is_none_does_not_confuse_the_next_request(transport: DirectTransport, length: bytes) -> None:
    with raw_server(saying(b"HTTP/1.1 200 OK\r\nContent-Length: " + length + b"\r\n\r\nhello")) as server:
        for _ in range(2):
            try:
                assert body(transport.send(get(server.host))) == b"hello"
            except (TransportError, SizeMismatch):
                assert length.isdigit()
        assert server.accepted == 2


def test_a_server_that_never_answers_is_waited_for_only_so_long(hasty: DirectTransport) -> None:
    with (
        raw_server(lambda line: (line.request(), line.request())[0] and None) as server,
        pytest.raises(TransportError, match="in time") as caught,
    ):
        hasty.send(get(server.host))
    assert caught.value.hint


def test_a_server_that_stops_in_the_middle_is_waited_for_only_so_long(hasty: DirectTransport) -> None:
    with raw_server(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", close=False)) as server:
        response = hasty.send(get(server.host))
        with pytest.raises(TransportError, match="stopped sending"):
            body(response)
        assert hasty._idle.get(response.url.origin, []) == []


def test_a_timed_out_request_is_not_sent_again(hasty: DirectTransport) -> None:
    def talk(line: Line) -> None:
        line.request()
        line.say(OK)
        line.request()
        line.request()

    with raw_server(talk) as server:
        body(hasty.send(get(server.host)))
        with pytest.raises(TransportError, match="in time"):
            hasty.send(get(server.host))
        assert server.accepted == 1


def test_nobody_listening_is_said_so(transport: DirectTransport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(TransportError, match=rf"cannot reach http://127\.0\.0\.1:{port}: .*refused") as caught:
        transport.send(get(f"127.0.0.1:{port}"))
    assert caught.value.exit_code == 6
    assert caught.value.hint
    assert not isinstance(caught.value, NotTls)


def test_a_name_that_nobody_has_is_said_so(transport: DirectTransport) -> None:
    with pytest.raises(TransportError, match=r"cannot reach http://nowhere\.invalid:5000") as caught:
        transport.send(get("nowhere.invalid:5000"))
    assert caught.value.hint


@pytest.mark.parametrize("host", ["a..b", "-", "x" * 300 + ".example", "\u0131.example", "xn--\u00e9"])
def test_a_name_that_cannot_be_one_is_a_transport_error(transport: DirectTransport, host: str) -> None:
    with pytest.raises(TransportError):
        transport.send(Request("GET", Url(Origin("http", host, 80), "/")))


def test_a_connection_that_is_reset_is_a_transport_error(transport: DirectTransport) -> None:
    def reset(line: Line) -> None:
        line.request()
        line.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        line.socket.close()

    with raw_server(reset) as server, pytest.raises(TransportError, match="cannot reach"):
        transport.send(get(server.host))


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(bytes(64 << 20))),
        ("deflate", zlib.compress(bytes(64 << 20))),
        ("GZIP", b"x"),
        ("br", b"x"),
        ("identity, gzip", b"x"),
    ],
    ids=["gzip", "deflate", "GZIP", "br", "list"],
)
def test_a_compressed_answer_is_refused_unread(transport: DirectTransport, encoding: str, packed: bytes) -> None:
    answer = f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nContent-Length: {len(packed)}\r\n\r\n".encode() + packed
    assert "compressed" in refused(transport, answer).message


def test_a_body_is_read_no_further_than_allowed(transport: DirectTransport) -> None:
    with raw_server(saying(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 10_000)) as server, pytest.raises(SizeMismatch):
        transport.send(get(server.host)).read(9_999)
    with raw_server(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")) as server, pytest.raises(SizeMismatch, match="announced"):
        transport.send(get(server.host)).read(9_999)


INJECTIONS = [
    "\r\nX-Injected: 1",
    "\nX-Injected: 1",
    "\rX-Injected: 1",
    "\x00",
    "\r\n folded",
    "\n\tfolded",
    "\x1b[2J",
    "\x7f",
    "\ud800",
    "\u0100",
]


@pytest.mark.parametrize("injection", INJECTIONS, ids=repr)
def test_no_header_value_becomes_another_header_and_no_error_shows_it(transport: DirectTransport, injection: str) -> None:
    with raw_server(forever()) as server, pytest.raises(TransportError) as caught:
        transport.send(get(server.host, authorization=f"Bearer {CANARY}{injection}"))
    assert not any(b"authorization" in request for request in server.requests)
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    assert "authorization" in caught.value.message


@pytest.mark.parametrize("name", ["x y", "x:y", "x\r\ny", "", "\u00e9", "x\x00"])
def test_no_header_name_becomes_anything_else(transport: DirectTransport, name: str) -> None:
    with raw_server(forever()) as server, pytest.raises(TransportError) as caught:
        transport.send(Request("GET", Url.parse(f"http://{server.host}/"), ((name, CANARY),)))
    assert server.requests == []
    assert CANARY not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("target", ["/ HTTP/1.1\r\nX-Injected: 1\r\n\r\n", "/a b", "/\x00", "/\u00e9", "/\x7f", "/\ud800"])
def test_no_target_becomes_another_request(transport: DirectTransport, target: str) -> None:
    with raw_server(forever()) as server, pytest.raises(TransportError):
        transport.send(Request("GET", Url(Url.parse(f"http://{server.host}/").origin, target)))
    assert server.requests == []


@pytest.mark.parametrize("method", ["GET / HTTP/1.1\r\nX: 1\r\n\r\nGET", "G\nT", "GE T", ""])
def test_no_method_becomes_another_request(transport: DirectTransport, method: str) -> None:
    with raw_server(forever()) as server, pytest.raises(TransportError):
        transport.send(Request(method, Url.parse(f"http://{server.host}/")))
    assert server.requests == []


def test_a_request_that_was_not_sent_leaves_the_connections_usable(transport: DirectTransport) -> None:
    with raw_server(forever()) as server:
        assert body(transport.send(get(server.host))) == b"ok"
        with pytest.raises(TransportError):
            transport.send(get(server.host, authorization="a\r\nb"))
        assert body(transport.send(get(server.host))) == b"ok"


def test_what_a_server_says_in_its_errors_is_fit_for_a_terminal(transport: DirectTransport) -> None:
    error = refused(transport, b"\x1b[2J\x1b]0;owned\x07 not http\r\n")
    assert "\x1b" not in error.message + error.hint


def test_a_reader_that_gives_up_early_lets_the_server_go(transport: DirectTransport) -> None:
    gone = threading.Event()

    def talk(line: Line) -> None:
        line.request()
        try:
            line.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n" + b"x" * 100_000_000)
        finally:
            gone.set()

    with raw_server(talk) as server:
        response = transport.send(get(server.host))
        for _ in response.chunks(1000):
            break
        response.close()
        assert gone.wait(5)
