"""The head of an answer, as it comes over the wire."""

from __future__ import annotations

import http.client
import socket

import pytest

from registryauth._http.answer import Answer


@pytest.fixture
def answer():
    """``answer(wire, method="GET")``: the answer that *wire* begins."""
    opened = []

    def begin(wire: bytes, method: str = "GET") -> Answer:
        ours, theirs = socket.socketpair()
        theirs.sendall(wire)
        theirs.close()
        made = Answer(ours, method=method)
        opened.extend((made, ours))
        made.begin()
        return made

    yield begin
    for one in opened:
        one.close()


def test_fields_come_in_order_without_the_space_around_them(answer):
    head = answer(b"HTTP/1.1 200 OK\r\nA: 1\r\nb:\t2 \r\nA:3\r\nContent-Length: 2\r\n\r\nok")
    assert list(head.fields) == [("a", "1"), ("b", "2"), ("a", "3"), ("content-length", "2")]
    assert (head.status, head.length, head.will_close, head.read()) == (200, 2, False, b"ok")


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
    with pytest.raises(http.client.HTTPException):
        answer(wire)


def test_nothing_at_all_is_a_closed_connection(answer):
    with pytest.raises(http.client.RemoteDisconnected):
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
    with pytest.raises(http.client.HTTPException):
        answer(b"HTTP/1.1 200 OK\r\n" + line + b"content-length: 0\r\n\r\n")
