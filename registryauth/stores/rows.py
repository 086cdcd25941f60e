"""A record on its way into the tables of an encrypted store, and back."""

from __future__ import annotations

import json

from registryauth._redact import printable
from registryauth.errors import StoreCorrupt
from registryauth.stores import header as headers
from registryauth.stores import limits, sealing
from registryauth.stores.principal import Key, Principal

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from typing import Any

    #: registry, path, account, revision, metadata, slot, sealed: as SQLite gives them, so of any type.
    Row = tuple[Any, Any, Any, Any, Any, Any, Any]

_SELECT = (
    "SELECT registry, path, account, revision, metadata, slot, sealed"
    " FROM records LEFT JOIN secrets USING (registry, path, account)"
)  # fmt: skip
LIST = f"{_SELECT} ORDER BY registry, path, account, slot"
EXACT = f"{_SELECT} WHERE registry = ? AND path = ? AND account = ? ORDER BY slot"
AT = f"{_SELECT} WHERE registry = ? AND path = ? ORDER BY account, slot"
_WHERE_KEY = "WHERE registry = ? AND path = ? AND account = ?"


def grouped(rows: Iterable[Row]) -> list[list[Row]]:
    """*rows*, which come in the order of their keys and slots, one list for each record."""
    found: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(row[:3], []).append(row)
    return list(found.values())


def records(path: str, rows: Iterable[Row], unlocked: tuple[headers.Header, bytes]) -> list[Principal]:
    """The records in *rows*, which come in the order of their keys and slots; raise `StoreCorrupt` for a damaged one."""
    header, data_key = unlocked
    return [_record(path, group, header.store_id, data_key) for group in grouped(rows)]


def parts(key: Key) -> tuple[str, str, str]:
    """*key* as the columns of every table have it."""
    return key.address.registry.host, key.address.path, key.account


def stored_revision(connection: sqlite3.Connection, key: Key) -> int:
    """The stored revision; 0 if there is no record, -1, which nobody asks for, if it was tampered with."""
    row = connection.execute(f"SELECT revision FROM records {_WHERE_KEY}", parts(key)).fetchone()  # noqa: S608 - a constant
    if row is None:
        return 0
    return row[0] if isinstance(row[0], int) and row[0] > 0 else -1


def write(connection: sqlite3.Connection, principal: Principal, store_id: str, data_key: bytes) -> None:
    """Put *principal* in the place of what had its key."""
    place, metadata = parts(principal.key), limits.canonical(principal.metadata())
    erase(connection, principal.key)
    connection.execute("INSERT INTO records VALUES (?, ?, ?, ?, ?)", (*place, principal.revision, metadata.decode()))
    for number, slot in enumerate(principal.slots):
        sealed = sealing.seal(data_key, slot.secret.encode(), _bound(store_id, place, number, principal.revision, metadata))
        connection.execute("INSERT INTO secrets VALUES (?, ?, ?, ?, ?)", (*place, number, sealed))


def erase(connection: sqlite3.Connection, key: Key) -> bool:
    """Remove the record with *key*; whether there was one."""
    connection.execute(f"DELETE FROM secrets {_WHERE_KEY}", parts(key))  # noqa: S608 - a constant
    return connection.execute(f"DELETE FROM records {_WHERE_KEY}", parts(key)).rowcount > 0  # noqa: S608 - a constant


def authentic(group: list[Row], store_id: str, data_key: bytes) -> Principal:
    """The record whose secrets are *group*; raise `ValueError` or its like if anything in it is not as we wrote it."""
    place = tuple(part.decode() for part in group[0][:3])
    revision, metadata = group[0][3], group[0][4]
    secrets = []
    for number, row in enumerate(group):
        secret = sealing.unseal(data_key, row[6], _bound(store_id, place, number, revision, metadata)) if row[5] == number else None
        if secret is None:
            raise ValueError("not what was sealed")
        secrets.append(secret.decode())
    # Every secret that the metadata speaks of must be there: `restore` counts them.
    return Principal.restore(Key.of(*place), json.loads(metadata), tuple(secrets), revision)


#: What `authentic` ends in for rows that are not ours: SQLite keeps values of whatever type it is given.
NOT_OURS = (ValueError, KeyError, TypeError, AttributeError, RecursionError)


def place_of(group: list[Row]) -> tuple[str, str, str]:
    """Registry, path and account of *group* for people, whatever they are made of."""
    registry, path, account = (printable(part.decode("utf-8", "replace")) if isinstance(part, bytes) else "?" for part in group[0][:3])
    return registry, path, account


def reseal(connection: sqlite3.Connection, store_id: str, old: bytes, new: bytes) -> None:
    """Seal with the data key *new* what is sealed with *old*; every row must be known to be authentic."""
    for *place, revision, metadata, slot, sealed in connection.execute(LIST).fetchall():
        bound = _bound(store_id, [part.decode() for part in place], slot, revision, metadata)
        secret = sealing.unseal(old, sealed, bound)
        assert secret is not None  # noqa: S101 - the caller has read it
        anew = (sealing.seal(new, secret, bound), *(part.decode() for part in place), slot)
        connection.execute(f"UPDATE secrets SET sealed = ? {_WHERE_KEY} AND slot = ?", anew)  # noqa: S608 - a constant


def _record(path: str, group: list[Row], store_id: str, data_key: bytes) -> Principal:
    """The record whose secrets are *group*; raise `StoreCorrupt`, naming it, if anything in it is not as we wrote it."""
    try:
        return authentic(group, store_id, data_key)
    except NOT_OURS as error:
        raise StoreCorrupt(
            f"the record {printable(' '.join(place_of(group)))} in {path} was damaged or tampered with",
            hint="log in again to write it anew, or log out to remove it; and find out who could write that file",
        ) from error


def _bound(store_id: str, place: Iterable[str], slot: int, revision: int, metadata: bytes) -> bytes:
    """What is bound to a sealed secret, in the order that docs/store-format.md gives."""
    texts = (str(headers.FORMAT), store_id, *place, str(slot), str(revision))
    return sealing.joined(*(text.encode() for text in texts), metadata)
