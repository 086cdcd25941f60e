"""The embedded store: SQLite with one AES-256-GCM record per secret. The format is docs/store-format.md.

What is bound to each secret: the store, the record's key, the slot, the revision and all metadata. Edits,
swaps and splices are found when a record is read; the return of an old file or row, and a row's removal,
are not.
"""

from __future__ import annotations

import json
import os
import sqlite3

from registryauth._redact import printable
from registryauth.errors import StoreCorrupt, StoreLocked
from registryauth.stores import header as headers
from registryauth.stores import keys, limits, sealing
from registryauth.stores.database import Transaction, size
from registryauth.stores.principal import Key, Principal, places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from typing import Any

    from registryauth.reference import Address

    #: registry, path, account, revision, metadata, slot, sealed: as SQLite gives them, so of any type.
    Row = tuple[Any, Any, Any, Any, Any, Any, Any]

_SELECT = (
    "SELECT registry, path, account, revision, metadata, slot, sealed"
    " FROM records LEFT JOIN secrets USING (registry, path, account)"
)  # fmt: skip
_LIST = f"{_SELECT} ORDER BY registry, path, account, slot"
_EXACT = f"{_SELECT} WHERE registry = ? AND path = ? AND account = ? ORDER BY slot"
_AT = f"{_SELECT} WHERE registry = ? AND path = ? ORDER BY account, slot"
_WHERE_KEY = "WHERE registry = ? AND path = ? AND account = ?"


class EncryptedStore:
    """A store in one file at *path*, made by the first `put`; its key is taken from *key_source* or what its header names.

    *key* is ``auto``, ``file`` or ``keyring`` and counts only when the store is made. *key_file* is where a
    key in a file rests. Safe for many processes and threads at once.
    """

    conditional = True
    enumerable = True

    def __init__(self, path: str, *, key: str = "auto", key_file: str, environ: Mapping[str, str] = os.environ) -> None:
        self.path = os.path.abspath(path)
        self._key = key
        self._key_file = os.path.abspath(key_file)
        self._environ = environ
        self._opened: tuple[headers.Header, bytes] | None = None

    def get(self, address: Address, account: str | None = None) -> Principal | None:
        """The most specific record at or above *address*; of several accounts there, *account* or the preferred one."""
        self._unlock()
        with Transaction(self.path) as connection:
            unlocked = connection and self._unlocked(connection)
            if not connection or not unlocked:
                return None
            candidates = places(address)
            hosts, paths = dict.fromkeys(host for host, _ in candidates), dict.fromkeys(path for _, path in candidates)
            narrowed = "" if account is None else " AND account = ?"
            found = connection.execute(
                f"SELECT DISTINCT registry, path FROM records WHERE registry IN ({_marks(hosts)}) AND path IN ({_marks(paths)}){narrowed}",  # noqa: S608 - marks only
                (*hosts, *paths, *(() if account is None else (account,))),
            ).fetchall()
            if not found:
                return None
            place = min(((registry.decode(), path.decode()) for registry, path in found), key=candidates.index)
            rows = connection.execute(_AT, place) if account is None else connection.execute(_EXACT, (*place, account))
            return limits.preferred(_records(self.path, rows, unlocked))

    def exact(self, key: Key) -> Principal | None:
        """The record with exactly this key."""
        self._unlock()
        with Transaction(self.path) as connection:
            unlocked = connection and self._unlocked(connection)
            if not connection or not unlocked:
                return None
            return next(iter(_records(self.path, connection.execute(_EXACT, _parts(key)), unlocked)), None)

    def at(self, address: Address) -> Sequence[Principal]:
        """Every account's record at exactly *address*, ordered by account."""
        self._unlock()
        with Transaction(self.path) as connection:
            unlocked = connection and self._unlocked(connection)
            if not connection or not unlocked:
                return ()
            return _records(self.path, connection.execute(_AT, (address.registry.host, address.path)), unlocked)

    def list(self) -> list[Principal]:
        """Every record, each one authenticated, ordered by registry, path and account."""
        self._unlock()
        with Transaction(self.path) as connection:
            unlocked = connection and self._unlocked(connection)
            if not connection or not unlocked:
                return []
            return _records(self.path, connection.execute(_LIST), unlocked)

    def put(self, principal: Principal, if_revision: int | None = None) -> Principal:
        """Write a record, and return it with its new revision, which this store never gave before."""
        limits.refuse_unstorable(principal)
        # Before the file is locked, or made: a keyring may take seconds, or refuse.
        chosen = None if size(self.path) else self._choose()
        self._unlock()
        with Transaction(self.path, write=True) as connection:
            assert connection is not None  # noqa: S101 - writing makes the file
            header, data_key = self._unlocked(connection) or self._make(connection, chosen or self._choose())
            stored = _stored_revision(connection, principal.key)
            limits.refuse_conflict(principal.key, stored, if_revision)
            written = principal.replace(revision=headers.count_up(connection, header))
            _write(connection, written, header.store_id, data_key)
        return written

    def delete(self, key: Key, if_revision: int | None = None) -> bool:
        """Remove a record, also a damaged one; whether there was one."""
        if size(self.path) is None:
            limits.refuse_conflict(key, 0, if_revision)
            return False
        self._unlock()
        with Transaction(self.path, write=True) as connection:
            # A locked store is not changed.
            there = connection is not None and self._unlocked(connection) is not None
            stored = _stored_revision(connection, key) if connection and there else 0
            limits.refuse_conflict(key, stored, if_revision)
            return bool(connection and there and _erase(connection, key))

    def close(self) -> None:
        """Forget the key."""
        self._opened = None

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

    def _unlock(self) -> None:
        """Have the key at hand before the file is locked: a keyring may wait for a person."""
        if self._opened is not None:
            return
        with Transaction(self.path) as connection:
            header = headers.read(connection, self.path) if connection else None
        if header is not None:
            self._opened = header, self._data_key(header)

    def _unlocked(self, connection: sqlite3.Connection) -> tuple[headers.Header, bytes] | None:
        """The header and the data key; None if the store is still empty."""
        header = headers.read(connection, self.path)
        if header is None:
            return None
        if self._opened is None or self._opened[0].without_counter() != header.without_counter():
            self._opened = header, self._data_key(header)
        return header, self._opened[1]

    def _data_key(self, header: headers.Header) -> bytes:
        source = self._recorded(header)
        data_key = header.data_key(source.load())
        if data_key is None:
            raise StoreLocked(
                f"the {source.label} holds another key than the one that the store {self.path} was made with ({header.key_id})",
                hint="restore the right key, or move the store away and log in again",
            )
        return data_key

    def _recorded(self, header: headers.Header) -> keys.KeySource:
        return keys.recorded(header.key_source, header.store_id, self._key_file, self._environ)

    def _choose(self) -> tuple[str, keys.KeySource]:
        store_id = os.urandom(16).hex()
        return store_id, keys.choose(self._key, store_id, self._key_file, self._environ)

    def _make(self, connection: sqlite3.Connection, chosen: tuple[str, keys.KeySource]) -> tuple[headers.Header, bytes]:
        store_id, source = chosen
        key = source.create()
        header = headers.create(connection, self.path, store_id, source.describe(), key)
        data_key = header.data_key(key)
        assert data_key is not None  # noqa: S101 - wrapped a moment ago
        return header, data_key


