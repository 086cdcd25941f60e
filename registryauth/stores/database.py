"""The SQLite file under the encrypted store: how it is opened, and how its failures are told.

A rollback journal, not a write-ahead log: at rest the store is one file, which can be copied.
"""

from __future__ import annotations

import os
import sqlite3

from registryauth import _paths
from registryauth._redact import printable
from registryauth.errors import StoreCorrupt, StoreError, StoreUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

#: How long to wait for another process's write, which takes milliseconds.
BUSY_SECONDS = 10.0
#: Bytes of a row: more than two secrets of the largest size with their metadata; SQLite refuses to read a longer one.
_MAX_ROW = 1024 * 1024

#: Seconds after a change in which another one may leave the same time behind: FAT counts in steps of two, and every
#: other file system that Python runs on in shorter ones.
_UNSETTLED = 3.0

#: How often the file may be replaced (`backup.restore`) while we wait for it.
_MAX_REPLACED = 8

_READING = ("PRAGMA trusted_schema=OFF", "PRAGMA cell_size_check=ON")
_WRITING = ("PRAGMA journal_mode=DELETE", "PRAGMA synchronous=FULL", "PRAGMA secure_delete=ON")

# https://www.sqlite.org/rescode.html, primary codes; every other one means that the file is not as we wrote it.
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_OUTSIDE = {
    sqlite3.SQLITE_READONLY: "it or its directory cannot be written",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "reading or writing failed",
    sqlite3.SQLITE_CANTOPEN: "it, or the journal beside it, cannot be opened",
    sqlite3.SQLITE_PERM: "access was denied",
    sqlite3.SQLITE_NOMEM: "memory ran out",
    sqlite3.SQLITE_NOLFS: "the file is too large for its file system",
}


#: What SQLite's own errors come as: a message that quotes a damaged name is no UTF-8, and then it is that which is raised.
FAILURES = (sqlite3.Error, UnicodeDecodeError)


class Transaction:
    """One connection for one transaction: committed if the block ends well, undone otherwise.

    Reading gives None where there is no file, and makes none; writing makes it, mode 0600, in directories
    of mode 0700. A connection a transaction, because a file that was replaced under an open connection
    would swallow what is written to it. Every failure is a `StoreError`.
    """

    def __init__(self, path: str, *, write: bool = False) -> None:
        self._path = path
        self._write = write
        self._connection: sqlite3.Connection | None = None

    def __enter__(self) -> sqlite3.Connection | None:
        there = size(self._path) is not None
        if not there and not self._write:
            return None
        if not there:
            _create(self._path)
        _paths.require_own_dir(os.path.dirname(self._path))
        for _ in range(_MAX_REPLACED):
            before = _identity(self._path)
            connection = self._begin()
            if not self._write or _identity(self._path) == before:
                return connection
            # While we waited for the lock, another file took its place: what is written to this one would be lost.
            self._close()
        raise StoreUnavailable(f"the store {self._path} is replaced again and again", hint="look for what does so, and try again")

    def _begin(self) -> sqlite3.Connection:
        try:
            self._connection = _connect(self._path)
            for pragma in _READING + _WRITING if self._write else _READING:
                self._connection.execute(pragma)
            self._connection.execute("BEGIN IMMEDIATE" if self._write else "BEGIN")
        except FAILURES as error:
            self._close()
            raise failure(self._path, error) from error
        return self._connection

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            # Reading ends with the connection; `soundness.repair` ends its transaction itself.
            if error is None and self._write and self._connection is not None and self._connection.in_transaction:
                self._connection.execute("COMMIT")
        except FAILURES as failed:
            error = failed
        finally:
            # Closing undoes what was not committed.
            self._close()
        if isinstance(error, FAILURES):
            raise failure(self._path, error) from error

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def size(path: str) -> int | None:
    """The bytes of the file, which must be ours alone; None if there is none. Raise `StoreUnavailable` for any other file."""
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StoreUnavailable(f"the store {path} cannot be reached: {error.strerror}", hint="check the directory's rights") from error
    _paths.require_private(path, found)
    return found.st_size


def stamp(path: str, now: float) -> tuple[int, ...] | None:
    """The identity and the times of the file, which every write and every replacement changes.

    None where there is no file, and where it changed so short a while before *now*, in seconds since the epoch, that one more
    write could end in the same tick of its file system's clock. From a network file system it is as late as that is.
    """
    try:
        found = os.lstat(path)
    except OSError:
        return None
    if not found.st_mtime + _UNSETTLED < now:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size


def _create(path: str) -> None:
    _paths.private_dir(os.path.dirname(path))
    try:
        # Before SQLite opens it: SQLite would make it with the umask's rights.
        _paths.create_private(path)
    except FileExistsError:
        # Another process was quicker; what it made must pass like any other file.
        size(path)


def _connect(path: str) -> sqlite3.Connection:
    # A percent sign, a question mark or a hash would end the path; mode=rw makes no file.
    escaped = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    return _careful(sqlite3.connect(f"file://{escaped}?mode=rw", timeout=BUSY_SECONDS, isolation_level=None, uri=True))


def in_memory(data: bytes = b"", path: str = "") -> sqlite3.Connection:
    """A database in memory, with the content of a whole file if that is given; *path* names it. Raise `StoreCorrupt`.

    The caller closes it.
    """
    connection = _careful(sqlite3.connect(":memory:", isolation_level=None))
    if not data:
        return connection
    try:
        connection.deserialize(data)
        for pragma in _READING:
            connection.execute(pragma)
        # SQLite looks at the content only now.
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except (*FAILURES, OverflowError) as error:
        connection.close()
        raise StoreCorrupt(f"{path} is not a store that registryauth wrote, or it is damaged", hint="name another file") from error
    return connection


def _careful(connection: sqlite3.Connection) -> sqlite3.Connection:
    # Decoding is ours to do: what is no UTF-8 was not written by us.
    connection.text_factory = bytes
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_ROW)
    return connection


def failure(path: str, error: Exception) -> StoreError:
    """What SQLite's *error* means for the store at *path*."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    said = printable(str(error))
    if code in _BUSY:
        return StoreUnavailable(
            f"the store {path} is busy: another process has held it for {BUSY_SECONDS:.0f} s",
            hint="try again; if it stays so, look for a hanging registryauth process",
        )
    if code in _OUTSIDE:
        return StoreUnavailable(
            f"the store {path} cannot be used: {_OUTSIDE[code]} ({said})",
            hint="check the rights and the free space of its directory",
        )
    return StoreCorrupt(f"{path} is not a store that registryauth wrote, or it is damaged ({said})", hint=restore_hint(path))


def restore_hint(path: str) -> str:
    """What to do about a store that cannot be read."""
    return f"nothing was changed; restore {path} from a backup, or move it away and log in again"
