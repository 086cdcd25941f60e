"""The simulator without a socket, as a transport of ours."""

from __future__ import annotations

from collections.abc import Callable

from registryauth._http.messages import Request, Response
from registryauth.errors import TransportError

#: The simulator holds what it is sent: 64 MiB a request.
MAX_UPLOAD = 64 * 1024 * 1024


class DirectDoor:
    """Hands each request to *handle*; every origin leads to the same place."""

    def __init__(self, handle: Callable[[Request], Response]) -> None:
        self._handle = handle
        self.closed = False

    def send(self, request: Request) -> Response:
        """The answer of *handle*, which gets the body whole."""
        if request.upload is not None:
            if len(request.upload) > MAX_UPLOAD:
                raise TransportError(f"a body for the simulator has at most {MAX_UPLOAD} bytes", hint="send it in chunks")
            request = request.replace(body=b"".join(map(bytes, request.upload.pieces())), upload=None)
        return self._handle(request)

    def close(self) -> None:
        """Remember that it was asked for."""
        self.closed = True
