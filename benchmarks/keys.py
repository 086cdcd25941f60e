"""A store for each place where its key can be, and many processes that write to one store at once."""

from __future__ import annotations

import base64
import os
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from benchmarks import table
from registryauth import Address
from registryauth.config import load
from registryauth.stores import from_config, open_store
from registryauth.stores.principal import Principal, Slot

HOST = "registry.example"
WRITERS = 64
_PASSPHRASE = "a passphrase of the benchmark"


def homes(directory: Path, environ: dict[str, str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Name and environment of a store with one record, for each source of keys that needs no other program."""
    key = os.urandom(32)
    sources = {
        "file": {},
        "environment": {"REGISTRYAUTH_MASTER_KEY": base64.b64encode(key).decode()},
        "systemd": {"CREDENTIALS_DIRECTORY": str(directory / "credentials")},
        "passphrase": {"REGISTRYAUTH_PASSPHRASE": _PASSPHRASE},
    }
    (directory / "credentials").mkdir(mode=0o700, parents=True)
    credential = directory / "credentials" / "registryauth.key"
    credential.write_bytes(key)
    credential.chmod(0o400)
    for source, more in sources.items():
        place = {f"XDG_{what}_HOME": str(directory / source / what.lower()) for what in ("DATA", "CONFIG", "STATE", "CACHE")}
        own = environ | place | more | {"REGISTRYAUTH_STORE_KEY": source, "XDG_RUNTIME_DIR": str(directory / source / "run")}
        os.makedirs(own["XDG_RUNTIME_DIR"], 0o700)
        with closing(from_config(load(own), own)) as store:
            store.put(Principal(Address.parse(HOST), "svc-pull", (Slot("a secret", added_at=1),)))
        yield source, own


def unlocked(environ: dict[str, str]) -> dict[str, str]:
    """*environ*, of a store with a passphrase, after ``registryauth unlock``, without the passphrase."""
    environ = environ | {"XDG_RUNTIME_DIR": f"{environ['XDG_RUNTIME_DIR']}-unlocked"}
    os.makedirs(environ["XDG_RUNTIME_DIR"], 0o700)
    config = load(environ)
    with closing(open_store(config.store_path, config.store_key, config.store_key_file, environ)) as store:
        store.keep_unlocked(3600)
    return {name: value for name, value in environ.items() if name != "REGISTRYAUTH_PASSPHRASE"}


def writing(directory: Path, writes: int) -> str:
    """*writes* records put by one process, and by `WRITERS` at once, each its share."""
    rows = []
    for writers in (1, WRITERS):
        place = directory / str(writers)
        start = time.perf_counter()
        children = [_fork(place, number, writes // writers) for number in range(writers)]
        if any(os.waitpid(child, 0)[1] for child in children):
            raise RuntimeError("a writer failed")
        taken = time.perf_counter() - start
        with closing(_store(place)) as store:
            there = len(store.list())
        if there != writers * (writes // writers):
            raise RuntimeError(f"{there} records are there after {writes} writes")
        rows.append([f"{writers} process{'es' if writers > 1 else ''}", str(there), f"{taken:.2f}", f"{taken / there * 1e3:.1f}"])
    return table.rendered("Writing to one store", ["", "records", "s", "ms a record"], rows)


def _store(place: Path):
    return open_store(str(place / "data" / "store.db"), "file", str(place / "config" / "store.key"), environ={})


def _fork(place: Path, number: int, count: int) -> int:
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        store = _store(place)
        for record in range(count):
            store.put(Principal(Address.parse(f"r{number}.example/p{record}"), "svc-pull", (Slot("a secret", added_at=1),)))
        status = 0
    finally:
        sys.stderr.flush()
        os._exit(status)
