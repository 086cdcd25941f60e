"""Hashing beside what else is done with the same bytes."""

from __future__ import annotations

import os
import threading
from queue import SimpleQueue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.digest import Digest, Hasher

#: Bytes from which on a thread of its own pays. Smaller blobs come several at a time, and keep every processor busy as it is.
LARGE = 32 * 1024 * 1024


class Beside:
    """*hasher* at work in another thread, while the caller reads and writes; to be closed.

    It has one piece at a time: what `update` was given must stay as it is until the next call of anything here returns.
    """

    def __init__(self, hasher: Hasher) -> None:
        self._hasher = hasher
        self._given: SimpleQueue[memoryview | None] = SimpleQueue()
        self._taken: SimpleQueue[None] = SimpleQueue()
        self._busy = False
        self._thread = threading.Thread(target=self._work, name="hashing", daemon=True)
        self._thread.start()

    def update(self, piece: memoryview) -> None:
        """Hash *piece*, once the one before it is done."""
        self._wait()
        self._given.put(piece)
        self._busy = True

    def hexdigest(self) -> str:
        """The digest of all that was given."""
        self._wait()
        return self._hasher.hexdigest()

    def close(self) -> None:
        """End the thread."""
        self._given.put(None)
        self._thread.join()

    def _wait(self) -> None:
        if self._busy:
            self._taken.get()
            self._busy = False

    def _work(self) -> None:
        while (piece := self._given.get()) is not None:
            # Python lets go of its lock here, so that both threads run.
            self._hasher.update(piece)
            self._taken.put(None)


class Alone:
    """*hasher* in the caller's own thread, with the same methods."""

    def __init__(self, hasher: Hasher) -> None:
        self.update = hasher.update
        self.hexdigest = hasher.hexdigest

    def close(self) -> None:
        """Nothing is held."""


def hashing(digest: Digest, size: int) -> Beside | Alone:
    """What hashes *size* bytes by the algorithm of *digest*: beside the caller where that is quicker."""
    return Beside(digest.hasher()) if size >= LARGE and _processors() > 1 else Alone(digest.hasher())


def _processors() -> int:
    # A container may have been given fewer than the machine has.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
