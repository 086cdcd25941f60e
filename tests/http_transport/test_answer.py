"""The head of an answer, as it comes over the wire."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time

import pytest

from registryauth._http.answer import Answer
from registryauth._http.stream import HungUp, Malformed, Stream


@pytest.fixture
def answer():
    """``answer(wire, method="GET")``: the answer that *wire* begins."""
    opened = []

    def begin(wire: bytes, method: str = "GET") -> Answer:
        ours, theirs = socket.socketpair()
        opened.extend((ours, theirs))
        ours.settimeout(20)
        writing = threading.Thread(target=_write, args=(theirs, wire), daemon=True)
        writing.start()
        return Answer(Stream(ours), method)

    yield begin
    for one in opened:
        one.close()


def _write(to: socket.socket, wire: bytes) -> None:
    with contextlib.suppress(OSError):
        to.sendall(wire)
        to.shutdown(socket.SHUT_WR)


def whole(answer: Answer, size: int = 7) -> bytes:
    """The body, read *size* bytes at a time."""
    buffer, read = memoryview(bytearray(size)), bytearray()
    while count := answer.readinto(buffer):
        read += buffer[:count]
    return bytes(read)


def test_fields_come_in_order_without_the_space_around_them(answer):
    head = answer(b"HTTP/1.1 200 OK\r\nA: 1\r\nb:\t2 \r\nA:3\r\nContent-Length: 2\r\n\r\nok")
    assert list(head.fields) == [("a", "1"), ("b", "2"), ("a", "3"), ("content-length", "2")]
    assert (head.status, head.length, head.will_close, whole(head), head.ended) == (200, 2, False, b"ok", True)


def test_a_folded_field_is_one_line(answer):
    head = answer(b"HTTP/1.1 200 OK\r\nlink: <a>;\r\n  rel=next\r\ncontent-length: 0\r\n\r\n")
    assert head.fields.get("link") == "<a>; rel=next"


def test_an_interim_answer_is_passed_over(answer):
    assert answer(b"HTTP/1.1 100 Continue\r\nx: y\r\n\r\nHTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n").status == 201


@pytest.mark.parametrize(
    ("wire", "method", "length", "chunked", "closes"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", "GET", None, False, True),
        (b"HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\nx", "GET", 1, False, True),
        (b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 1\r\n\r\nx", "GET", 1, False, True),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\ncontent-length: 7\r\n\r\n0\r\n\r\n", "GET", None, True, False),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n", "HEAD", 0, False, False),
        (b"HTTP/1.1 204 No Content\r\ncontent-length: 7\r\n\r\n", "GET", 0, False, False),
        (b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n", "GET", None, False, True),
    ],
)
def test_how_the_body_ends(answer, wire, method, length, chunked, closes):
    head = answer(wire, method)
    assert (head.length, head.chunked, head.will_close) == (length, chunked, closes)


@pytest.mark.parametrize(
    "wire",
    [
        b"HTTP/1.1 200 OK\r\ncontent-le",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n",
        b"HTTP/1.1 200 OK\r\nname : value\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n folded from nothing\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\na: " + b"b" * 70_000,
    ],
)
def test_what_is_no_head_is_refused(answer, wire):
    with pytest.raises(Malformed):
        answer(wire)


def test_nothing_at_all_is_a_closed_connection(answer):
    with pytest.raises(HungUp):
        answer(b"")


def test_blanks_without_end_are_read_in_one_go(answer):
    # A pattern with a blank run at its end goes over it again from each of its places; this would not come back for hours.
    runs = b"".join(b"x-%d: a%sb\r\n" % (number, b" " * 60_000) for number in range(2))
    head = answer(b"HTTP/1.1 200 OK\r\n" + runs + b"content-length: 0\r\n\r\n")
    assert head.fields.get("x-0").endswith(" b")


@pytest.mark.parametrize(
    "line", [b"no colon\r\n", b": nameless\r\n", b"a b: c\r\n", b"a\r: c\r\n", b"a: b\rc: d\r\n", b" folded first\r\n"]
)
def test_what_is_no_field_is_refused(answer, line):
    with pytest.raises(Malformed):
        answer(b"HTTP/1.1 200 OK\r\n" + line + b"content-length: 0\r\n\r\n")


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize(
    ("head", "body", "read", "ended"),
    [
        (b"content-length: 5\r\n\r\n", b"helloX", b"hello", True),
        (b"\r\n", b"hello", b"hello", True),
        (b"transfer-encoding: chunked\r\n\r\n", b"2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\nX", b"hello", True),
        (b"transfer-encoding: chunked\r\n\r\n", b"A\nhellohello\n0\nt: railer\n\n", b"hellohello", True),
        (b"transfer-encoding: chunked\r\n\r\n", b"00000\r\n\r\n", b"", True),
        (b"content-length: 0\r\n\r\n", b"", b"", True),
    ],
)
def test_the_body_is_read_to_its_end_and_no_further(answer, head, body, read, ended, size):
    made = answer(b"HTTP/1.1 200 OK\r\n" + head + body)
    assert whole(made, size) == read
    assert made.ended == ended
    assert made.readinto(memoryview(bytearray(5))) == 0


@pytest.mark.parametrize("sent", range(5))
def test_a_body_that_is_cut_says_how_much_is_missing(answer, sent):
    made = answer(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n" + b"hello"[:sent])
    assert whole(made) == b"hello"[:sent]
    assert (made.ended, made.length) == (False, 5 - sent)


@pytest.mark.parametrize(
    "chunks",
    [
        b"-1\r\nx", b"+1\r\nx\r\n", b"0x1\r\nx\r\n", b"1_0\r\nx", b"\r\n", b" \r\n", b"1" * 16 + b"\r\n", b"1" * 5000,
        b"1\r\nxx\r\n0\r\n\r\n",
        b"5\r\nhel", b"5\r\nhello", b"1\r\nx\r\n", b"0\r\n", b"0\r\n" + b"t: x\r\n" * 200, b"\xd9\xa1\r\nx\r\n",
    ],
)  # fmt: skip
def test_chunks_that_are_none_are_refused(answer, chunks):
    made = answer(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + chunks)
    with pytest.raises(Malformed):
        whole(made)


def test_a_head_in_pieces_is_the_same_wherever_it_is_cut(answer):
    wire = b"HTTP/1.1 200 OK\r\na: b\r\ncontent-length: 2\r\n\r\nok"
    for cut in range(1, len(wire)):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            theirs.sendall(wire[:cut])
            late = threading.Timer(0.002, theirs.sendall, (wire[cut:],))
            late.start()
            made = Answer(Stream(ours), "GET")
            assert (list(made.fields), whole(made)) == ([("a", "b"), ("content-length", "2")], b"ok")
            late.join()


@pytest.mark.parametrize("lengths", [(b"5", b"6"), (b"5", b"")])
def test_two_lengths_are_none(answer, lengths):
    fields = b"".join(b"content-length: %s\r\n" % length for length in lengths)
    with pytest.raises(Malformed):
        answer(b"HTTP/1.1 200 OK\r\n" + fields + b"\r\nhello")


def test_the_same_length_twice_is_one(answer):
    assert whole(answer(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\nok")) == b"ok"


@pytest.mark.parametrize(
    ("head", "closes"),
    [
        (b"HTTP/1.1 200 OK\r\nconnection: Close", True),
        (b"HTTP/1.1 200 OK\r\nconnection: x, close", True),
        (b"HTTP/1.1 200 OK\r\nconnection: closed-captions", False),
        (b"HTTP/1.0 200 OK\r\nconnection: keep-alive", False),
        (b"HTTP/1.0 200 OK", True),
    ],
)
def test_when_the_connection_ends_with_it(answer, head, closes):
    assert answer(head + b"\r\ncontent-length: 0\r\n\r\n").will_close is closes


def test_very_many_chunks_of_one_byte_are_read_in_seconds(answer):
    made = answer(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 200_000 + b"0\r\n\r\n")
    start = time.monotonic()
    assert len(whole(made, 65536)) == 200_000
    # What is read ahead is not copied for each of them, which would take minutes.
    assert time.monotonic() - start < 20


def test_what_is_read_ahead_is_known_of(answer):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokmore")
        stream = Stream(ours)
        assert whole(Answer(stream, "GET")) == b"ok"
        assert stream.is_ahead


def test_a_head_without_an_end_is_read_no_further_than_so(answer):
    """The server goes on talking and hangs up never."""
    with pytest.raises(Malformed, match="more than"):
        answer(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 1_000_000)


@pytest.mark.parametrize("chunked", [False, True])
def test_what_came_before_a_connection_broke_is_handed_on(chunked):
    """A reset, not an end: what is read of it must not be lost with it, however much was asked for."""
    fields = "transfer-encoding: chunked\r\n\r\n8\r\n" if chunked else "content-length: 8\r\n\r\n"
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as ours:
        ours.settimeout(20)
        theirs, _ = listener.accept()
        theirs.sendall(f"HTTP/1.1 200 OK\r\n{fields}".encode())
        head = Answer(Stream(ours), "GET")
        theirs.sendall(b"12345")
        time.sleep(0.05)
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        theirs.close()
        buffer = memoryview(bytearray(100))
        assert bytes(buffer[: head.readinto(buffer)]) == b"12345"
        for _ in range(2):
            with pytest.raises((OSError, Malformed)):
                head.readinto(buffer)


@pytest.mark.parametrize(
    ("fields", "before", "after"),
    [
        (b"content-length: 6\r\n\r\n", b"", b""),
        (b"transfer-encoding: chunked\r\n\r\n", b"2\r\n", b"\r\n"),
        (b"transfer-encoding: chunked\r\n\r\n6\r\n", b"", b""),
    ],
)
def test_what_comes_slowly_is_handed_on_before_all_of_it_is_there(monkeypatch, fields, before, after):
    monkeypatch.setattr("registryauth._http.stream.PATIENCE", 0)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(20)
        theirs.sendall(b"HTTP/1.1 200 OK\r\n" + fields)
        head = Answer(Stream(ours), "GET")
        buffer = memoryview(bytearray(100))
        for piece in (b"12", b"34"):
            theirs.sendall(before + piece + after)
            assert bytes(buffer[: head.readinto(buffer)]) == piece
