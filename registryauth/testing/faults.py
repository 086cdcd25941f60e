"""Ready-made misbehaviour for `RegistrySimulator.inject` (before the normal answer), `.alter` (after it) and `.interfere` (around it).

Each strikes requests whose ``METHOD /path?query`` holds a match of the pattern *where*, at most *times*
times if that is given. Its return type says which of the three takes it.
"""

from __future__ import annotations

import gzip
import re
import threading
import time
from collections.abc import Callable
from typing import Protocol

from registryauth._http.messages import Headers, Request, Response
from registryauth._origin import Url
from registryauth.errors import TransportError
from registryauth.testing import answers
from registryauth.testing.uploads import arrived

Fault = Callable[[Request], Response | None]
Alteration = Callable[[Request, Response], Response]
Then = Callable[[Request], Response]


class Interference(Protocol):
    """Stands between a client and the registry, which answers when *then* is called."""

    def __call__(self, request: Request, then: Then) -> Response:
        """The answer to *request*."""
        ...


def too_many_requests(where: str, *, retry_after: str = "1", times: int | None = None) -> Fault:
    """429 with *retry_after*, seconds or an HTTP date; without the field if that is empty."""
    fields = [("retry-after", retry_after)] if retry_after else []
    return _first(where, times, lambda request: answers.error(request, 429, "TOOMANYREQUESTS", "too many requests", fields=fields))


def server_error(where: str, *, status: int = 500, times: int | None = None) -> Fault:
    """A 5xx with a body that is no JSON, as a proxy in front of a registry sends it."""
    return _first(where, times, lambda request: answers.content(request, status, "text/html", b"<html>upstream failed</html>"))


def no_answer(where: str, *, times: int | None = None) -> Fault:
    """The connection is cut before a byte of the answer."""
    return _first(where, times, _cut)


def cut_upload(where: str, after: int, *, times: int | None = None) -> Interference:
    """The connection breaks when *after* bytes of the request's body have come; what a session got of them, it keeps.

    A client on a socket may have sent the rest by then: it learns of it where it waits for the answer.
    """

    def sever(request: Request, then: Then) -> Response:
        if cut := arrived(request, request.body[:after]):
            then(cut)
        return _cut(request)

    return _around(where, times, sever)


def cut_download(where: str, after: int, *, times: int | None = None) -> Alteration:
    """The connection breaks when *after* bytes of the answer's body have gone; its head announced all of them."""

    def sever(request: Request, response: Response) -> Response:
        rest = memoryview(b"".join(answers.wire_bytes(response))[:after])

        def read_into(buffer: memoryview) -> int:
            nonlocal rest
            if not rest:
                _cut(request)
            count = min(len(buffer), len(rest))
            buffer[:count] = rest[:count]
            rest = rest[count:]
            return count

        return Response(response.status, response.headers, request.url, read_into)

    return _then(where, times, sever)


def slow(where: str, seconds: float, *, times: int | None = None, sleep: Callable[[float], None] = time.sleep) -> Interference:
    """The answer comes *seconds* late; nobody else waits for it."""

    def wait(request: Request, then: Then) -> Response:
        sleep(seconds)
        return then(request)

    return _around(where, times, wait)


def slow_body(
    where: str, seconds: float, *, size: int = 1024, times: int | None = None, sleep: Callable[[float], None] = time.sleep
) -> Alteration:
    """The answer's body comes at *size* bytes every *seconds*."""

    def trickle(request: Request, response: Response) -> Response:
        pieces = answers.wire_bytes(response, size)

        def read_into(buffer: memoryview) -> int:
            sleep(seconds)
            piece = next(pieces, b"")
            buffer[: len(piece)] = piece
            return len(piece)

        return Response(response.status, response.headers, request.url, read_into)

    return _then(where, times, trickle)


def expired_token(where: str, *, times: int | None = None) -> Interference:
    """A Bearer token that was good is not any more: 401, ``invalid_token``."""

    def expire(request: Request, then: Then) -> Response:
        return then(request.with_header("authorization", "Bearer expired") if request.header("authorization") else request)

    return _around(where, times, expire)


def refused_chunk(where: str, *, times: int | None = None) -> Interference:
    """416 with the session's state; nothing of the chunk is kept."""

    def refuse(request: Request, then: Then) -> Response:
        state = then(request.replace(method="GET", body=b""))
        return answers.empty(request, 416, list(state.headers)) if state.status == 204 else state

    return _around(where, times, refuse)


def lost_chunk(where: str, *, times: int | None = None) -> Interference:
    """A chunk that is taken by the look of the answer, and forgotten: the ``Range`` of the 202 is what was there before."""

    def lose(request: Request, then: Then) -> Response:
        state = then(request.replace(method="GET", body=b""))
        return answers.empty(request, 202, list(state.headers)) if state.status == 204 else state

    return _around(where, times, lose)


def wrong_offset(where: str, last: int, *, times: int | None = None) -> Alteration:
    """The ``Range`` of an upload's state ends at byte *last*, whatever is there."""
    return wrong_field(where, "range", f"0-{last}", times=times)


