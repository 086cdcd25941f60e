"""What was learnt last: a mapping with an end."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable

K = TypeVar("K", bound="Hashable")
V = TypeVar("V")

#: As many as a process remembers of anything; one that visits more repositories than this asks the first again.
LIMIT = 4096


class Recent(Generic[K, V]):
    """The last *limit* values by their keys, the oldest forgotten first; safe to share between threads."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._held: dict[K, V] = {}
        self._lock = threading.Lock()

    def get(self, key: K) -> V | None:
        """The value of *key*, None if there is none any more."""
        return self._held.get(key)

    def put(self, key: K, value: V) -> None:
        """Keep *value* as the newest."""
        with self._lock:
            self._held.pop(key, None)
            while len(self._held) >= self._limit:
                del self._held[next(iter(self._held))]
            self._held[key] = value

    def drop(self, key: K) -> None:
        """Forget *key*."""
        with self._lock:
            self._held.pop(key, None)

    def newest_first(self) -> list[tuple[K, V]]:
        """All of them, as they are now."""
        with self._lock:
            return list(reversed(self._held.items()))
