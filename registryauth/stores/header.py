"""The head of a store: who it is, where its key comes from, and the data key under that key."""

from __future__ import annotations

import json
import sqlite3

from registryauth._value import Value
from registryauth.errors import StoreCorrupt, StoreUnavailable
from registryauth.stores import sealing
from registryauth.stores.database import restore_hint, size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: The version of docs/store-format.md that we read and write.
FORMAT = 1

_TABLES = {
    "header": "CREATE TABLE header (name TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID",
    "records": (
        "CREATE TABLE records (registry TEXT, path TEXT, account TEXT, revision INTEGER, metadata TEXT,"
        " PRIMARY KEY (registry, path, account)) WITHOUT ROWID"
    ),
    "secrets": (
        "CREATE TABLE secrets (registry TEXT, path TEXT, account TEXT, slot INTEGER, sealed BLOB,"
        " PRIMARY KEY (registry, path, account, slot)) WITHOUT ROWID"
    ),
}
#: Rows of the header, ours and what a later version may add; we write six.
_MAX_ENTRIES = 32
#: Not bound to the wrapped key: itself, and the number that every write changes.
_UNBOUND = (b"wrapped_key", b"counter")


class Header(Value, hidden=("entries",)):
    """The rows of the header, read and of a version that we know; nothing in them is to be believed before `data_key`."""

    path: str
    entries: dict[bytes, bytes]

    @property
    def version(self) -> int:
        """The format version; 0 if there is none to be read."""
        text = self._text(b"format")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0

    @property
    def store_id(self) -> str:
        """The random name of this store: 32 hex digits."""
        return self._text(b"store_id")

    @property
    def key_source(self) -> dict[str, Any]:
        """Where the key-encryption key comes from, as `KeySource.describe` gave it."""
        try:
            described = json.loads(self._text(b"key_source"))
        except (ValueError, RecursionError):
            described = None
        if not isinstance(described, dict):
            raise self.damaged("its key source cannot be read")
        return described

    @property
    def counter(self) -> int:
        """The highest revision given so far."""
        text = self._text(b"counter")
        # 18 digits: what comes next still fits SQLite's 63 bits.
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            raise self.damaged("its revision counter cannot be read")
        return int(text)

    @property
    def key_id(self) -> str:
        """Which key-encryption key wraps the data key: `fingerprint`."""
        return self._text(b"key_id")

    def without_counter(self) -> dict[bytes, bytes]:
        """What stays the same for as long as the keys do."""
        return {name: value for name, value in self.entries.items() if name != b"counter"}

    def data_key(self, key: bytes) -> bytes | None:
        """The data key, unwrapped with the key-encryption *key*; None if that is not the key.

        Raise `StoreCorrupt` if it is the key, and the header was changed.
        """
        data_key = sealing.unseal(key, self._value(b"wrapped_key"), _bound(self.entries))
        if data_key is not None and len(data_key) == sealing.KEY_SIZE:
            return data_key
        if self.key_id != fingerprint(key):
            return None
        raise self.damaged("it does not fit its key")

    def _text(self, name: bytes) -> str:
        try:
            return self._value(name).decode()
        except UnicodeDecodeError:
            raise self.damaged(f"its {name.decode()} is not text") from None

    def _value(self, name: bytes) -> bytes:
        if name not in self.entries:
            raise self.damaged(f"it has no {name.decode()}")
        return self.entries[name]

    def damaged(self, what: str) -> StoreCorrupt:
        """The error to raise: *what* is wrong with the header."""
        return StoreCorrupt(f"the header of the store {self.path} was damaged or tampered with: {what}", hint=restore_hint(self.path))


def fingerprint(key: bytes) -> str:
    """An identifier of *key* that does not help to find it: 64 bits of a SHA-256."""
    import hashlib

    return hashlib.sha256(b"registryauth key id\0" + key).hexdigest()[:16]


