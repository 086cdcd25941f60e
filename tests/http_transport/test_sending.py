"""Bodies too large to hold: sent piece by piece, as long as was said, and once."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from registryauth._http import Request
from registryauth._http.direct import DirectTransport
from registryauth._http.messages import Body
from registryauth._http.through_httpx import HttpxTransport
from registryauth._origin import Url
from registryauth.client import Client
from registryauth.client.uploads import slice_of
from registryauth.digest import Digest
from registryauth.errors import ContentError, TransportError
from registryauth.testing import Features, RegistrySimulator, faults

from .certificates import Authority
from .raw_server import OK, Line, forever, raw_server

CONTENT = bytes(range(256)) * 64
#: More than the sockets between us and a server that does not read can hold.
_FLOOD = 64 * 1024 * 1024


def body_of(content: bytes, piece: int = 1000, size: int | None = None) -> Body:
    def pieces() -> Iterator[memoryview]:
        for at in range(0, len(content), piece):
            yield memoryview(content)[at : at + piece]

    return Body(len(content) if size is None else size, pieces)


def flood(size: int = _FLOOD) -> Body:
    piece = bytes(256 * 1024)
    return Body(size, lambda: (piece for _ in range(size // len(piece))))


def put(host: str, body: Body, method: str = "PUT") -> Request:
    return Request(method, Url.parse(f"http://{host}/up"), (("content-type", "application/octet-stream"),), upload=body)


@pytest.fixture(params=["direct", "httpx"])
def either(request: pytest.FixtureRequest) -> Iterator[DirectTransport | HttpxTransport]:
    """Each of the two transports."""
    transport: DirectTransport | HttpxTransport
    if request.param == "direct":
        transport = DirectTransport(connect_timeout=5, read_timeout=5)
    else:
        transport = HttpxTransport(httpx.Client(trust_env=False, timeout=5))
    yield transport
    transport.close()


@pytest.mark.parametrize("method", ["PUT", "PATCH", "POST"])
@pytest.mark.parametrize("content", [b"", b"x", CONTENT])
def test_a_body_is_sent_whole_with_one_length_and_in_no_chunks(
    either: DirectTransport | HttpxTransport, method: str, content: bytes
) -> None:
    with raw_server(forever()) as server:
        assert either.send(put(server.host, body_of(content), method)).read(10) == b"ok"
    head, _, sent = server.requests[0].partition(b"\r\n\r\n")
    assert sent == content
    lines = head.lower().split(b"\r\n")
    assert [line for line in lines if line.startswith(b"content-length")] == [b"content-length: %d" % len(content)]
    assert b"transfer-encoding" not in head.lower()


def test_the_same_request_can_be_sent_again_from_its_start(either: DirectTransport | HttpxTransport) -> None:
    with raw_server(forever()) as server:
        request = put(server.host, body_of(CONTENT))
        for _ in range(2):
            either.send(request.with_header("x-again", "1")).close()
    assert [sent.partition(b"\r\n\r\n")[2] for sent in server.requests] == [CONTENT, CONTENT]
    assert all(sent.lower().count(b"content-length") == 1 for sent in server.requests)


@pytest.mark.parametrize(("size", "what"), [(len(CONTENT) - 1, "grew"), (len(CONTENT) + 1, "shrank"), (10, "grew"), (1 << 40, "shrank")])
def test_a_body_that_is_not_as_long_as_was_said_is_an_error_and_ends_the_connection(
    either: DirectTransport | HttpxTransport, size: int, what: str
) -> None:
    seen: list[bytes] = []

    def talk(line: Line) -> None:
        data = b""
        while piece := line.socket.recv(65536):
            data += piece
        seen.append(data)

    with raw_server(talk) as server, pytest.raises(ContentError, match=what):
        either.send(put(server.host, body_of(CONTENT, size=size)))
    assert all(len(data.partition(b"\r\n\r\n")[2]) <= size for data in seen)


def test_what_the_source_raises_comes_out_as_it_is(either: DirectTransport | HttpxTransport) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"a"
        raise ContentError("cannot read x: gone")

    def talk(line: Line) -> None:
        while line.socket.recv(65536):
            pass

    with raw_server(talk) as server, pytest.raises(ContentError, match="gone"):
        either.send(put(server.host, Body(2, pieces)))


def test_a_source_is_closed_when_the_connection_breaks(transport: DirectTransport) -> None:
    closed: list[bool] = []

    def pieces() -> Iterator[bytes]:
        try:
            while True:
                yield bytes(256 * 1024)
        finally:
            closed.append(True)

    def talk(line: Line) -> None:
        line.socket.recv(100)
        line.socket.close()

    with raw_server(talk) as server, pytest.raises(TransportError):
        transport.send(put(server.host, Body(_FLOOD, pieces)))
    assert closed == [True]


@pytest.mark.parametrize("status", [b"401 No", b"413 Large", b"500 Bad"])
def test_an_answer_that_comes_before_the_body_was_read_is_heard(either: DirectTransport | HttpxTransport, status: bytes) -> None:
    """As Go's servers do it: answer, close for writing, read on for a moment."""

    def talk(line: Line) -> None:
        line.socket.recv(1000)
        line.say(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\n\r\nno")
        line.socket.shutdown(socket.SHUT_WR)
        threading.Event().wait(0.05)

    with raw_server(talk) as server:
        response = either.send(put(server.host, flood()))
        assert response.status == int(status[:3])
        assert response.read(10) == b"no"


def test_the_connection_of_such_an_answer_is_not_used_again(transport: DirectTransport) -> None:
    def talk(line: Line) -> None:
        if line.number:
            forever()(line)
            return
        line.socket.recv(1000)
        line.say(b"HTTP/1.1 413 Large\r\nContent-Length: 0\r\n\r\n")

    with raw_server(talk) as server:
        request = put(server.host, flood())
        transport.send(request).close()
        assert transport._idle.get(request.url.origin, []) == []
        assert transport.send(put(server.host, body_of(b"x"))).read(10) == b"ok"
    assert server.accepted == 2


def test_a_kept_connection_that_breaks_in_the_middle_of_a_body_does_not_send_it_twice(transport: DirectTransport) -> None:
    """An upload that holds a part of it would hold that part twice."""

    def talk(line: Line) -> None:
        line.request()
        line.say(OK)
        line.socket.recv(100_000)
        line.socket.close()

    with raw_server(talk) as server:
        transport.send(put(server.host, body_of(b"x"))).read(10)
        with pytest.raises(TransportError) as caught:
            transport.send(put(server.host, flood()))
        assert caught.value.transient
    assert server.accepted == 1


def test_a_kept_connection_that_breaks_before_the_answer_to_a_body_does_not_either(transport: DirectTransport) -> None:
    def talk(line: Line) -> None:
        line.request()
        line.say(OK)
        line.request()

    with raw_server(talk) as server:
        transport.send(put(server.host, body_of(b"x"))).read(10)
        with pytest.raises(TransportError):
            transport.send(put(server.host, body_of(CONTENT)))
    assert len(server.requests) == 2


def test_a_kept_connection_that_was_closed_meanwhile_is_seen_to_be(transport: DirectTransport) -> None:
    gone = threading.Event()

    def talk(line: Line) -> None:
        line.request()
        line.say(OK)
        line.socket.close()
        gone.set()

    with raw_server(talk) as server:
        for _ in range(2):
            gone.clear()
            assert transport.send(put(server.host, body_of(CONTENT))).read(10) == b"ok"
            assert gone.wait(5)
    assert server.accepted == 2


def test_a_server_that_stops_reading_is_not_waited_for_for_ever(hasty: DirectTransport) -> None:
    def talk(line: Line) -> None:
        line.socket.recv(1000)
        threading.Event().wait(0.3)

    with raw_server(talk) as server, pytest.raises(TransportError, match="in time"):
        hasty.send(put(server.host, flood()))


def test_over_tls_too(authority: Authority) -> None:
    transport = DirectTransport(ca_files={"*": authority.ca_file}, connect_timeout=5, read_timeout=5)
    with raw_server(forever(), authority.server()) as server:
        request = put(server.host, body_of(CONTENT)).replace(url=Url.parse(f"https://{server.host}/up"))
        for _ in range(2):
            assert transport.send(request).read(10) == b"ok"
        transport.close()
    assert server.accepted == 1
    assert [sent.partition(b"\r\n\r\n")[2] for sent in server.requests] == [CONTENT, CONTENT]


# From end to end, over sockets.


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "blob"
    path.write_bytes(bytes(range(256)) * 40_000)
    return path


@pytest.fixture
def pushed(file: Path) -> Callable[[RegistrySimulator], RegistrySimulator]:
    """Push the file to a simulator on a socket."""

    def pushed(simulator: RegistrySimulator) -> RegistrySimulator:
        content = file.read_bytes()
        with simulator.serve() as host, Client(environ={}, sleep=lambda _: None) as client:
            client.repository(f"{host}/team/app").upload(file)
        assert simulator.shelf.blob("team/app", Digest.of(content)) == content
        return simulator

    return pushed


def test_a_file_goes_over_a_socket(pushed: Callable[[RegistrySimulator], RegistrySimulator]) -> None:
    simulator = pushed(RegistrySimulator(auth="none"))
    assert [request.method for request in simulator.requests] == ["HEAD", "POST", "PUT"]


@pytest.mark.parametrize("state", [False, True])
@pytest.mark.parametrize("after", [1, 300_000, 10_239_999])
def test_a_connection_that_is_cut_costs_what_had_not_arrived(
    pushed: Callable[[RegistrySimulator], RegistrySimulator], after: int, state: bool
) -> None:
    simulator = RegistrySimulator(auth="none", features=Features(upload_state=state))
    simulator.interfere(faults.cut_upload("^PUT", after, times=1))
    pushed(simulator)
    again = [len(request.body) for request in simulator.requests if request.method == "PATCH"]
    # Of a single byte nobody can tell whether it is there, so all of it is sent again.
    assert again == ([10_240_000 - after] if after > 1 else [])


def test_a_token_that_runs_out_over_a_socket(file: Path) -> None:
    from registryauth.credentials import Basic, Pinned

    simulator = RegistrySimulator(accounts={"robot": "right"})
    simulator.interfere(faults.expired_token("^PUT", times=1))
    content = file.read_bytes()
    with simulator.serve() as host, Client(lambda _: (Pinned(Basic("robot", "right"), "s"),), environ={}) as client:
        client.repository(f"{host}/team/app").upload(file)
    assert simulator.shelf.blob("team/app", Digest.of(content)) == content
    puts = [request for request in simulator.requests if request.method == "PUT"]
    assert [len(request.body) for request in puts] == [len(content)] * 2
    assert [[value for name, value in request.headers if name == "content-length"] for request in puts] == [[str(len(content))]] * 2


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A file that is worth having the system send it."""
    path = tmp_path / "large"
    path.write_bytes(bytes(range(256)) * 12_000)
    return path


def test_a_part_of_a_file_is_sent_to_the_byte_and_told_of(either: DirectTransport | HttpxTransport, large: Path) -> None:
    told: list[int] = []
    start, end = 1_000, 3_000_000
    with raw_server(forever()) as server:
        either.send(put(server.host, slice_of(str(large), start, end, told.append))).close()
    assert server.requests[0].partition(b"\r\n\r\n")[2] == large.read_bytes()[start:end]
    assert told == sorted(told)
    assert told[-1] == end


def _drain(line: Line) -> None:
    while line.socket.recv(65536):
        pass


def test_a_file_that_shrank_is_refused(either: DirectTransport | HttpxTransport, large: Path) -> None:
    body = slice_of(str(large), 0, large.stat().st_size)
    large.write_bytes(large.read_bytes()[:1_000_000])
    with raw_server(_drain) as server, pytest.raises(ContentError, match="shrank"):
        either.send(put(server.host, body))


def test_a_file_that_is_gone_is_named(either: DirectTransport | HttpxTransport, large: Path) -> None:
    body = slice_of(str(large), 0, large.stat().st_size)
    large.unlink()
    with raw_server(_drain) as server, pytest.raises(ContentError, match="large"):
        either.send(put(server.host, body))


def test_whoever_is_told_of_a_file_may_end_it(either: DirectTransport | HttpxTransport, large: Path) -> None:
    def stop(_: int) -> None:
        raise KeyError

    with raw_server(_drain) as server, pytest.raises(KeyError):
        either.send(put(server.host, slice_of(str(large), 0, large.stat().st_size, stop)))


def test_an_answer_that_comes_before_a_file_was_read_is_heard(either: DirectTransport | HttpxTransport, large: Path) -> None:
    def talk(line: Line) -> None:
        line.socket.recv(1000)
        line.say(b"HTTP/1.1 413 Large\r\nContent-Length: 0\r\n\r\n")
        line.socket.shutdown(socket.SHUT_WR)
        threading.Event().wait(0.05)

    os.truncate(large, _FLOOD)
    with raw_server(talk) as server, either.send(put(server.host, slice_of(str(large), 0, _FLOOD))) as response:
        assert response.status == 413
