"""A blob on its way into a layout, in a file that outlives its process, so that the next one goes on where this one stopped."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from itertools import cycle

from registryauth._buffers import new_buffer
from registryauth.content.descriptor import Descriptor
from registryauth.content.hashing import hashing
from registryauth.content.layout import Layout
from registryauth.errors import ContentError, DigestMismatch, SizeMismatch
from registryauth.transfer.locks import try_lock

#: Bytes written at a time, and read of a small blob; on ext4 larger writes took twice the time.
PIECE = 256 * 1024
#: Bytes read at a time of a large blob: each turn between the connection and the file costs more than what is copied.
_LARGE_PIECE = 4 * 1024 * 1024
#: The same of all blobs that come at once; there are two buffers for each.
_TOGETHER = 16 * 1024 * 1024
#: The part of a blob that is read at a time: memory for it has to be made, and of sixteen pieces that is a small part.
_PARTS = 16
#: Bytes after which the system is asked to put on the disk what there is. Otherwise it waits for the fsync at the end, and that for
#: all of the blob at once: 1 GiB on ext4 then took twice the time (benchmarks/README.md).
_SETTLE = 8 * 1024 * 1024
#: Seconds between two looks whether another process is done with the same blob.
_POLL = 0.05


class Partial:
    """What there is of *blob* so far: *size* bytes, hashed as they came. One process at a time has it, while *width* blobs come at most."""

    def __init__(self, handle: int, path: str, final: str, blob: Descriptor, width: int) -> None:
        self._handle = handle
        self._path = path
        self._final = final
        self._blob = blob
        self._largest = min(_LARGE_PIECE, _TOGETHER // width)
        self._hasher = hashing(blob.digest, blob.size)
        self._settling = 0
        self.size = 0

    @property
    def piece(self) -> int:
        """The bytes to read at a time: one more than is due at most, so that a byte too many is seen."""
        return min(max(PIECE, min(self._largest, self._blob.size // _PARTS)), self._blob.size - self.size + 1)

    def take_up(self) -> None:
        """Count and hash what an earlier process left; the hash at the end tells whether all of it reached the disk."""
        left = os.fstat(self._handle).st_size
        if not left:
            return
        if left > self._blob.size:
            self.restart()
        buffers = cycle([new_buffer(PIECE) for _ in range(2)])
        while count := os.readv(self._handle, [buffer := next(buffers)]):
            self._hasher.update(buffer[:count])
            self.size += count

    def write(self, piece: memoryview) -> None:
        """Append *piece*; raise `SizeMismatch` if that is more than the description allows, `ContentError` if the disk does not take it.

        *piece* must stay as it is until the next call of anything here returns: it may still be on its way into the hash.
        """
        if self.size + len(piece) > self._blob.size:
            self.discard()
            raise SizeMismatch(f"{self._blob.digest} is larger than the {self._blob.size} bytes described")
        self._hasher.update(piece)
        try:
            while len(piece):
                count = os.write(self._handle, piece[:PIECE])
                piece = piece[count:]
                self.size += count
        except OSError as error:
            # On a full disk what was fetched so far is in everybody's way.
            self.discard()
            raise ContentError(f"cannot write {self._path}: {error.strerror}", hint="is the disk full?") from error
        if self.size - self._settling >= _SETTLE:
            self._settle()

    def _settle(self) -> None:
        """Have what was written since the last time go to the disk; nobody waits for it, and the fsync at the end tells if it failed."""
        if hasattr(os, "posix_fadvise"):
            with contextlib.suppress(OSError):
                os.posix_fadvise(self._handle, self._settling, self.size - self._settling, os.POSIX_FADV_DONTNEED)
        self._settling = self.size

    def restart(self) -> None:
        """Forget what is there."""
        os.ftruncate(self._handle, 0)
        os.lseek(self._handle, 0, os.SEEK_SET)
        self._hasher.close()
        self._hasher = hashing(self._blob.digest, self._blob.size)
        self._settling = self.size = 0

    def is_right(self) -> bool:
        """Whether the whole blob is there, and is that blob."""
        return self.size == self._blob.size and self._hasher.hexdigest() == self._blob.digest.encoded

    def finish(self) -> None:
        """Give the blob its final name; raise `SizeMismatch` or `DigestMismatch`, and keep nothing, if this is not it."""
        if self.size != self._blob.size:
            self.discard()
            raise SizeMismatch(f"{self._blob.digest} has {self._blob.size} bytes by its description, {self.size} came")
        if not self.is_right():
            self.discard()
            raise DigestMismatch(
                f"what came is not {self._blob.digest}, but {self._blob.digest.algorithm}:{self._hasher.hexdigest()}",
                hint="the registry or a proxy before it is damaged or lies",
            )
        try:
            os.fsync(self._handle)
            os.replace(self._path, self._final)
        except OSError as error:
            self.discard()
            raise ContentError(f"cannot write {self._final}: {error.strerror}", hint="is the disk full?") from error

    def close(self) -> None:
        """Let go of all but the file."""
        self._hasher.close()

    def discard(self) -> None:
        """Remove the file."""
        with contextlib.suppress(OSError):
            os.unlink(self._path)


def begun(layout: Layout, blob: Descriptor) -> int:
    """The bytes of *blob* that an earlier process left in *layout*."""
    try:
        return min(os.lstat(_beside(layout.path(blob.digest))).st_size, blob.size)
    except OSError:
        return 0


@contextlib.contextmanager
def claim(layout: Layout, blob: Descriptor, pause: Callable[[float], None], width: int = 1) -> Iterator[Partial | None]:
    """*blob* for us alone to bring into *layout*; None if it is there, checked, be it that another process has just brought it.

    While somebody else is at it, *pause* is called with seconds to wait. *width* blobs are on their way at once, and share the memory.
    """
    final = layout.path(blob.digest)
    path = _beside(final)
    while True:
        if layout.holds(blob):
            yield None
            return
        handle = try_lock(path, os.O_RDWR | os.O_CREAT)
        if handle is None:
            pause(_POLL)
            continue
        if layout.lacks(blob) or not layout.holds(blob):
            break
        # Somebody brought it between our look and our lock, and what we have locked is a new and empty file.
        os.unlink(path)
        os.close(handle)
    try:
        with contextlib.closing(Partial(handle, path, final, blob, width)) as partial:
            partial.take_up()
            yield partial
    except OSError as error:
        raise ContentError(f"cannot write {path}: {error.strerror}", hint="is the disk full?") from error
    finally:
        os.close(handle)


def _beside(final: str) -> str:
    directory, _, name = final.rpartition("/")
    return f"{directory}/.{name}.partial"
