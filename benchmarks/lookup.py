"""A store with many registries in it."""

from __future__ import annotations

from pathlib import Path

from registryauth import Address
from registryauth.stores import Store, open_store
from registryauth.stores.principal import Principal, Slot


def filled_store(directory: Path, environ: dict[str, str], count: int) -> tuple[Store, dict[str, str]]:
    """A store in *directory* with *count* registries, ``r0.example`` and so on, and the environment in which our programs use it."""
    directory.mkdir(mode=0o700)
    path, key_file = str(directory / "store.db"), str(directory / "store.key")
    own = {"REGISTRYAUTH_STORE_PATH": path, "REGISTRYAUTH_STORE_KEY_FILE": key_file, "REGISTRYAUTH_STORE_KEY": "file"}
    store = open_store(path, key="file", key_file=key_file, environ=environ)
    for number in range(count):
        store.put(Principal(Address.parse(f"r{number}.example"), "svc-pull", (Slot(f"secret {number}", added_at=1),)))
    return store, {**environ, **own}
