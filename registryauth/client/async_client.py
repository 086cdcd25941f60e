"""`AsyncClient`: the same client for asyncio and trio."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any, Self, TypeVar

import anyio
import anyio.to_thread

from registryauth.client.client import Client, RepositoryClient, nobody
from registryauth.content.descriptor import Descriptor, Platform
from registryauth.content.manifest import Index, Manifest
from registryauth.digest import Digest
from registryauth.reference import Repository

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.client.client import Credentials

T = TypeVar("T")

#: Requests under way at once; each has a thread, because a thread reads a socket faster than an event loop in Python does
#: (docs/decisions/0001-requests-of-our-own.md).
_MAX_THREADS = 16


class AsyncClient:
    """`Client` with the same names and behaviour, awaited; takes the same arguments."""

    def __init__(self, credentials: Credentials = nobody, **options: Any) -> None:  # noqa: ANN401 - Client's own
        self._client = Client(credentials, **options)
        self._limiter = anyio.CapacityLimiter(_MAX_THREADS)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._client.close()

    def repository(self, repository: Repository | str) -> AsyncRepositoryClient:
        """What can be done in one repository."""
        return AsyncRepositoryClient(self, self._client.repository(repository))

    async def run(self, work: Callable[[], T]) -> T:
        """Do *work* on a thread; a cancelled caller goes on at once, and the thread ends with its request."""
        return await anyio.to_thread.run_sync(work, abandon_on_cancel=True, limiter=self._limiter)


class AsyncRepositoryClient:
    """`RepositoryClient`, awaited."""

    def __init__(self, client: AsyncClient, inner: RepositoryClient) -> None:
        self._client = client
        self._inner = inner

    async def manifest(self, target: str | Digest | Descriptor, *, platform: str | Platform | None = None) -> Manifest | Index:
        """As `RepositoryClient.manifest`."""
        return await self._client.run(partial(self._inner.manifest, target, platform=platform))

    async def head(self, target: str | Digest) -> Descriptor:
        """As `RepositoryClient.head`."""
        return await self._client.run(partial(self._inner.head, target))

    async def download(
        self, blob: Descriptor | Digest, to: str | os.PathLike[str], *, progress: Callable[[int], None] = lambda _: None
    ) -> int:
        """As `RepositoryClient.download`; *progress* is called on the worker's thread."""
        return await self._client.run(partial(self._inner.download, blob, to, progress=progress))