def _bound(entries: dict[bytes, bytes]) -> bytes:
    """All of the header but what `_UNBOUND` names, in the order of the names."""
    rows = sorted((name, value) for name, value in entries.items() if name not in _UNBOUND)
    return sealing.joined(b"registryauth header", *(part for row in rows for part in row))


def read(connection: sqlite3.Connection, path: str) -> Header | None:
    """The header of the store in *connection*; None if the file is still empty.

    Raise `StoreUnavailable` if a later version wrote it, `StoreCorrupt` if it is not ours.
    """
    tables = _schema(connection)
    # Its size, not its bytes: closing a file gives up every lock that this process has on it (fcntl(2)).
    if not tables and not size(path):
        return None
    # SQLite takes a file of a few bytes for an empty database, and would write over it.
    if "header" not in tables:
        raise StoreCorrupt(f"{path} is not a store of registryauth", hint="name another place for the store; this file was not changed")
    rows = dict(connection.execute("SELECT name, value FROM header LIMIT ?", (_MAX_ENTRIES,)).fetchall())
    if not all(isinstance(part, bytes) for row in rows.items() for part in row):
        raise StoreCorrupt(f"the header of the store {path} was damaged or tampered with", hint=restore_hint(path))
    header = Header(path, rows)
    if header.version > FORMAT:
        raise StoreUnavailable(
            f"the store {path} was written by a newer registryauth (format {header.version}, known here is {FORMAT})",
            hint="update registryauth",
        )
    if header.version != FORMAT:
        raise header.damaged("it has no format version")
    if tables != _TABLES:
        raise header.damaged("its tables are not the ones that we made")
    return header


def _schema(connection: sqlite3.Connection) -> dict[str, str]:
    found = connection.execute("SELECT name, sql FROM sqlite_master WHERE substr(name, 1, 7) != 'sqlite_' LIMIT 16")
    return {name.decode("utf-8", "replace"): (sql or b"").decode("utf-8", "replace") for name, sql in found}


def make_tables(connection: sqlite3.Connection) -> None:
    """Make the empty tables of a store."""
    for statement in _TABLES.values():
        connection.execute(statement)


def create(connection: sqlite3.Connection, path: str, store_id: str, key_source: dict[str, Any], key: bytes) -> Header:
    """Make the tables and the header of a new store, with a new data key under *key*."""
    entries = {
        b"format": str(FORMAT).encode(),
        b"store_id": store_id.encode(),
        b"counter": b"0",
    } | _keyed(key_source, key)
    entries[b"wrapped_key"] = sealing.seal(key, sealing.new_key(), _bound(entries))
    make_tables(connection)
    connection.executemany("INSERT INTO header VALUES (?, ?)", [(name.decode(), value) for name, value in entries.items()])
    return Header(path, entries)


def rewrap(connection: sqlite3.Connection, header: Header, key_source: dict[str, Any], key: bytes, data_key: bytes) -> Header:
    """Wrap *data_key* with the key-encryption *key*, which from now on comes from *key_source*; the header as it is then."""
    entries = header.without_counter() | _keyed(key_source, key)
    entries[b"wrapped_key"] = sealing.seal(key, data_key, _bound(entries))
    connection.executemany("UPDATE header SET value = ? WHERE name = ?", [(value, name.decode()) for name, value in entries.items()])
    return header.replace(entries=header.entries | entries)


def _keyed(key_source: dict[str, Any], key: bytes) -> dict[bytes, bytes]:
    described = json.dumps(key_source, sort_keys=True, separators=(",", ":"))
    return {b"key_source": described.encode(), b"key_id": fingerprint(key).encode()}


def count_up(connection: sqlite3.Connection, header: Header, by: int = 1) -> int:
    """The last of *by* revisions that this store never gave before."""
    revision = header.counter + by
    connection.execute("UPDATE header SET value = ? WHERE name = 'counter'", (str(revision).encode(),))
    return revision
