"""Stores with many registries in them, and what it costs to find one: python benchmarks/lookup.py prints the table."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import table
from benchmarks.timing import time_functions
from registryauth import Address, Resolver
from registryauth.config import load
from registryauth.reference import Repository
from registryauth.stores import Store, open_store
from registryauth.stores.principal import Principal, Slot

COUNTS = (10, 10_000)
#: Seconds after which a store's file counts as settled, so that what was read from it is used again.
_SETTLED = 4.0


def filled_store(directory: Path, environ: dict[str, str], count: int) -> tuple[Store, dict[str, str]]:
    """A store in *directory* with *count* registries, ``r0.example`` and so on, and the environment in which our programs use it."""
    directory.mkdir(mode=0o700)
    path, key_file = str(directory / "store.db"), str(directory / "store.key")
    own = {"REGISTRYAUTH_STORE_PATH": path, "REGISTRYAUTH_STORE_KEY_FILE": key_file, "REGISTRYAUTH_STORE_KEY": "file"}
    store = open_store(path, key="file", key_file=key_file, environ=environ)
    addresses = (Address.parse(f"r{number}.example") for number in range(count))
    store.put_all((Principal(address, "svc-pull", (Slot(f"secret of {address}", added_at=1),)), None) for address in addresses)
    return store, {**environ, **own}


def resolving(directory: Path, environ: dict[str, str], rounds: int) -> str:
    """What one process pays to resolve, again and for the first time, as a table; every source and the audit log as by default."""
    functions: dict[str, Callable[[], object]] = {}
    resolvers = []
    for count in COUNTS:
        store, own = filled_store(directory / f"resolve-{count}", environ, count)
        store.close()
        resolver = Resolver.from_config(load(own), own)
        resolvers.append(resolver)
        host = f"r{count // 2}.example"
        again, fresh = Repository.parse(f"{host}/team/model"), _ever_another(host)
        # Bound now: the loop goes on.
        functions |= {
            f"**Resolver.candidates among {count:,}**": lambda resolver=resolver, again=again: resolver.candidates(again),
            f"**Resolver.resolve among {count:,}**": lambda resolver=resolver, again=again: resolver.resolve(f"{again}:v1").credential,
            f"**the same, a repository not asked for before, among {count:,}**": (
                lambda resolver=resolver, fresh=fresh: resolver.candidates(fresh())
            ),
        }
    time.sleep(_SETTLED)
    seconds = time_functions(functions, rounds)
    for resolver in resolvers:
        resolver.close()
    few = list(seconds.values())[: len(seconds) // len(COUNTS)] * len(COUNTS)
    rows = [[name, f"{taken * 1e6:.0f}", f"{taken / base:.2f}"] for (name, taken), base in zip(seconds.items(), few, strict=True)]
    return table.rendered("Resolving in one process", ["", "µs", "times that among 10"], rows)


def _ever_another(host: str) -> Callable[[], Repository]:
    """Gives a repository at *host* that it never gave before."""
    registry = Repository.parse(f"{host}/team/model").registry
    number = 0

    def fresh() -> Repository:
        nonlocal number
        number += 1
        return Repository(registry, f"team/model{number}")

    return fresh


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        home = {"HOME": name, "PATH": os.environ["PATH"]}
        print(resolving(Path(name), home, 2000))
