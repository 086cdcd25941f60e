"""Where a secret rests: records by (registry, path, account).

`Store` is the interface; `open_store` gives the configured one. A lookup is by whole path segments and
the most specific record wins; several accounts at one address are told apart by name, or by which was
preferred last.
"""

from __future__ import annotations

import os

from registryauth.errors import ConfigurationError
from registryauth.stores.principal import Check, Consumer, Key, Principal, Slot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any, Protocol

    from registryauth.config import Config
    from registryauth.reference import Address
    from registryauth.stores.audited import AuditedStore
    from registryauth.stores.configured import AzureToken
    from registryauth.stores.encrypted import EncryptedStore
    from registryauth.stores.keys import Ask

    class Store(Protocol):
        """The contract of every store; `registryauth.testing.StoreContract` holds its tests.

        *conditional*: `put` and `delete` honour *if_revision*, so that no write loses another's.
        *enumerable*: `list` works. *atomic*: `put_all` writes all records or none. Every method raises `StoreLocked`,
        `StoreUnavailable` or `StoreCorrupt`.
        """

        conditional: bool
        enumerable: bool
        atomic: bool

        def get(self, address: Address, account: str | None = None) -> Principal | None:
            """The most specific record at or above *address*; with *account*, of that account only. Absent is None."""
            ...

        def nearest(self, address: Address, account: str | None = None) -> Sequence[Principal]:
            """Every account's record at the nearest place at or above *address* that has one (`places`), in any order.

            With *account*, of that account only. `get` gives the one of them that was preferred last.
            """
            ...

        def nearest_all(self, questions: Sequence[tuple[Address, str | None]]) -> Sequence[Sequence[Principal]]:
            """What `nearest` gives for each address and account, in the order of *questions*; a store that can reads once for all."""
            ...

        def exact(self, key: Key) -> Principal | None:
            """The record with exactly this key. Absent is None."""
            ...

        def at(self, address: Address) -> Sequence[Principal]:
            """Every account's record at exactly this address, ordered by account."""
            ...

        def put(self, principal: Principal, if_revision: int | None = None) -> Principal:
            """Write a record and return it with its new revision.

            *if_revision* 0 means "only if there is none"; another number, "only if that is the stored
            revision"; None writes in any case. Raise `Conflict` where it does not hold, having written nothing.
            """
            ...

        def put_all(self, records: Iterable[tuple[Principal, int | None]]) -> Sequence[Principal]:
            """Write records as `put` does, each with its *if_revision*, and return them with their new revisions.

            `Conflict` names the first that is in the way. An *atomic* store has then written nothing; any other may
            write one after the other, in their order, and keeps what it wrote before it failed.
            """
            ...

        def delete(self, key: Key, if_revision: int | None = None) -> bool:
            """Remove a record; whether there was one. Raise `Conflict` as `put` does."""
            ...

        def list(self) -> list[Principal]:
            """Every record, ordered by registry, path and account."""
            ...

        def stamp(self) -> object | None:
            """Equal to an earlier stamp only if nothing that can be read here changed since that was taken.

            None where that cannot be told, or not cheaper than by reading. It must not be kept for longer than the store.
            """
            ...

        def status(self) -> dict[str, Any]:
            """What can be said without the key, at least ``backend``, ``path`` (where it is), ``key`` (what protects it)."""
            ...

        def close(self) -> None:
            """Let go of files and keys; the store is not used afterwards."""
            ...


__all__ = ["Check", "Consumer", "Key", "Principal", "Slot", "Store", "from_config", "open_store"]


def from_config(
    config: Config,
    environ: Mapping[str, str] = os.environ,
    *,
    ask: Ask | None = None,
    purpose: str = "",
    warn: Callable[[str], None] | None = None,
    azure_token: AzureToken | None = None,
) -> AuditedStore:
    """The store that *config* names, audited; nothing is opened or made before the first call. Raise `ConfigurationError` if it names none.

    *ask* asks a person for the passphrase of a store that has one; without it nobody is asked. *purpose* says in the audit
    log what is read for; *warn* is told, instead of stderr, what could not be written there, and what comes from a cache.
    *azure_token*, which only a key vault needs, is `registryauth.azure.vault_token`.
    """
    from registryauth.stores.audited import audited

    return audited(_configured(config, environ, ask, warn, azure_token), config, environ, purpose=purpose, warn=warn)


def _configured(
    config: Config, environ: Mapping[str, str], ask: Ask | None, warn: Callable[[str], None] | None, azure_token: AzureToken | None
) -> Store:
    if config.store_backend != "local":
        from registryauth.stores.configured import open_remote

        return open_remote(config, environ, ask=ask, notice=warn, azure_token=azure_token)
    if not config.store_path:
        raise ConfigurationError("no home directory is known, so there is no credential store", hint="set HOME, or REGISTRYAUTH_STORE_PATH")
    return open_store(config.store_path, key=config.store_key, key_file=config.store_key_file, environ=environ, ask=ask)


def open_store(
    path: str = "", key: str = "auto", key_file: str = "", environ: Mapping[str, str] = os.environ, *, ask: Ask | None = None
) -> EncryptedStore:
    """The embedded store at *path*, by default ``store.db`` in our data directory; nothing is made before the first `put`.

    *key* is where the key of a new store comes from, one of `stores.keys.CHOICES`; an existing one says itself.
    *key_file* is by default ``store.key`` in our configuration directory. Raise `ConfigurationError` where a
    default is wanted and no home directory is known.
    """
    from registryauth import _paths
    from registryauth.stores.encrypted import EncryptedStore

    return EncryptedStore(
        path or os.path.join(_paths.data_dir(environ), "store.db"),
        key=key,
        key_file=key_file or os.path.join(_paths.config_dir(environ), "store.key"),
        environ=environ,
        ask=ask,
    )


def __getattr__(name: str) -> object:
    # Store exists for type checkers and for users' annotations; typing costs 3 ms on the helper's path.
    if name == "Store":
        from typing import Any

        return Any
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
