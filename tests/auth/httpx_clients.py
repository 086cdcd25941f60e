"""One way to send requests through an httpx client, of either colour."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any, Protocol

import anyio
import httpx

from registryauth.auth import RegistryAuth

Call = tuple[str, str, dict[str, Any]]


class Send(Protocol):
    """Sends *calls*, method, URL and options each, one after the other through one client with *auth*."""

    def __call__(self, auth: RegistryAuth, transport: Any, *calls: Call, **options: Any) -> list[httpx.Response]: ...


def send_sync(auth: RegistryAuth, transport: Any, *calls: Call, **options: Any) -> list[httpx.Response]:
    with httpx.Client(transport=transport, auth=auth, **options) as client:
        return [client.request(method, url, **more) for method, url, more in calls]


def send_async(auth: RegistryAuth, transport: Any, *calls: Call, **options: Any) -> list[httpx.Response]:
    async def run() -> list[httpx.Response]:
        async with httpx.AsyncClient(transport=transport, auth=auth, **options) as client:
            return [await client.request(method, url, **more) for method, url, more in calls]

    return anyio.run(run)


def get(url: str, **options: Any) -> Call:
    return "GET", url, options


class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """*size* bytes, made while they are read; `pulled` is how many were."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.pulled = 0
        self.closed = False

    def __iter__(self) -> Iterator[bytes]:
        while self.pulled < self.size:
            self.pulled += 16 * 1024
            yield b"x" * 16 * 1024

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk

    def close(self) -> None:
        self.closed = True

    async def aclose(self) -> None:
        self.closed = True


def answering(handle: Callable[[httpx.Request], httpx.Response]) -> tuple[httpx.MockTransport, list[httpx.Request]]:
    """A transport that answers with *handle*, and the requests that it saw."""
    seen: list[httpx.Request] = []

    def record(request: httpx.Request, into: list[httpx.Request]) -> httpx.Response:
        into.append(request)
        return handle(request)

    return httpx.MockTransport(partial(record, into=seen)), seen
