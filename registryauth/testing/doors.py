"""The three doors of a simulator: a transport of ours, one of httpx, and a socket."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from registryauth._http.messages import Request, Response

if TYPE_CHECKING:
    import ssl

    import httpx

    from registryauth.testing.direct_door import DirectDoor


class Doors:
    """What leads to `handle`, which a subclass gives."""

    def handle(self, request: Request) -> Response:
        """The answer to *request*."""
        raise NotImplementedError

    def transport(self) -> DirectDoor:
        """The simulator as one of our own transports, for any origin, in this process."""
        from registryauth.testing.direct_door import DirectDoor

        return DirectDoor(self.handle)

    def httpx_transport(self) -> httpx.MockTransport:
        """The simulator as an httpx transport, sync and async, for any origin, in this process."""
        from registryauth.testing.httpx_door import httpx_transport

        return httpx_transport(self.handle)

    @contextmanager
    def serve(self, tls: ssl.SSLContext | None = None, *, address: str = "127.0.0.1") -> Iterator[str]:
        """Serve on a free port of the loopback *address*, over https if *tls* is given; gives ``127.0.0.1:PORT``."""
        from registryauth.testing.socket_door import serve

        with serve(self.handle, tls, address) as host:
            yield host
