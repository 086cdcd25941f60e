"""Messages: a request and a response as values, read within bounds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registryauth._http import messages
from registryauth._http.messages import Headers, Request, Response
from registryauth._origin import Url
from registryauth.errors import SizeMismatch, TransportError

CANARY = "c4n4ry-s3cr3t"
URL = Url.parse("https://x.azurecr.io/v2/")


class Wire:
    """A body that counts what is read from it, and how often its connection is given back."""

    def __init__(self, body: bytes, piece: int = 1 << 30) -> None:
        self.rest, self.piece, self.seen, self.released = body, piece, 0, 0

    def read_into(self, buffer: memoryview) -> int:
        count = min(len(buffer), len(self.rest), self.piece)
        buffer[:count] = self.rest[:count]
        self.rest = self.rest[count:]
        self.seen += count
        return count

    def release(self) -> None:
        self.released += 1

    def response(self, *headers: tuple[str, str]) -> Response:
        return Response(200, Headers(headers), URL, self.read_into, self.release)


def test_headers_are_found_without_regard_to_case_and_kept_in_order() -> None:
    headers = Headers([("WWW-Authenticate", "Basic"), ("Www-authenticate", "Bearer"), ("Link", "")])
    assert headers.get("www-AUTHENTICATE") == "Basic"
    assert headers.all("WWW-authenticate") == ["Basic", "Bearer"]
    assert "LINK" in headers
    assert "Location" not in headers
    assert headers.get("location") == ""
    assert headers.get("location", "none") == "none"
    assert list(headers) == [("www-authenticate", "Basic"), ("www-authenticate", "Bearer"), ("link", "")]


def test_headers_show_their_names_only() -> None:
    assert repr(Headers([("Set-Cookie", CANARY)])) == "Headers(set-cookie)"


def test_a_header_set_again_replaces_the_first() -> None:
    request = Request("GET", URL, (("accept", "*/*"),)).with_header("Authorization", "a").with_header("AUTHORIZATION", "b")
    assert request.headers == (("accept", "*/*"), ("authorization", "b"))
    assert request.header("Authorization") == "b"
    assert request.header("location") == ""


def test_with_header_leaves_the_request_as_it_was() -> None:
    request = Request("GET", URL)
    assert request.with_header("a", "b") != request
    assert request.headers == ()


def test_a_request_shows_neither_headers_nor_body_nor_query() -> None:
    url = Url.parse(f"https://x.blob.core.windows.net/c/b?sig={CANARY}")
    request = Request("PUT", url, (("authorization", CANARY),), CANARY.encode())
    assert CANARY not in repr(request)
    assert "x.blob.core.windows.net/c/b" in repr(request)


def test_a_response_does_not_show_the_query_of_its_url() -> None:
    response = Response.of(200, [("authorization", CANARY)], Url.parse(f"https://x.example/a?sig={CANARY}"), CANARY.encode())
    assert repr(response) == "Response(200, 'https://x.example/a')"


@given(st.binary(max_size=300), st.integers(1, 64), st.integers(1, 64))
def test_chunks_are_the_body_in_order(body: bytes, size: int, piece: int) -> None:
    wire = Wire(body, piece)
    seen = b"".join(bytes(chunk) for chunk in wire.response().chunks(size))
    assert seen == body
    assert wire.released == 1


@given(st.binary(max_size=300), st.integers(1, 64), st.integers(1, 64))
def test_a_piece_stays_as_it_is_while_the_next_one_comes(body: bytes, size: int, piece: int) -> None:
    before, seen = memoryview(b""), b""
    for chunk in Wire(body, piece).response().chunks(size):
        seen += bytes(before)
        before = chunk
    assert seen + bytes(before) == body


def test_pieces_are_full_but_for_the_last_however_little_comes_at_a_time() -> None:
    assert [len(chunk) for chunk in Wire(b"a" * 100, piece=3).response().chunks(40)] == [40, 40, 20]


def test_what_comes_slowly_is_handed_on_before_a_piece_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(messages.time, "monotonic", lambda: now[0])
    wire = Wire(b"a" * 10, piece=1)

    def slowly(buffer: memoryview) -> int:
        now[0] += 0.1
        return wire.read_into(buffer)

    response = Response(200, Headers(), URL, slowly)
    assert [len(chunk) for chunk in response.chunks(40)] == [3, 3, 3, 1]


def test_what_came_before_a_fault_is_handed_on_before_it_is_raised() -> None:
    wire, released = Wire(b"a" * 70, piece=10), []

    def cut(buffer: memoryview) -> int:
        if not wire.rest:
            raise TransportError("the connection broke")
        return wire.read_into(buffer)

    chunks = Response(200, Headers(), URL, cut, lambda: released.append(1)).chunks(40)
    assert [len(next(chunks)) for _ in range(2)] == [40, 30]
    with pytest.raises(TransportError, match="broke"):
        next(chunks)
    assert released == [1]


@pytest.mark.parametrize("size", [0, 1, 64 * 1024, 64 * 1024 + 1, 200_000])
def test_a_body_of_exactly_the_limit_is_read_whole(size: int) -> None:
    assert Response.of(200, [("Content-Length", str(size))], URL, b"a" * size).read(size) == b"a" * size


@pytest.mark.parametrize("limit", [0, 1, 64 * 1024, 100_000])
def test_a_longer_body_is_refused_having_read_one_buffer_more_at_most(limit: int) -> None:
    wire = Wire(b"a" * 1_000_000)
    with pytest.raises(SizeMismatch, match=f"more than the {limit} bytes"):
        wire.response().read(limit)
    assert wire.seen <= limit + 64 * 1024
    assert wire.released == 1


@pytest.mark.parametrize("announced", ["11", "99999999999999999999", "9" * 5000])
def test_a_body_announced_as_too_long_is_not_read_at_all(announced: str) -> None:
    wire = Wire(b"a" * 100)
    with pytest.raises(SizeMismatch) as caught:
        wire.response(("Content-Length", announced)).read(10)
    assert len(str(caught.value)) < 200
    assert (wire.seen, wire.released) == (0, 1)


@pytest.mark.parametrize("announced", ["", "-1", "1e3", "many"])
def test_an_announcement_that_is_no_number_does_not_lift_the_limit(announced: str) -> None:
    with pytest.raises(SizeMismatch):
        Wire(b"a" * 100).response(("Content-Length", announced)).read(10)


@pytest.mark.parametrize(
    "encodings", [["gzip"], ["GZIP"], ["br"], ["identity, gzip"], ["identity", "gzip"], ["x-unknown"], [" deflate "]], ids=repr
)
def test_an_encoded_body_is_refused_unread(encodings: list[str]) -> None:
    wire = Wire(b"\x1f\x8b" * 100)
    with pytest.raises(TransportError, match="compressed"):
        wire.response(*(("Content-Encoding", encoding) for encoding in encodings)).read(1000)
    assert (wire.seen, wire.released) == (0, 1)


@pytest.mark.parametrize("encoding", ["identity", "Identity", "", " identity "])
def test_identity_is_no_encoding(encoding: str) -> None:
    assert Wire(b"body").response(("Content-Encoding", encoding)).read(10) == b"body"


def test_a_response_left_in_the_middle_gives_its_connection_back_once() -> None:
    wire = Wire(b"a" * 100, piece=10)
    with wire.response() as response:
        chunks = response.chunks()
        next(chunks)
        assert wire.released == 0
        chunks.close()
    response.close()
    assert wire.released == 1


def test_a_fault_in_the_middle_gives_the_connection_back_and_is_not_hidden() -> None:
    wire = Wire(b"")

    def fail(buffer: memoryview) -> int:
        raise TransportError("the connection broke")

    with pytest.raises(TransportError, match="broke"):
        Response(200, Headers(), URL, fail, wire.release).read(10)
    assert wire.released == 1


def test_a_response_unread_is_closed_by_its_with_block() -> None:
    wire = Wire(b"a")
    with wire.response():
        pass
    assert (wire.seen, wire.released) == (0, 1)
