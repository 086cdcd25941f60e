"""Looking at every record of an encrypted store, one by one, so that a damaged one does not hide the others."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from registryauth._value import Value
from registryauth.stores import backup, rows
from registryauth.stores import header as headers
from registryauth.stores.database import FAILURES, Transaction, failure, in_memory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from registryauth.stores.encrypted import EncryptedStore
    from registryauth.stores.rows import Row


class Damage(Value):
    """A record that cannot be used: where it stands, as far as that can be read, and *what* is wrong. Empty: the file itself."""

    address: str
    account: str
    what: str


class Report(Value):
    """What a look at every record found: how many are sound, and what is damaged."""

    sound: int
    damaged: tuple[Damage, ...]


def check(store: EncryptedStore) -> Report:
    """Authenticate every record of *store*.

    Raise `StoreLocked` without its key, `StoreCorrupt` where its header is damaged, without which nothing can be read.
    """
    store.unlock()
    with Transaction(store.path) as connection:
        unlocked = connection and store.unlocked(connection)
        if not connection or not unlocked:
            return Report(0, ())
        sound, damaged = _look(store.path, connection, unlocked)
    return Report(len(sound), damaged)


def repair(store: EncryptedStore, now: float) -> tuple[Report, str]:
    """Keep the sound records alone, and set the damaged file aside; the report of what was lost, and where that file is.

    Nothing is changed, and the second is empty, where nothing is damaged. Raise as `check` does.
    """
    found = check(store)
    if not found.damaged:
        return found, ""
    # Locked, and so looked at anew: what others write waits for the new file.
    with Transaction(store.path, write=True) as connection:
        unlocked = connection and store.unlocked(connection)
        if not connection or not unlocked:
            return Report(0, ()), ""
        sound, damaged = _look(store.path, connection, unlocked)
        aside = backup.swap(store.path, _written_anew(unlocked[0], sound), now)
        # Nothing was written to the old file, and a damaged one refuses even to be told so.
        connection.execute("ROLLBACK")
    return Report(len(sound), damaged), aside


def _look(path: str, connection: sqlite3.Connection, unlocked: tuple[headers.Header, bytes]) -> tuple[list[list[Row]], tuple[Damage, ...]]:
    header, data_key = unlocked
    groups, damaged = _groups(path, connection)
    sound = []
    for group in groups:
        if what := _fault(group, header.store_id, data_key):
            registry, path_, account = rows.place_of(group)
            damaged.append(Damage(f"{registry}/{path_}".rstrip("/"), account, what))
        else:
            sound.append(group)
    return sound, tuple(damaged)


def _groups(path: str, connection: sqlite3.Connection) -> tuple[list[list[Row]], list[Damage]]:
    """Every record that SQLite can still read with its secrets, and what it cannot."""
    damaged: list[Damage] = []
    tables: dict[str, dict[tuple[Any, ...], list[tuple[Any, ...]]]] = {"records": {}, "secrets": {}}
    for table, found in tables.items():
        # From both ends, up to a broken page: what lies behind it is not lost.
        for direction in ("ASC", "DESC"):
            try:
                for row in _rows(connection, table, direction):
                    there = found.setdefault(row[:3], [])
                    if row not in there:
                        there.append(row)
            except FAILURES as error:
                damage = Damage("", "", f"a part of the file cannot be read, and records may be missing: {failure(path, error).message}")
                damaged += [damage] if damage not in damaged else []
    records, secrets = tables["records"], tables["secrets"]
    nothing: list[tuple[Any, ...]] = [(None, None)]
    groups: list[list[Row]] = []
    for place in {**records, **secrets}:
        revision, metadata = records.get(place, nothing)[0][-2:]
        slots = sorted((row[3:] for row in secrets.get(place, [])), key=str) or nothing
        groups.append([(*place, revision, metadata, *slot) for slot in slots])
    return groups, damaged


def _rows(connection: sqlite3.Connection, table: str, direction: str) -> Iterator[tuple[Any, ...]]:
    yield from connection.execute(f"SELECT * FROM {table} ORDER BY registry {direction}, path {direction}, account {direction}")  # noqa: S608 - our words


def _fault(group: list[Row], store_id: str, data_key: bytes) -> str:
    """What is wrong with a record; empty if nothing is."""
    if group[0][4] is None:
        return "a secret without its record"
    if group[0][5] is None:
        return "a record without its secret"
    try:
        rows.authentic(group, store_id, data_key)
    except rows.NOT_OURS:
        return "changed since it was written: its secrets, dates and names do not belong together"
    return ""


def _written_anew(header: headers.Header, sound: list[list[Row]]) -> bytes:
    """The bytes of a store with *header* and the *sound* records, sealed as they were."""
    with closing(in_memory()) as connection:
        headers.make_tables(connection)
        entries = [(name.decode(), value) for name, value in header.entries.items()]
        connection.executemany("INSERT INTO header VALUES (?, ?)", entries)
        for group in sound:
            place = [part.decode() for part in group[0][:3]]
            connection.execute("INSERT INTO records VALUES (?, ?, ?, ?, ?)", (*place, group[0][3], group[0][4].decode()))
            for row in group:
                connection.execute("INSERT INTO secrets VALUES (?, ?, ?, ?, ?)", (*place, row[5], row[6]))
        return connection.serialize()
