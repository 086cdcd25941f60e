"""The simulator without a socket, as a transport of ours."""

from __future__ import annotations

from collections.abc import Callable

from registryauth._http.messages import Request, Response


class DirectDoor:
    """Hands each request to *handle*; every origin leads to the same place."""

    def __init__(self, handle: Callable[[Request], Response]) -> None:
        self._handle = handle
        self.closed = False

    def send(self, request: Request) -> Response:
        """The answer of *handle*."""
        return self._handle(request)

    def close(self) -> None:
        """Remember that it was asked for."""
        self.closed = True
