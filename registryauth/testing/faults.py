"""Ready-made misbehaviour for `RegistrySimulator.inject` (before the normal answer) and `.alter` (after it).

Each strikes requests whose ``METHOD /path?query`` holds a match of the pattern *where*, at most *times*
times if that is given.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable

from registryauth._http.messages import Headers, Request, Response
from registryauth.errors import TransportError
from registryauth.testing import answers

Fault = Callable[[Request], Response | None]
Alteration = Callable[[Request, Response], Response]


def too_many_requests(where: str, *, retry_after: str = "1", times: int | None = None) -> Fault:
    """429 with *retry_after*, seconds or an HTTP date; without the field if that is empty."""
    fields = [("retry-after", retry_after)] if retry_after else []
    return _first(where, times, lambda request: answers.error(request, 429, "TOOMANYREQUESTS", "too many requests", fields=fields))


def server_error(where: str, *, status: int = 500, times: int | None = None) -> Fault:
    """A 5xx with a body that is no JSON, as a proxy in front of a registry sends it."""
    return _first(where, times, lambda request: answers.content(request, status, "text/html", b"<html>upstream failed</html>"))


def no_answer(where: str, *, times: int | None = None) -> Fault:
    """The connection is cut before a byte of the answer."""

    def cut(request: Request) -> Response:
        raise TransportError(f"{request.url.origin} closed the connection", hint="this fault was injected")

    return _first(where, times, cut)


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

    def struck(request: Request) -> bool:
        nonlocal left
        if not re.search(where, f"{request.method} {request.url.target}") or left == 0:
            return False
        left = left and left - 1
        return True

    return struck


def _first(where: str, times: int | None, fault: Callable[[Request], Response]) -> Fault:
    struck = _struck(where, times)
    return lambda request: fault(request) if struck(request) else None


def _then(where: str, times: int | None, alteration: Alteration) -> Alteration:
    struck = _struck(where, times)
    return lambda request, response: alteration(request, response) if struck(request) else response
