"""A few threads for the pieces of one transfer; the first failure stops them all."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable
from typing import TypeVar

from registryauth.transfer.progress import Objected, Stopped

T = TypeVar("T")
R = TypeVar("R")

#: Requests under way at once that a registry may be asked to bear.
MAX_JOBS = 64
#: Seconds that threads get to notice that the transfer is off. One may sit in a read that lasts until its timeout: it is left behind,
#: a daemon, and ends by itself without writing another byte.
_GRACE = 2.0


class Crew:
    """At most *jobs* pieces of work at once, and now *width*; *stop* is set once one of them failed or the caller was interrupted."""

    def __init__(self, jobs: int) -> None:
        if not 1 <= jobs <= MAX_JOBS:
            raise ValueError(f"jobs is a number from 1 to {MAX_JOBS}, not {jobs}")
        self._jobs = jobs
        self.width = 1
        self.stop = threading.Event()

    def pause(self, seconds: float) -> None:
        """Wait *seconds*; raise `Stopped` if the transfer is called off meanwhile."""
        if self.stop.wait(seconds):
            raise Stopped

    def each(self, work: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """What *work* gives for each of *items*, in their order; raise the first failure, promptly."""
        todo = list(enumerate(items))
        count = min(self._jobs, len(todo))
        self.width = max(count, 1)
        done: dict[int, R] = {}
        if count <= 1:
            try:
                return [work(item) for _, item in todo]
            except Objected as error:
                raise _told(error) from None
        waiting = iter(todo)
        lock = threading.Lock()
        failures: list[BaseException] = []
        ended: queue.SimpleQueue[None] = queue.SimpleQueue()

        def take() -> tuple[int, T] | None:
            with lock:
                return None if self.stop.is_set() else next(waiting, None)

        def labour() -> None:
            try:
                while piece := take():
                    done[piece[0]] = work(piece[1])
            except Stopped:
                pass
            except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
                failures.append(error)
                self.stop.set()
            finally:
                ended.put(None)

        for number in range(count):
            threading.Thread(target=labour, name=f"transfer-{number}", daemon=True).start()
        self._await(count, ended)
        if failures:
            raise _told(failures[0])
        return [done[number] for number in sorted(done)]

    def _await(self, count: int, ended: queue.SimpleQueue[None]) -> None:
        try:
            while count and not self.stop.is_set():
                ended.get()
                count -= 1
        finally:
            if count:
                self.stop.set()
                deadline = time.monotonic() + _GRACE
                while count and (left := deadline - time.monotonic()) > 0:
                    try:
                        ended.get(timeout=left)
                    except queue.Empty:
                        break
                    count -= 1


def _told(error: BaseException) -> BaseException:
    """What the caller of a transfer is to see of *error*."""
    return error.__cause__ or error if isinstance(error, Objected) else error
