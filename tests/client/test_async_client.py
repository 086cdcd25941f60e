"""The async twin: the same names, the same answers, the same errors; and it lets go."""

from __future__ import annotations

import inspect
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from registryauth._http import Request
from registryauth.client import AsyncClient, Client
from registryauth.client.async_client import AsyncRepositoryClient
from registryauth.client.repository import RepositoryClient
from registryauth.digest import Digest
from registryauth.errors import ContentError, InvalidReference, NotFound, TransportError, Unsupported
from registryauth.reference import Repository
from registryauth.testing import Features, RegistrySimulator

from .clients import HOST, REPOSITORY, Answer, Wire, at_once, robot

pytestmark = pytest.mark.anyio

CONTENT = b"blob " * 1000
DIGEST = Digest.of(CONTENT)

#: What the other rooms build on: blocking answers of the wire, or a piece of a request's making.
MACHINERY = {
    "challenge",
    "grant",
    "keep_apart",
    "send",
    "send_to",
    "origin",
    "explaining",
    "expect",
    "open",
    "put_as",
    "put_tagged",
    "tagged",
}


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Either loop; whoever has no trio installed tests the one."""
    if request.param == "trio":
        pytest.importorskip("trio")
    backend: str = request.param
    return backend


@pytest.fixture
async def client(simulator: RegistrySimulator) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(robot(), transport=simulator.transport(), sleep=at_once) as client:
        yield client


def public(kind: type) -> dict[str, inspect.Signature]:
    return {name: inspect.signature(member) for name, member in inspect.getmembers(kind, inspect.isfunction) if not name.startswith("_")}


def plain(signature: inspect.Signature) -> list[tuple[str, object, object, str]]:
    return [(p.name, p.kind, p.default, str(p.annotation)) for p in signature.parameters.values() if p.name != "progress"]


@pytest.mark.parametrize(("sync", "twin"), [(Client, AsyncClient), (RepositoryClient, AsyncRepositoryClient)])
def test_the_names_and_signatures_are_the_same(sync: type, twin: type) -> None:
    ours, theirs = public(sync), public(twin)
    assert set(ours) - MACHINERY == set(theirs) - {"each", "run"}
    for name in set(ours) - MACHINERY:
        assert plain(ours[name]) == plain(theirs[name]), name
        assert ("progress" in ours[name].parameters) == ("progress" in theirs[name].parameters)
        returned = str(theirs[name].return_annotation).removeprefix("Async")
        assert returned == str(ours[name].return_annotation)


@pytest.mark.parametrize(("sync", "twin"), [(Client, AsyncClient), (RepositoryClient, AsyncRepositoryClient)])
def test_what_is_not_a_list_is_awaited(sync: type, twin: type) -> None:
    for name, signature in public(sync).items():
        if name in MACHINERY or name == "repository":
            continue
        lists = "Iterator" in str(signature.return_annotation)
        assert inspect.isasyncgenfunction(getattr(twin, name)) == lists
        assert inspect.iscoroutinefunction(getattr(twin, name)) != lists


async def test_a_blob_and_a_manifest_go_there_and_back(client: AsyncClient, tmp_path: Path, simulator: RegistrySimulator) -> None:
    repository = client.repository(f"{HOST}/{REPOSITORY}")
    (tmp_path / "up").write_bytes(CONTENT)
    seen: list[int] = []
    assert await repository.upload(tmp_path / "up", progress=seen.append) == DIGEST
    assert seen[-1] == len(CONTENT)
    assert await repository.has(DIGEST)
    assert await repository.download(DIGEST, tmp_path / "down", progress=seen.append) == len(CONTENT)
    assert (tmp_path / "down").read_bytes() == CONTENT
    assert (await repository.push(b"small")).digest == Digest.of(b"small")
    found = await repository.manifest("v1")
    put = await repository.put_manifest(found.raw, tag="again")
    assert put.digest == found.digest == (await repository.head("again")).digest
    assert sorted([tag async for tag in repository.tags()]) == ["again", "both", "v1", "v1-arm"]
    assert [one async for one in repository.referrers(found.digest)] == []
    await repository.delete_manifest("again")
    await repository.delete_blob(DIGEST)
    assert not await repository.has(DIGEST)
    assert [name async for name in client.repositories(HOST)] == [REPOSITORY]
    assert "pull" in (await client.ping(Repository.parse(f"{HOST}/{REPOSITORY}"), "pull") or ())


async def test_lists_are_lazy(client: AsyncClient, simulator: RegistrySimulator) -> None:
    simulator.auth = "none"
    simulator.features = Features(page_size=1)
    tags = client.repository(f"{HOST}/{REPOSITORY}").tags()
    assert simulator.requests == []
    assert [await anext(tags), await anext(tags)] == ["both", "v1"]
    assert len(simulator.requests) == 2
    await tags.aclose()  # type: ignore[attr-defined]
    assert len(simulator.requests) == 2


async def test_errors_are_the_same(client: AsyncClient, simulator: RegistrySimulator, tmp_path: Path) -> None:
    repository = client.repository(f"{HOST}/{REPOSITORY}")
    simulator.features = Features(delete=())
    with pytest.raises(NotFound):
        await repository.manifest("absent")
    with pytest.raises(NotFound):
        [tag async for tag in client.repository(f"{HOST}/no/such").tags()]
    with pytest.raises(Unsupported):
        await repository.delete_blob(DIGEST)
    with pytest.raises(ContentError):
        await repository.put_manifest(b"{}")
    with pytest.raises(ContentError):
        await repository.upload(tmp_path / "missing")
    with pytest.raises(InvalidReference):
        client.repository("a b")
    simulator.inject(lambda _: (_ for _ in ()).throw(TransportError("down")))
    with pytest.raises(TransportError):
        await repository.head("v1")


async def test_a_cancelled_caller_goes_on_at_once() -> None:
    held = threading.Event()

    def answer(_: Request) -> Answer:
        held.wait(10)
        return 200, {}, b'{"tags":[]}'

    async with AsyncClient(transport=Wire(answer)) as client:
        repository = client.repository(f"{HOST}/{REPOSITORY}")
        start = time.monotonic()
        with anyio.move_on_after(0.1) as scope:
            await repository.has(DIGEST)
        assert scope.cancelled_caught
        with anyio.move_on_after(0.1) as scope:
            [tag async for tag in repository.tags()]
        assert scope.cancelled_caught
        assert time.monotonic() - start < 5
        held.set()


async def test_many_at_once_share_a_few_threads(simulator: RegistrySimulator) -> None:
    simulator.auth = "none"
    busy, most, lock = 0, 0, threading.Lock()

    def count(_: Request) -> None:
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
        time.sleep(0.005)
        with lock:
            busy -= 1

    simulator.inject(count)
    async with AsyncClient(transport=simulator.transport()) as client, anyio.create_task_group() as group:
        repository = client.repository(f"{HOST}/{REPOSITORY}")
        for _ in range(60):
            group.start_soon(repository.head, "v1")
    assert 1 < most <= 16
    assert len(simulator.requests) == 60


async def test_leaving_it_closes_the_connections() -> None:
    wire = Wire(lambda _: (200, {}, b""))
    async with AsyncClient(transport=wire) as client:
        await client.repository(f"{HOST}/{REPOSITORY}").has(DIGEST)
        assert not wire.closed
    assert wire.closed


def test_it_can_be_made_before_there_is_a_loop() -> None:
    client = AsyncClient(transport=Wire(lambda _: (200, {}, b"")))

    async def use() -> bool:
        return await client.repository(f"{HOST}/{REPOSITORY}").has(DIGEST)

    assert anyio.run(use)
