"""Which accounts a store's file holds, read without its key: for a shell that completes a word, and may ask nobody anything.

Registry, path and account of a record stand in the clear (docs/store-format.md); nothing here is authenticated, so that it is
good for a suggestion and for nothing else.
"""

from __future__ import annotations

import json
import os
import sqlite3

from registryauth import _paths
from registryauth._value import Value
from registryauth.errors import StoreUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

#: Seconds to wait for another process's write: whoever pressed a key waits, too.
_BUSY_SECONDS = 0.1
#: Records; nobody reads through a longer list of suggestions.
MOST = 5000
#: Caches of remote stores that are looked into.
_MOST_CACHES = 8
#: By it an entry of a cache says what it stands for; see `stores.cached`.
_CACHE_LABEL = "registryauth cache"


class Place(Value):
    """Where a record is: *registry* ``host[:port]``, *path* in it (empty for the whole), *account*."""

    registry: str
    path: str
    account: str

    @property
    def address(self) -> str:
        """As it is typed: ``registry`` or ``registry/path``."""
        return f"{self.registry}/{self.path}" if self.path else self.registry


def places_in(path: str) -> tuple[Place, ...]:
    """The places of the records in the store at *path*, sorted, at most `MOST`; none where it cannot be read right now."""
    rows = _rows(path, "SELECT registry, path, account FROM records ORDER BY registry, path, account LIMIT ?")
    return tuple(dict.fromkeys(found for row in rows if (found := _place(*row)) is not None))


def places_in_caches(directory: str) -> tuple[Place, ...]:
    """The places of the records that remote stores gave before, from the caches in *directory*; as `places_in`."""
    try:
        names = sorted(name for name in os.listdir(directory) if name.startswith("answers-") and name.endswith(".db"))
    except OSError:
        return ()
    found = (place for name in names[:_MOST_CACHES] for place in _remembered(os.path.join(directory, name)))
    return tuple(sorted(set(found), key=lambda place: (place.registry, place.path, place.account)))


def _remembered(path: str) -> Iterator[Place]:
    for (metadata,) in _rows(path, "SELECT metadata FROM records LIMIT ?"):
        try:
            said = json.loads(json.loads(metadata)["labels"][_CACHE_LABEL])
            found = _place(*(said[name].encode() for name in ("registry", "path", "account")))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            continue
        if found is not None:
            yield found


def _rows(path: str, query: str) -> list[tuple[bytes, ...]]:
    try:
        _paths.require_private(path, os.lstat(path))
        _paths.require_own_dir(os.path.dirname(path))
    except (OSError, StoreUnavailable):
        return []
    escaped = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    try:
        # mode=ro makes, changes and rolls back nothing.
        connection = sqlite3.connect(f"file://{escaped}?mode=ro", timeout=_BUSY_SECONDS, isolation_level=None, uri=True)
    except sqlite3.Error:
        return []
    try:
        connection.text_factory = bytes
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 1024 * 1024)
        connection.execute("PRAGMA trusted_schema=OFF")
        return connection.execute(query, (MOST,)).fetchall()
    except (sqlite3.Error, UnicodeDecodeError):
        return []
    finally:
        connection.close()


def _place(registry: object, path: object, account: object) -> Place | None:
    """The place that three columns name; None where they are no text that could be typed."""
    texts = []
    for column in (registry, path, account):
        try:
            texts.append(column.decode() if isinstance(column, bytes) else "\x00")
        except UnicodeDecodeError:
            return None
    return Place(*texts) if texts[0] and all(text.isprintable() for text in texts) else None
