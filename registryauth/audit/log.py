"""The log's file: opened anew for each writing, locked, its last line read, the next ones appended."""

from __future__ import annotations

import json
import os
import stat
import time

from registryauth import _paths
from registryauth._value import Value
from registryauth.audit import chain
from registryauth.audit.event import Event, body
from registryauth.errors import StoreUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

#: Bytes of a line: every field at its longest, each character written as a pair of surrogates (12 bytes), stays below it.
MAX_LINE = 16 * 1024
#: Seconds to wait for the others that write; each takes less than a millisecond.
PATIENCE = 5.0
#: Bytes to read for the last line: enough as a rule, and enough in any case.
_TAILS = (4 * 1024, 4 * MAX_LINE)
#: Beyond it a sequence number is none of ours, and JSON readers round it.
_MAX_SEQUENCE = 2**53


class Log:
    """The file at *path*, mode 0600, made with its directory by the first `append`. Safe for processes and threads.

    Nothing is forced to the disk: a power cut may take the last lines, a crash of the process does not.
    """

    def __init__(self, path: str, *, clock: Callable[[], float] = time.time, patience: float = PATIENCE) -> None:
        self.path = os.path.abspath(path)
        self._clock = clock
        self._patience = patience

    def append(self, events: Sequence[Event], key: bytes | None) -> list[bytes]:
        """Write a line for each of *events*, under *key* if there is one; the lines.

        Raise `StoreUnavailable` for a file that cannot be written, is not ours alone, or holds something else.
        """
        try:
            handle = self._locked()
            try:
                return list(self._written(handle, events, key))
            finally:
                # Closing unlocks.
                os.close(handle)
        except OSError as error:
            raise self._unwritable(error.strerror or type(error).__name__) from error

    def _written(self, handle: int, events: Sequence[Event], key: bytes | None) -> Iterator[bytes]:
        end = self._end(handle)
        if end is None:
            end, detail = self._earlier()
            events = [Event("begun", detail=detail), *events]
        key_id = None if key is None else chain.key_id(key)
        for sequence, event in enumerate(events, end.sequence + 1):
            line = chain.closed(body(event, sequence, end.hash, key_id, self._clock()), key)
            # What a killed process left half written stays, as a line of its own.
            _write(handle, (b"\n" if end.torn else b"") + line + b"\n")
            end = End(sequence, chain.hash_of(line), False)
            yield line

    def _end(self, handle: int) -> End | None:
        """How the file ends; None while it is empty."""
        size = os.fstat(handle).st_size
        return self._end_of(handle, size) if size else None

    def _end_of(self, handle: int, size: int) -> End:
        for window in _TAILS:
            start = max(0, size - window)
            if end := ending(os.pread(handle, window, start), whole=start == 0):
                return end
        raise self._unwritable("it does not end as a log of ours does")

    def _earlier(self) -> tuple[End, str]:
        """How the file ends that a rotation put aside last, and its name, where there is one that can be read."""
        directory, name = os.path.split(self.path)
        nothing = End(0, chain.NO_LINE, False)
        with os.scandir(directory) as entries:
            named = [entry for entry in entries if entry.name.startswith((f"{name}.", f"{name}-"))]
            aside = [(found.st_mtime, entry) for entry in named if stat.S_ISREG((found := entry.stat(follow_symlinks=False)).st_mode)]
        if not aside:
            return nothing, ""
        latest = max(aside, key=lambda each: each[0])[1]
        try:
            handle = os.open(latest.path, _READING)
        except OSError:
            return nothing, f"{latest.name} could not be read"
        try:
            size = os.fstat(handle).st_size
            return (self._end_of(handle, size) if size else nothing), f"carries on from {latest.name}"
        except StoreUnavailable:
            # Compressed at once, for example.
            return nothing, f"{latest.name} could not be read"
        finally:
            os.close(handle)

    def _locked(self) -> int:
        """A handle of the file that has the name now, locked."""
        deadline = time.monotonic() + self._patience
        pause = 0.0005
        while True:
            handle, locked = self._opened(), False
            try:
                # While we waited it may have been put aside.
                if locked := _try_lock(handle) and _has_name(handle, self.path):
                    return handle
            finally:
                if not locked:
                    os.close(handle)
            if time.monotonic() > deadline:
                raise self._unwritable(f"another process has held it for {self._patience:.0f} s")
            time.sleep(pause)
            pause = min(2 * pause, 0.02)

    def _opened(self) -> int:
        directory = os.path.dirname(self.path)
        try:
            handle = os.open(self.path, os.O_RDWR | os.O_APPEND | _CAREFULLY)
        except FileNotFoundError:
            _paths.private_dir(directory)
            from contextlib import suppress

            with suppress(FileExistsError):
                _paths.create_private(self.path)
            handle = os.open(self.path, os.O_RDWR | os.O_APPEND | _CAREFULLY)
        except OSError:
            if os.path.islink(self.path):
                _paths.require_private(self.path, os.lstat(self.path))
            raise
        try:
            _paths.require_own_dir(directory)
            _paths.require_private(self.path, os.fstat(handle))
        except BaseException:
            os.close(handle)
            raise
        return handle

    def _unwritable(self, why: str) -> StoreUnavailable:
        return StoreUnavailable(
            f"the audit log {self.path} cannot be written: {why}",
            hint="check the rights and the free space of its directory, or name another file as audit.file",
        )


