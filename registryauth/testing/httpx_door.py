"""The simulator without a socket, as an httpx transport."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING

from registryauth._http.messages import Request, Response
from registryauth._origin import Url
from registryauth.errors import TransportError
from registryauth.testing.answers import wire_bytes

if TYPE_CHECKING:
    import httpx


def httpx_transport(handle: Callable[[Request], Response]) -> httpx.MockTransport:
    """A transport for `httpx.Client` and `httpx.AsyncClient`; a cut connection is an `httpx.RemoteProtocolError`."""
    import httpx

    class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
        # Not `content=`, which httpx decodes at once: a body must stay the bytes of the wire until the client reads it.
        def __init__(self, response: Response) -> None:
            self._response = response

        def __iter__(self) -> Iterator[bytes]:
            try:
                yield from wire_bytes(self._response)
            except TransportError as error:
                raise httpx.RemoteProtocolError(error.message) from error

        async def __aiter__(self) -> AsyncIterator[bytes]:
            for chunk in self:
                yield chunk

    def answer(theirs: httpx.Request) -> httpx.Response:
        fields = tuple((name.lower(), value) for name, value in theirs.headers.multi_items())
        ours = Request(theirs.method, Url.parse(str(theirs.url)), fields, theirs.content)
        try:
            response = handle(ours)
        except TransportError as error:
            raise httpx.RemoteProtocolError(error.message, request=theirs) from error
        return httpx.Response(response.status, headers=list(response.headers), stream=Body(response))

    return httpx.MockTransport(answer)
