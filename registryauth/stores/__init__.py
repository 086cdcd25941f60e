"""Where a secret rests: records by (registry, path, account).

`Store` is the interface; `open_store` gives the configured one. A lookup is by whole path segments and
the most specific record wins; several accounts at one address are told apart by name, or by which was
preferred last.
"""

from __future__ import annotations

from registryauth.stores.principal import Key, Principal, Slot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from registryauth.reference import Address

    class Store(Protocol):
        """The contract of every store; `registryauth.testing.StoreContract` holds its tests.

        *conditional*: `put` and `delete` honour *if_revision*, so that no write loses another's.
        *enumerable*: `list` works. Every method raises `StoreLocked`, `StoreUnavailable` or `StoreCorrupt`.
        """

        conditional: bool
        enumerable: bool

        def get(self, address: Address, account: str | None = None) -> Principal | None:
            """The most specific record at or above *address*; with *account*, of that account only. Absent is None."""
            ...

        def exact(self, key: Key) -> Principal | None:
            """The record with exactly this key. Absent is None."""
            ...

        def put(self, principal: Principal, if_revision: int | None = None) -> Principal:
            """Write a record and return it with its new revision.

            *if_revision* 0 means "only if there is none"; another number, "only if that is the stored
            revision"; None writes in any case. Raise `Conflict` where it does not hold, having written nothing.
            """
            ...

        def delete(self, key: Key, if_revision: int | None = None) -> bool:
            """Remove a record; whether there was one. Raise `Conflict` as `put` does."""
            ...

        def list(self) -> list[Principal]:
            """Every record, ordered by registry, path and account."""
            ...

        def close(self) -> None:
            """Let go of files and keys; the store is not used afterwards."""
            ...


__all__ = ["Key", "Principal", "Slot", "Store"]


def __getattr__(name: str) -> object:
    # Store exists for type checkers and for users' annotations; typing costs 3 ms on the helper's path.
    if name == "Store":
        from typing import Any

        return Any
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
