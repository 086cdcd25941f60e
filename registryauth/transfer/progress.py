"""What a transfer tells while it runs, and what it amounted to."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

from registryauth._value import Value
from registryauth.content.descriptor import Descriptor
from registryauth.digest import Digest


class Progress(Value):
    """One step: *done* of *total* bytes of the content *digest*.

    *what* is ``fetch`` or ``send`` while bytes move; ``present`` or ``mounted`` for a blob that need not move; ``foreign`` for a layer
    that registries do not hold (it has URLs elsewhere) and that is left out; ``manifest`` once a manifest or index is in its place.
    """

    what: str
    digest: Digest
    done: int
    total: int


class Transferred(Value):
    """What a transfer amounted to: *root* is what was asked for, *moved* blobs of *size* bytes went over the wire.

    *present* blobs were there already, *mounted* ones were taken from another repository of the same registry, *foreign* ones left
    out. *files* are the paths that an artifact's files were written to.
    """

    root: Descriptor
    moved: int = 0
    size: int = 0
    present: int = 0
    mounted: int = 0
    foreign: tuple[Descriptor, ...] = ()
    files: tuple[str, ...] = ()


class Stopped(Exception):
    """Another part of the transfer failed; never leaves this package."""


class Objected(Exception):
    """The callback raised its cause; never leaves this package. Of itself that could pass for the disk's fault, or the connection's."""


class Ledger:
    """Hands events to *callback*, one at a time whatever thread they come from, and keeps the sums; *stop* ends the transfer."""

    def __init__(self, callback: Callable[[Progress], None] | None, stop: threading.Event) -> None:
        self._callback = callback
        self._stop = stop
        self._lock = threading.Lock()
        self._sums: Counter[str] = Counter()
        self._foreign: tuple[Descriptor, ...] = ()

    def ticker(self, what: str, blob: Descriptor) -> Callable[[int], None]:
        """A function to be called with the bytes of *blob* that are done; it raises `Stopped` once the transfer is off."""
        digest, total, callback = blob.digest, blob.size, self._callback

        def tick(done: int) -> None:
            if self._stop.is_set():
                raise Stopped
            if callback:
                try:
                    with self._lock:
                        callback(Progress(what, digest, done, total))
                except Exception as error:
                    raise Objected from error

        return tick

    def settled(self, what: str, blob: Descriptor) -> None:
        """*blob* is where it belongs: it is ``present``, ``mounted`` or ``manifest``."""
        with self._lock:
            self._sums[what] += 1
            if self._callback:
                self._callback(Progress(what, blob.digest, blob.size, blob.size))

    def moved(self, size: int) -> None:
        """A blob went over the wire, *size* bytes of it now."""
        with self._lock:
            self._sums["moved"] += 1
            self._sums["size"] += size

    def has_only_moved(self, count: int) -> bool:
        """Whether *count* blobs went over the wire by now, and none was there already."""
        return self._sums["moved"] >= count and not self._sums["present"]

    def left_out(self, foreign: tuple[Descriptor, ...]) -> None:
        """*foreign* layers are not transferred."""
        self._foreign = foreign
        for blob in foreign:
            self.settled("foreign", blob)

    def result(self, root: Descriptor, files: tuple[str, ...] = ()) -> Transferred:
        """The sums."""
        sums = self._sums
        return Transferred(root, sums["moved"], sums["size"], sums["present"], sums["mounted"], self._foreign, files)
