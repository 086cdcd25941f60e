"""Copies of an encrypted store: taken while others write, verified before they take its place."""

from __future__ import annotations

import os
import time
from contextlib import closing, suppress

from registryauth import _paths
from registryauth._redact import printable
from registryauth.errors import StoreCorrupt, StoreLocked, StoreUnavailable
from registryauth.stores import header as headers
from registryauth.stores import rows
from registryauth.stores.database import FAILURES, Transaction, failure, in_memory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.stores.encrypted import EncryptedStore

#: Bytes of a copy that is read back: half a million records.
MAX_FILE = 512 * 1024 * 1024


def backup(store: EncryptedStore, file: str, *, force: bool = False) -> int:
    """Copy *store*, as it is at one moment, to *file*, mode 0600, all of it or nothing; how many records that are.

    The key is not needed, and not in it. Raise `StoreUnavailable` where there is no store, and where *file*
    exists unless *force*.
    """
    with Transaction(store.path) as connection:
        if connection is None or headers.read(connection, store.path) is None:
            raise StoreUnavailable(f"there is no store at {store.path} yet", hint="there is nothing to back up")
        (records,) = connection.execute("SELECT count(*) FROM records").fetchone()
        # SQLite's own copy of what this transaction sees; on disk it would take the umask's rights for a moment.
        data = connection.serialize()
    if os.path.realpath(file) == os.path.realpath(store.path):
        raise StoreUnavailable(f"{printable(file)} is the store itself", hint="name another file")
    try:
        _paths.write_private(os.path.abspath(file), data, replace=force)
    except FileExistsError:
        raise StoreUnavailable(f"{printable(file)} exists", hint="name another file, or replace it with --force") from None
    return int(records)


def restore(store: EncryptedStore, file: str, now: float) -> tuple[int, str]:
    """Put the copy in *file* into the place of *store*, once it opens with our key and every record in it is authentic.

    How many records that are, and where the store that was replaced is kept, empty where there was none. Raise
    `StoreLocked` for a copy with another key, `StoreCorrupt` for a damaged one, having changed nothing.
    """
    data = _read(file)
    with closing(in_memory(data, printable(file))) as copy:
        try:
            header = headers.read(copy, file)
            if header is None:
                raise StoreCorrupt(f"{printable(file)} is empty", hint="name another file")
            count = len(rows.records(file, copy.execute(rows.LIST), (header, _data_key(store, header, file))))
        except FAILURES as error:
            raise failure(file, error) from error
    return count, replace(store.path, data, now)


def replace(path: str, data: bytes, now: float) -> str:
    """Put *data* into the place of the store at *path*; where the old one is kept, dated, empty if there was none.

    Who writes at the same time waits, and then writes to the new file.
    """
    try:
        with Transaction(path, write=True):
            return swap(path, data, now)
    except StoreCorrupt:
        # No store that anybody could be writing to.
        return swap(path, data, now)


def swap(path: str, data: bytes, now: float) -> str:
    """Do what `replace` does, for a caller that has locked the store."""
    aside = ""
    try:
        if os.lstat(path).st_size:
            aside = _aside(path, now)
            _keep(path, aside)
            # SQLite would play the old file's journal back into the new one.
            with suppress(FileNotFoundError):
                os.replace(f"{path}-journal", f"{aside}-journal")
    except OSError as error:
        raise StoreUnavailable(f"the old store cannot be kept beside {path}: {error.strerror}", hint="nothing was replaced") from error
    _paths.write_private(path, data)
    return aside


def _keep(path: str, aside: str) -> None:
    try:
        os.link(path, aside, follow_symlinks=False)
    except OSError:
        # No hard links here: for a moment there is no store, and its copy is beside.
        os.replace(path, aside)


def _aside(path: str, now: float) -> str:
    dated = f"{path}.{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(now))}"
    names = (f"{dated}{end}" for end in ("", *(f".{number}" for number in range(2, 1000))))
    return next(name for name in names if not os.path.lexists(name))


def _data_key(store: EncryptedStore, header: headers.Header, file: str) -> bytes:
    try:
        return store.data_key(header)
    except StoreLocked as error:
        raise StoreLocked(f"{printable(file)} cannot be opened: {error.message}", hint=error.hint) from error


def _read(file: str) -> bytes:
    try:
        with open(file, "rb") as opened:
            data = opened.read(MAX_FILE + 1)
    except OSError as error:
        raise StoreUnavailable(f"{printable(file)} cannot be read: {error.strerror}", hint="name the file of a backup") from error
    if len(data) > MAX_FILE:
        raise StoreUnavailable(f"{printable(file)} is longer than {MAX_FILE} bytes", hint="is that a backup?")
    if not data:
        raise StoreCorrupt(f"{printable(file)} is empty", hint="name another file")
    return data