class End(Value):
    """How a log ends: the last sequence number (0 if no line has one), the last line's hash, whether that line is torn."""

    sequence: int
    hash: str
    torn: bool


# O_NONBLOCK: a FIFO in the file's place would make us wait.
_CAREFULLY = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
_READING = os.O_RDONLY | _CAREFULLY


def ending(tail: bytes, *, whole: bool) -> End | None:
    """How the file ends that *tail* is the end of, or, if *whole*, all of; None if more of it is needed to tell."""
    lines = tail.split(b"\n")
    torn = bool(lines[-1])
    if not torn:
        lines.pop()
    if not whole:
        # It may have begun further up.
        lines = lines[1:]
    for line in reversed(lines):
        if sequence := sequence_of(line):
            return End(sequence, chain.hash_of(lines[-1]), torn)
    return End(0, chain.hash_of(lines[-1]), torn) if whole else None


def sequence_of(line: bytes) -> int:
    """The sequence number of *line*; 0 if it is no line of ours."""
    found = fields_of(line).get("sequence")
    return found if type(found) is int and 0 < found < _MAX_SEQUENCE else 0


def fields_of(line: bytes) -> dict[str, Any]:
    """What *line* says; nothing if it is torn or not ours."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def open_to_read(path: str) -> int | None:
    """A handle of a log for reading; None if there is none. Raise `StoreUnavailable` for a file that is not ours alone."""
    try:
        handle = os.open(path, _READING)
    except FileNotFoundError:
        return None
    except OSError as error:
        if os.path.islink(path):
            _paths.require_private(path, os.lstat(path))
        raise StoreUnavailable(f"the audit log {path} cannot be read: {error.strerror}", hint="check the rights of the file") from error
    try:
        _paths.require_private(path, os.fstat(handle))
    except BaseException:
        os.close(handle)
        raise
    return handle


def settled_size(handle: int, patience: float = PATIENCE) -> int:
    """The bytes of the file at a moment at which nobody writes, or after *patience* seconds at whichever moment it is."""
    import fcntl

    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() < deadline:
                time.sleep(0.001)
                continue
            return os.fstat(handle).st_size
        try:
            return os.fstat(handle).st_size
        finally:
            fcntl.flock(handle, fcntl.LOCK_UN)


def _try_lock(handle: int) -> bool:
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _has_name(handle: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.lstat(path))
    except FileNotFoundError:
        return False


def _write(handle: int, line: bytes) -> None:
    """All of *line*, in one call as a rule: less is written only to a disk that is full, and then the next call says so."""
    while line:
        line = line[os.write(handle, line) :]
