"""Responses as a registry words them, and a response's bytes as a door must send them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from registryauth._http.messages import Request, Response

Fields = Iterable[tuple[str, str]]


def content(request: Request, status: int, media_type: str, body: bytes, fields: Fields = ()) -> Response:
    """*body* with its type and length; a HEAD request gets the same fields and no body (RFC 9110 §9.3.2)."""
    described = [("content-type", media_type), ("content-length", str(len(body))), *fields]
    return Response.of(status, described, request.url, b"" if request.method == "HEAD" else body)


def document(request: Request, status: int, value: object, fields: Fields = ()) -> Response:
    """*value* as JSON."""
    return content(request, status, "application/json; charset=utf-8", json.dumps(value).encode(), fields)


def empty(request: Request, status: int, fields: Fields = ()) -> Response:
    """No body."""
    # A 204 carries no Content-Length (RFC 9110 §8.6).
    length = [] if status == 204 else [("content-length", "0")]
    return Response.of(status, [*length, *fields], request.url)


def error(request: Request, status: int, code: str, message: str, *, detail: object = None, fields: Fields = ()) -> Response:
    """One error in the body that the distribution specification describes (§Error Codes)."""
    return document(request, status, {"errors": [{"code": code, "message": message, "detail": detail}]}, fields)


def wire_bytes(response: Response, size: int = 64 * 1024) -> Iterator[bytes]:
    """The body as it goes over the wire: `Response.chunks` refuses an encoded body, which a door has to send all the same."""
    buffer = memoryview(bytearray(size))
    try:
        while count := response._read_into(buffer):  # noqa: SLF001 - the sending side of the same value
            yield bytes(buffer[:count])
    finally:
        response.close()
