"""A store that forgets: for tests, and for a process that is handed its credentials."""

from __future__ import annotations

import threading

from registryauth.stores import limits
from registryauth.stores.principal import Key, Principal, places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from registryauth.reference import Address


class MemoryStore:
    """Records in a dictionary, with the meaning that `EncryptedStore` gives to every method; safe for threads."""

    conditional = True
    enumerable = True
    atomic = True

    def __init__(self) -> None:
        self._records: dict[Key, Principal] = {}
        self._counter = 0
        self._lock = threading.Lock()

    def get(self, address: Address, account: str | None = None) -> Principal | None:
        """The most specific record at or above *address*; of several accounts there, *account* or the preferred one."""
        return limits.preferred(self.nearest(address, account))

    def nearest(self, address: Address, account: str | None = None) -> Sequence[Principal]:
        """Every account's record, or *account*'s, at the nearest place at or above *address* that has one."""
        candidates = places(address)
        with self._lock:
            found = [
                record
                for key, record in self._records.items()
                if account in (None, key.account) and (key.address.registry.host, key.address.path) in candidates
            ]
        nearest = min((candidates.index((r.address.registry.host, r.address.path)) for r in found), default=0)
        return [r for r in found if (r.address.registry.host, r.address.path) == candidates[nearest]]

    def nearest_all(self, questions: Sequence[tuple[Address, str | None]]) -> Sequence[Sequence[Principal]]:
        """What `nearest` gives for each of *questions*."""
        return [self.nearest(*question) for question in questions]

    def exact(self, key: Key) -> Principal | None:
        """The record with exactly this key."""
        with self._lock:
            return self._records.get(key)

    def at(self, address: Address) -> Sequence[Principal]:
        """Every account's record at exactly *address*, ordered by account."""
        with self._lock:
            found = [record for key, record in self._records.items() if key.address == address]
        return sorted(found, key=lambda record: record.account)

    def put(self, principal: Principal, if_revision: int | None = None) -> Principal:
        """Write a record, and return it with its new revision, which this store never gave before."""
        return self.put_all([(principal, if_revision)])[0]

    def put_all(self, records: Iterable[tuple[Principal, int | None]]) -> list[Principal]:
        """Write every record as `put` does: all of them, or where one is refused none."""
        wanted = list(records)
        for principal, _ in wanted:
            limits.refuse_unstorable(principal)
        with self._lock:
            written: dict[Key, Principal] = {}
            given = []
            for revision, (principal, if_revision) in enumerate(wanted, self._counter + 1):
                stored = written.get(principal.key) or self._records.get(principal.key)
                limits.refuse_conflict(principal.key, stored.revision if stored else 0, if_revision)
                written[principal.key] = principal.replace(revision=revision)
                given.append(written[principal.key])
            self._counter += len(wanted)
            self._records |= written
        return given

    def delete(self, key: Key, if_revision: int | None = None) -> bool:
        """Remove a record; whether there was one."""
        with self._lock:
            limits.refuse_conflict(key, self._revision(key), if_revision)
            return self._records.pop(key, None) is not None

    def list(self) -> list[Principal]:
        """Every record, ordered by registry, path and account."""
        with self._lock:
            found = list(self._records.values())
        return sorted(found, key=lambda each: (each.address.registry.host, each.address.path, each.account))

    def stamp(self) -> None:
        """Nothing: to read here costs as little."""

    def status(self) -> dict[str, Any]:
        """That it is here, and for how long."""
        with self._lock:
            return {"backend": "memory", "path": "this process", "key": "nothing: it ends with the process", "records": len(self._records)}

    def close(self) -> None:
        """Forget everything."""
        with self._lock:
            self._records.clear()

    def _revision(self, key: Key) -> int:
        found = self._records.get(key)
        return found.revision if found else 0
