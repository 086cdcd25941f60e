"""What was read from a store, for as long as nothing changed there."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from registryauth.resolver.stored import Looked
    from registryauth.stores import Store

#: Seconds. A file system of another machine may be late to say that something changed, and which record is in use is noted
#: when it is read.
KEEP = 600.0
#: Answers kept; one with a secret of usual size takes about 4 KiB.
MAX_ANSWERS = 1024


class Remembered:
    """Answers of one store, none older than its last change; safe for threads. A store that cannot tell is read each time."""

    def __init__(self, limit: int = MAX_ANSWERS, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._lock = threading.Lock()
        self._answers: OrderedDict[Hashable, tuple[float, Looked]] = OrderedDict()
        self._of: tuple[Store, object] | None = None

    def get(self, store: Store, question: Hashable, read: Callable[[], Looked]) -> Looked:
        """The answer to *question*: the remembered one, or what *read* gives, which asks *store*."""
        # Before the reading: what changes after this moment changes the next stamp.
        stamp = store.stamp()
        if stamp is None:
            return read()
        now = self._clock()
        with self._lock:
            if self._of != (store, stamp):
                self._answers.clear()
                self._of = (store, stamp)
            kept = self._answers.get(question)
            if kept is not None and now < kept[0]:
                self._answers.move_to_end(question)
                return kept[1]
        answer = read()
        with self._lock:
            if self._of == (store, stamp):
                self._answers[question] = (now + KEEP, answer)
                self._answers.move_to_end(question)
                if len(self._answers) > self._limit:
                    self._answers.popitem(last=False)
        return answer
