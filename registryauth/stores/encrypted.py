"""The embedded store: SQLite with one AES-256-GCM record per secret. The format is docs/store-format.md.

What is bound to each secret: the store, the record's key, the slot, the revision and all metadata. Edits,
swaps and splices are found when a record is read; the return of an old file or row, and a row's removal,
are not.
"""

from __future__ import annotations

import os
import time

from registryauth.errors import Conflict, StoreUnavailable
from registryauth.stores import header as headers
from registryauth.stores import keys, limits, rows, sealing
from registryauth.stores.database import Transaction, size, stamp
from registryauth.stores.principal import Key, Principal, places

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from typing import Any, NoReturn

    from registryauth.reference import Address


class EncryptedStore:
    """A store in one file at *path*, made by the first `put`; its key comes from where its header says.

    *key* is one of `keys.CHOICES` and counts only when the store is made. *key_file* is where a key in a file
    rests; *ask* asks a person for a passphrase, and without it nobody is asked. Safe for many processes and
    threads at once.
    """

    conditional = True
    enumerable = True
    atomic = True

    def __init__(
        self,
        path: str,
        *,
        key: str = "auto",
        key_file: str,
        environ: Mapping[str, str] = os.environ,
        ask: keys.Ask | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.path = os.path.abspath(path)
        self._key = key
        self._keys = keys.Surroundings(os.path.abspath(key_file), environ, ask, clock)
        self._opened: tuple[headers.Header, bytes] | None = None

    def get(self, address: Address, account: str | None = None) -> Principal | None:
        """The most specific record at or above *address*; of several accounts there, *account* or the preferred one."""
        return limits.preferred(self.nearest(address, account))

    def nearest(self, address: Address, account: str | None = None) -> Sequence[Principal]:
        """Every account's record, or *account*'s, at the nearest place at or above *address* that has one."""
        return self.nearest_all([(address, account)])[0]

    def nearest_all(self, questions: Sequence[tuple[Address, str | None]]) -> Sequence[Sequence[Principal]]:
        """What `nearest` gives for each of *questions*, all of one moment."""
        self.unlock()
        with Transaction(self.path) as connection:
            unlocked = connection and self.unlocked(connection)
            if not connection or not unlocked:
                return [()] * len(questions)
            return [rows.records(self.path, _nearest(connection, *question), unlocked) for question in questions]

    def exact(self, key: Key) -> Principal | None:
        """The record with exactly this key."""
        self.unlock()
        with Transaction(self.path) as connection:
            unlocked = connection and self.unlocked(connection)
            if not connection or not unlocked:
                return None
            return next(iter(rows.records(self.path, connection.execute(rows.EXACT, rows.parts(key)), unlocked)), None)

    def at(self, address: Address) -> Sequence[Principal]:
        """Every account's record at exactly *address*, ordered by account."""
        self.unlock()
        with Transaction(self.path) as connection:
            unlocked = connection and self.unlocked(connection)
            if not connection or not unlocked:
                return ()
            return rows.records(self.path, connection.execute(rows.AT, (address.registry.host, address.path)), unlocked)

    def list(self) -> list[Principal]:
        """Every record, each one authenticated, ordered by registry, path and account."""
        self.unlock()
        with Transaction(self.path) as connection:
            unlocked = connection and self.unlocked(connection)
            if not connection or not unlocked:
                return []
            return rows.records(self.path, connection.execute(rows.LIST), unlocked)

    def put(self, principal: Principal, if_revision: int | None = None) -> Principal:
        """Write a record, and return it with its new revision, which this store never gave before."""
        return self.put_all([(principal, if_revision)])[0]

    def put_all(self, records: Iterable[tuple[Principal, int | None]]) -> Sequence[Principal]:
        """Write every record as `put` does, in one transaction: all of them, or where one is refused none."""
        wanted = list(records)
        for principal, _ in wanted:
            limits.refuse_unstorable(principal)
        if not wanted:
            return []
        # Before the file is locked, or made: a keyring may take seconds, or refuse.
        chosen = None if size(self.path) else self._choose()
        self.unlock()
        with Transaction(self.path, write=True) as connection:
            assert connection is not None  # noqa: S101 - writing makes the file
            header, data_key = self.unlocked(connection) or self._make(connection, chosen or self._choose())
            last = headers.count_up(connection, header, len(wanted))
            written = []
            for revision, (principal, if_revision) in enumerate(wanted, last - len(wanted) + 1):
                limits.refuse_conflict(principal.key, rows.stored_revision(connection, principal.key), if_revision)
                written.append(principal.replace(revision=revision))
                rows.write(connection, written[-1], header.store_id, data_key)
        self._opened = header, data_key
        return written

    def delete(self, key: Key, if_revision: int | None = None) -> bool:
        """Remove a record, also a damaged one; whether there was one."""
        if size(self.path) is None:
            limits.refuse_conflict(key, 0, if_revision)
            return False
        self.unlock()
        with Transaction(self.path, write=True) as connection:
            # A locked store is not changed.
            there = connection is not None and self.unlocked(connection) is not None
            stored = rows.stored_revision(connection, key) if connection and there else 0
            limits.refuse_conflict(key, stored, if_revision)
            return bool(connection and there and rows.erase(connection, key))

    def close(self) -> None:
        """Forget the key."""
        self._opened = None

    def stamp(self, *, clock: Callable[[], float] = time.time) -> object | None:
        """What tells this state of the file from every other one; None for a file that is not there or has just changed."""
        return stamp(self.path, clock())

    def status(self) -> dict[str, Any]:
        """What can be said without the key: backend, path, exists, format, store_id, key (its source), records."""
        with Transaction(self.path) as connection:
            header = headers.read(connection, self.path) if connection else None
            if not connection or not header:
                return {
                    "backend": "local",
                    "path": self.path,
                    "exists": False,
                    "format": headers.FORMAT,
                    "store_id": "",
                    "key": "",
                    "records": 0,
                }
            (records,) = connection.execute("SELECT count(*) FROM records").fetchone()
            source = self._recorded(header).label
            found = {"backend": "local", "path": self.path, "exists": True, "format": header.version, "store_id": header.store_id}
            return found | {"key": source, "records": records}

    def derived_key(self, label: str) -> bytes:
        """32 bytes for another use than sealing records, one key for each *label*; `rekey` changes all of them.

        HKDF-SHA256 (RFC 5869) of the data key. Raise `StoreUnavailable` where there is no store yet.
        """
        _, data_key = self._present()
        return sealing.derived(data_key, label)

    def rekey(self, key: str = "") -> str:
        """Make a new data key and seal every record with it, in one transaction; where the key-encryption key is now.

        Store id and revisions stay. *key*, one of `keys.CHOICES`, moves the key-encryption key, too. Raise
        `StoreCorrupt` for a damaged record, having changed nothing.
        """
        header, _ = self._present()
        if not key or key == header.key_source["source"]:
            source = self._recorded(header)
            return self._rewrap(header, source, source.load(), anew=True)
        source = keys.choose(key, header.store_id, self._keys)
        return self._rewrap(header, source, source.create(), anew=True)

    def change_passphrase(self, ask: keys.Ask) -> None:
        """Wrap the data key with the new passphrase that *ask* gives; nothing else changes. *ask* is asked once the old one is known.

        Raise `StoreUnavailable` where the key does not come from a passphrase.
        """
        from registryauth.stores.passphrase_key import PassphraseKey

        header = self._header()
        old = self._recorded(header)
        if not isinstance(old, PassphraseKey):
            raise StoreUnavailable(
                f"the key of the store {self.path} comes from the {old.label}, not from a passphrase",
                hint="registryauth store rekey --key passphrase gives it one",
            )
        # Who finds a terminal unlocked must not be able to lock its owner out.
        self._opened = header, self._unwrapped(header, old, old.derive())
        source = PassphraseKey.make(header.store_id, self._keys.replace(environ={}, ask=ask))
        self._rewrap(header, source, source.create(), anew=False)

    def keep_unlocked(self, seconds: int) -> int:
        """Let this account's processes open the store without its passphrase for *seconds*; until when, in seconds since the epoch.

        0 where there is no passphrase to give: then the key was had, and nothing is kept. The passphrase is asked for
        even if the store is unlocked. Raise `StoreUnavailable` where there is no $XDG_RUNTIME_DIR to keep the key in.
        """
        from registryauth.stores import unlocked
        from registryauth.stores.passphrase_key import PassphraseKey

        header = self._header()
        source = self._recorded(header)
        if not isinstance(source, PassphraseKey):
            self.data_key(header)
            return 0
        unlocked.require_place(self._keys.environ)
        key = source.derive()
        self._unwrapped(header, source, key)
        return unlocked.keep(source.unlocked, key, seconds)

    def unlocked_until(self) -> int:
        """When what `keep_unlocked` keeps expires, in seconds since the epoch; 0 if it keeps nothing."""
        from registryauth.stores import unlocked
        from registryauth.stores.passphrase_key import PassphraseKey

        with Transaction(self.path) as connection:
            header = headers.read(connection, self.path) if connection else None
        source = self._recorded(header) if header else None
        return unlocked.until(source.unlocked) if isinstance(source, PassphraseKey) else 0

    def unlock(self) -> None:
        """Have the key at hand before the file is locked: a keyring may wait for a person."""
        if self._opened is not None:
            return
        with Transaction(self.path) as connection:
            header = headers.read(connection, self.path) if connection else None
        if header is not None:
            self._opened = header, self.data_key(header)

    def unlocked(self, connection: sqlite3.Connection) -> tuple[headers.Header, bytes] | None:
        """The header and the data key; None if the store is still empty."""
        header = headers.read(connection, self.path)
        if header is None:
            return None
        if self._opened is None or self._opened[0].without_counter() != header.without_counter():
            self._opened = header, self.data_key(header)
        return header, self._opened[1]

    def _present(self) -> tuple[headers.Header, bytes]:
        """The header and the data key; raise `StoreUnavailable` where there is no store yet."""
        self.unlock()
        with Transaction(self.path) as connection:
            found = connection and self.unlocked(connection)
        return found or self._absent()

    def _header(self) -> headers.Header:
        with Transaction(self.path) as connection:
            header = headers.read(connection, self.path) if connection else None
        return header or self._absent()

    def _absent(self) -> NoReturn:
        raise StoreUnavailable(f"there is no store at {self.path} yet", hint="the first registryauth login makes it")

    def _rewrap(self, seen: headers.Header, source: keys.KeySource, key: bytes, *, anew: bool) -> str:
        """Wrap the data key, a new one where *anew*, with *key*, which *source* gives from now on."""
        with Transaction(self.path, write=True) as connection:
            assert connection is not None  # noqa: S101 - writing makes the file
            header, data_key = self.unlocked(connection) or self._absent()
            if header.without_counter() != seen.without_counter():
                raise Conflict(f"the key of the store {self.path} was changed by somebody else in the meantime", hint="try again")
            if anew:
                rows.records(self.path, connection.execute(rows.LIST), (header, data_key))
                fresh = sealing.new_key()
                rows.reseal(connection, header.store_id, data_key, fresh)
                data_key = fresh
            header = headers.rewrap(connection, header, source.describe(), key, data_key)
        self._opened = header, data_key
        if source.describe() != seen.key_source:
            from registryauth.stores import unlocked

            unlocked.forget(self._keys.environ, header.store_id)
        return source.label

    def data_key(self, header: headers.Header) -> bytes:
        """The data key of the store with *header*, this one's or a copy's; raise `StoreLocked` if our key is not its key."""
        source = self._recorded(header)
        return self._unwrapped(header, source, source.load())

    def _unwrapped(self, header: headers.Header, source: keys.KeySource, key: bytes) -> bytes:
        data_key = header.data_key(key)
        if data_key is None:
            raise keys.mismatch(source, header.path, header.key_id)
        return data_key

    def _recorded(self, header: headers.Header) -> keys.KeySource:
        return keys.recorded(header.key_source, header.store_id, self._keys)

    def _choose(self) -> tuple[str, keys.KeySource]:
        store_id = os.urandom(16).hex()
        return store_id, keys.choose(self._key, store_id, self._keys)

    def _make(self, connection: sqlite3.Connection, chosen: tuple[str, keys.KeySource]) -> tuple[headers.Header, bytes]:
        store_id, source = chosen
        key = source.create()
        header = headers.create(connection, self.path, store_id, source.describe(), key)
        data_key = header.data_key(key)
        assert data_key is not None  # noqa: S101 - wrapped a moment ago
        return header, data_key


def _nearest(connection: sqlite3.Connection, address: Address, account: str | None) -> Iterable[rows.Row]:
    """The rows of the nearest place for *address*."""
    candidates = places(address)
    hosts, paths = dict.fromkeys(host for host, _ in candidates), dict.fromkeys(path for _, path in candidates)
    narrowed = "" if account is None else " AND account = ?"
    found = connection.execute(
        f"SELECT DISTINCT registry, path FROM records WHERE registry IN ({_marks(hosts)}) AND path IN ({_marks(paths)}){narrowed}",  # noqa: S608 - marks only
        (*hosts, *paths, *(() if account is None else (account,))),
    ).fetchall()
    if not found:
        return ()
    place = min(((registry.decode(), path.decode()) for registry, path in found), key=candidates.index)
    return connection.execute(rows.AT, place) if account is None else connection.execute(rows.EXACT, (*place, account))


def _marks(values: Collection[str]) -> str:
    return ",".join("?" * len(values))
