"""One resolver for many threads and for the tasks of an event loop, all at once."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from registryauth.client import AsyncClient
from registryauth.config import load
from registryauth.credentials import Basic
from registryauth.errors import CredentialNotFound
from registryauth.reference import Address, Repository
from registryauth.resolver import Resolver
from registryauth.stores import Principal, Slot, open_store
from registryauth.testing import RegistrySimulator

THREADS, ROUNDS = 32, 12


@pytest.fixture
def shared(environ, tmp_path, home, write_json, helper):
    """A resolver over an encrypted store with ten registries, and a helper that everybody needs."""
    environ |= {
        "REGISTRYAUTH_STORE_PATH": str(tmp_path / "s/store.db"),
        "REGISTRYAUTH_STORE_KEY": "file",
        "REGISTRYAUTH_STORE_KEY_FILE": str(tmp_path / "k/key"),
    }
    log = helper("team", "time.sleep(0.2); print(json.dumps({'Username': 'helped', 'Secret': 'x'}))")
    write_json(home / ".docker/config.json", {"credHelpers": {"helped.example": "team"}})
    config = load(environ, system_file=str(tmp_path / "absent"))
    writer = open_store(config.store_path, "file", config.store_key_file, environ)
    for number in range(10):
        writer.put(Principal(Address.parse(f"r{number}.example"), f"u{number}", (Slot("0"),)))
    with Resolver.from_config(config, environ) as resolver:
        resolver.log, resolver.writer = log, writer
        yield resolver
    writer.close()


def asked(resolver, number):
    """One question of each kind; every answer is checked."""
    who = number % 10
    (pinned,) = resolver.candidates(Repository.parse(f"r{who}.example/team/app"))
    assert pinned.credential.username == f"u{who}"
    assert resolver.resolve("helped.example/x").credential == Basic("helped", "x")
    assert resolver.resolve("mcr.microsoft.com/x").account == ""
    with pytest.raises(CredentialNotFound):
        resolver.resolve(f"absent{who}.example/x")
    return int(pinned.credential.password)


def test_threads_and_tasks_ask_at_once_while_secrets_change(shared):
    stop = threading.Event()

    def rotate():
        for revision in range(1, 200):
            for number in range(10):
                if stop.is_set():
                    return
                shared.writer.put(Principal(Address.parse(f"r{number}.example"), f"u{number}", (Slot(str(revision)),)))

    async def tasks():
        async def task(number):
            return [await asyncio.to_thread(asked, shared, number) for _ in range(ROUNDS)]

        return await asyncio.gather(*(task(number) for number in range(8)))

    def thread(number):
        return [asked(shared, number) for _ in range(ROUNDS)]

    rotating = threading.Thread(target=rotate)
    rotating.start()
    try:
        with ThreadPoolExecutor(THREADS + 1) as pool:
            looping = pool.submit(asyncio.run, tasks())
            seen = [*pool.map(thread, range(THREADS)), *looping.result()]
    finally:
        stop.set()
        rotating.join(30)
    # A secret never goes back to an earlier one, whoever asks.
    assert all(answers == sorted(answers) for answers in seen)
    assert len(shared.log.read_text().splitlines()) == 1


def test_the_store_is_opened_once_however_many_ask_first(shared, monkeypatch):
    opened = []
    real = open_store

    def counting(*given, **more):
        opened.append(given)
        time.sleep(0.05)
        return real(*given, **more)

    monkeypatch.setattr("registryauth.stores.open_store", counting)
    barrier = threading.Barrier(THREADS)

    def first(_):
        barrier.wait(10)
        return shared.candidates(Repository.parse("r1.example/x"))

    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(first, range(THREADS)))
    assert len({answer[0].credential for answer in answers}) == 1
    assert len(opened) == 1


def test_tasks_of_an_async_client_share_it(shared):
    simulator = RegistrySimulator(accounts={"u1": "0"})
    simulator.add_image("team/app", "v1", [b"a layer"])

    async def fetch():
        async with AsyncClient(shared, transport=simulator.transport()) as client:
            repository = client.repository("r1.example/team/app")
            return await asyncio.gather(*(repository.manifest("v1") for _ in range(8)))

    assert len({manifest.digest for manifest in asyncio.run(fetch())}) == 1