def wrong_digest(where: str, *, times: int | None = None) -> Alteration:
    """``Docker-Content-Digest`` names other content."""
    return wrong_field(where, "docker-content-digest", f"sha256:{'0' * 64}", times=times)


def wrong_location(where: str, origin: str, *, times: int | None = None) -> Alteration:
    """``Location`` leads to the same path of *origin*, such as ``https://other.example``; an empty one makes it relative."""

    def move(request: Request, response: Response) -> Response:
        old = response.headers.get("location")
        target = Url.parse(old).target if "://" in old else old
        kept = [field for field in response.headers if field[0] != "location"]
        return Response.of(response.status, [*kept, ("location", origin + target)], request.url, b"".join(answers.wire_bytes(response)))

    return _then(where, times, move)


def ignored_range(where: str, *, times: int | None = None) -> Interference:
    """A ``Range`` is not heard: 200 with the whole."""

    def ignore(request: Request, then: Then) -> Response:
        return then(request.replace(headers=tuple(field for field in request.headers if field[0] != "range")))

    return _around(where, times, ignore)


def oversized_body(where: str, size: int, *, status: int = 200, announced: bool = True, times: int | None = None) -> Fault:
    """*size* zero bytes, made while they are read; without a ``Content-Length`` unless *announced*."""
    length = [("content-length", str(size))] if announced else []

    def swell(request: Request) -> Response:
        left = size

        def read_into(buffer: memoryview) -> int:
            nonlocal left
            count = min(left, len(buffer))
            buffer[:count] = bytes(count)
            left -= count
            return count

        return Response(status, Headers([("content-type", "application/json"), *length]), request.url, read_into)

    return _first(where, times, swell)


def gzip_bomb(where: str, *, size: int = 64 * 1024 * 1024, times: int | None = None) -> Fault:
    """About a thousandth of *size* bytes, which ``Content-Encoding: gzip`` unfolds to *size*."""
    packed = gzip.compress(bytes(size), 9)
    encoded = [("content-encoding", "gzip")]
    return _first(where, times, lambda request: answers.content(request, 200, "application/json", packed, encoded))


def terminal_escapes(where: str, *, status: int = 404, times: int | None = None) -> Fault:
    """A well-formed error whose message clears the screen, sets the title and turns text around."""
    message = "gone\x1b[2J\x1b]0;owned\x07\r\n\u202esecret\x9b31m"
    return _first(where, times, lambda request: answers.error(request, status, "MANIFEST_UNKNOWN", message))


def wrong_body(where: str, *, times: int | None = None) -> Alteration:
    """As many bytes as announced, other ones: the digest does not match."""

    def flip(request: Request, response: Response) -> Response:
        # Through a table, so that empty stays empty and every byte differs.
        body = b"".join(answers.wire_bytes(response)).translate(bytes(reversed(range(256))))
        return Response.of(response.status, response.headers, request.url, body)

    return _then(where, times, flip)


def truncated_body(where: str, *, missing: int = 1, times: int | None = None) -> Alteration:
    """The last *missing* bytes never come, and ``Content-Length`` does not announce them."""

    def cut(request: Request, response: Response) -> Response:
        body = b"".join(answers.wire_bytes(response))[:-missing]
        kept = [field for field in response.headers if field[0] != "content-length"]
        return Response.of(response.status, [*kept, ("content-length", str(len(body)))], request.url, body)

    return _then(where, times, cut)


def wrong_field(where: str, name: str, value: str, *, times: int | None = None) -> Alteration:
    """The header field *name* says *value*: a foreign ``content-type``, a false ``docker-content-digest``, a realm elsewhere."""

    def rewrite(request: Request, response: Response) -> Response:
        kept = [field for field in response.headers if field[0] != name.lower()]
        return Response.of(response.status, [*kept, (name, value)], request.url, b"".join(answers.wire_bytes(response)))

    return _then(where, times, rewrite)


def _struck(where: str, times: int | None) -> Callable[[Request], bool]:
    left = times
    # A socket door asks from many threads.
    lock = threading.Lock()

    def struck(request: Request) -> bool:
        nonlocal left
        if not re.search(where, f"{request.method} {request.url.target}"):
            return False
        with lock:
            strikes = left != 0
            left = left and left - 1
        return strikes

    return struck


def _cut(request: Request) -> Response:
    raise TransportError(f"{request.url.origin} closed the connection", hint="this fault was injected")


def _first(where: str, times: int | None, fault: Callable[[Request], Response]) -> Fault:
    struck = _struck(where, times)
    return lambda request: fault(request) if struck(request) else None


def _then(where: str, times: int | None, alteration: Alteration) -> Alteration:
    struck = _struck(where, times)
    return lambda request, response: alteration(request, response) if struck(request) else response


def _around(where: str, times: int | None, interference: Interference) -> Interference:
    struck = _struck(where, times)
    return lambda request, then: interference(request, then) if struck(request) else then(request)