def _records(path: str, rows: Iterable[Row], unlocked: tuple[headers.Header, bytes]) -> list[Principal]:
    """The records in *rows*, which come in the order of their keys and slots."""
    header, data_key = unlocked
    found: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(row[:3], []).append(row)
    return [_record(path, group, header.store_id, data_key) for group in found.values()]


def _marks(values: Collection[str]) -> str:
    return ",".join("?" * len(values))


def _parts(key: Key) -> tuple[str, str, str]:
    return key.address.registry.host, key.address.path, key.account


def _stored_revision(connection: sqlite3.Connection, key: Key) -> int:
    """The stored revision; 0 if there is no record, -1, which nobody asks for, if it was tampered with."""
    row = connection.execute(f"SELECT revision FROM records {_WHERE_KEY}", _parts(key)).fetchone()  # noqa: S608 - a constant
    if row is None:
        return 0
    return row[0] if isinstance(row[0], int) and row[0] > 0 else -1


def _bound(store_id: str, place: Iterable[str], slot: int, revision: int, metadata: bytes) -> bytes:
    """What is bound to a sealed secret, in the order that docs/store-format.md gives."""
    texts = (str(headers.FORMAT), store_id, *place, str(slot), str(revision))
    return sealing.joined(*(text.encode() for text in texts), metadata)


def _write(connection: sqlite3.Connection, principal: Principal, store_id: str, data_key: bytes) -> None:
    place, metadata = _parts(principal.key), limits.canonical(principal.metadata())
    _erase(connection, principal.key)
    connection.execute("INSERT INTO records VALUES (?, ?, ?, ?, ?)", (*place, principal.revision, metadata.decode()))
    for number, slot in enumerate(principal.slots):
        sealed = sealing.seal(data_key, slot.secret.encode(), _bound(store_id, place, number, principal.revision, metadata))
        connection.execute("INSERT INTO secrets VALUES (?, ?, ?, ?, ?)", (*place, number, sealed))


def _erase(connection: sqlite3.Connection, key: Key) -> bool:
    connection.execute(f"DELETE FROM secrets {_WHERE_KEY}", _parts(key))  # noqa: S608 - a constant
    return connection.execute(f"DELETE FROM records {_WHERE_KEY}", _parts(key)).rowcount > 0  # noqa: S608 - a constant


def _record(path: str, rows: list[Row], store_id: str, data_key: bytes) -> Principal:
    """The record whose secrets are *rows*; raise `StoreCorrupt`, naming it, if anything in it is not as we wrote it."""
    try:
        return _authentic(rows, store_id, data_key)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        # Values of another type than ours end here, too: SQLite keeps whatever it is given.
        parts = (part.decode("utf-8", "replace") if isinstance(part, bytes) else "?" for part in rows[0][:3])
        raise StoreCorrupt(
            f"the record {printable(' '.join(parts))} in {path} was damaged or tampered with",
            hint="log in again to write it anew, or log out to remove it; and find out who could write that file",
        ) from error


def _authentic(rows: list[Row], store_id: str, data_key: bytes) -> Principal:
    place = tuple(part.decode() for part in rows[0][:3])
    revision, metadata = rows[0][3], rows[0][4]
    secrets = []
    for number, row in enumerate(rows):
        bound = _bound(store_id, place, number, revision, metadata)
        secret = sealing.unseal(data_key, row[6], bound) if row[5] == number else None
        if secret is None:
            raise ValueError("not what was sealed")
        secrets.append(secret.decode())
    # Every secret that the metadata speaks of must be there: `restore` counts them.
    return Principal.restore(Key.of(*place), json.loads(metadata), tuple(secrets), revision)
