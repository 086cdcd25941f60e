"""`AsyncClient`: the same client for asyncio and trio."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any, Self, TypeVar

import anyio
import anyio.to_thread

from registryauth.client.client import Client, nobody
from registryauth.client.repository import RepositoryClient
from registryauth.content.descriptor import Descriptor, Platform
from registryauth.content.manifest import Index, Manifest
from registryauth.digest import Digest
from registryauth.reference import Registry, Repository

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.client.client import Credentials
    from registryauth.resolver import Resolver

T = TypeVar("T")
_END = object()

#: Requests under way at once; each has a thread, because a thread reads a socket faster than an event loop in Python does
#: (docs/decisions/0001-requests-of-our-own.md).
_MAX_THREADS = 16


class AsyncClient:
    """`Client` with the same names and behaviour, awaited; takes the same arguments."""

    def __init__(self, credentials: Resolver | Credentials = nobody, **options: Any) -> None:  # noqa: ANN401 - Client's own
        self._client = Client(credentials, **options)
        self._limiter = anyio.CapacityLimiter(_MAX_THREADS)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """As `Client.close`."""
        self._client.close()

    async def ping(self, repository: Repository, *actions: str) -> tuple[str, ...] | None:
        """As `Client.ping`."""
        return await self.run(partial(self._client.ping, repository, *actions))

    def repository(self, repository: Repository | str) -> AsyncRepositoryClient:
        """What can be done in one repository."""
        return AsyncRepositoryClient(self, self._client.repository(repository))

    async def repositories(self, registry: Registry | str, *, last: str = "", n: int | None = None) -> AsyncIterator[str]:
        """As `Client.repositories`."""
        async with aclosing(self.each(self._client.repositories(registry, last=last, n=n))) as found:
            async for name in found:
                yield name

    async def each(self, items: Iterator[T]) -> AsyncGenerator[T]:
        """*items*, each asked for on a thread; to be closed by whoever leaves it in the middle."""
        # StopIteration cannot leave a thread's future, so the end has a value of its own.
        while (item := await self.run(partial(next, items, _END))) is not _END:
            yield item

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

    async def has(self, digest: Digest) -> bool:
        """As `RepositoryClient.has`."""
        return await self._client.run(partial(self._inner.has, digest))

    async def upload(
        self,
        path: str | os.PathLike[str],
        digest: Digest | None = None,
        *,
        mount_from: Repository | None = None,
        progress: Callable[[int], None] = lambda _: None,
    ) -> Digest:
        """As `RepositoryClient.upload`; *progress* is called on the worker's thread."""
        return await self._client.run(partial(self._inner.upload, path, digest, mount_from=mount_from, progress=progress))

    async def push(self, content: bytes, digest: Digest | None = None) -> Descriptor:
        """As `RepositoryClient.push`."""
        return await self._client.run(partial(self._inner.push, content, digest))

    async def put_manifest(self, raw: bytes, *, tag: str | None = None, more_tags: Sequence[str] = (), media_type: str = "") -> Descriptor:
        """As `RepositoryClient.put_manifest`."""
        return await self._client.run(partial(self._inner.put_manifest, raw, tag=tag, more_tags=more_tags, media_type=media_type))

    async def delete_manifest(self, target: str | Digest) -> None:
        """As `RepositoryClient.delete_manifest`."""
        await self._client.run(partial(self._inner.delete_manifest, target))

    async def delete_blob(self, digest: Digest) -> None:
        """As `RepositoryClient.delete_blob`."""
        await self._client.run(partial(self._inner.delete_blob, digest))

    async def tags(self, *, last: str = "", n: int | None = None) -> AsyncIterator[str]:
        """As `RepositoryClient.tags`."""
        async with aclosing(self._client.each(self._inner.tags(last=last, n=n))) as found:
            async for tag in found:
                yield tag

    async def referrers(self, subject: Digest, *, artifact_type: str = "") -> AsyncIterator[Descriptor]:
        """As `RepositoryClient.referrers`."""
        async with aclosing(self._client.each(self._inner.referrers(subject, artifact_type=artifact_type))) as found:
            async for one in found:
                yield one
