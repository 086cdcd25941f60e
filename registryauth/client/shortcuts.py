"""Ways to save a request that a registry may take or not, and which of them each registry took."""

from __future__ import annotations

import threading

from registryauth._origin import Origin

#: A POST with the blob in it (end-4b), a mount that names no repository to take it from (end-11), many tags with one manifest (end-7b).
SINGLE_POST, MOUNT, TAGS = "single post", "mount", "tags"


class Shortcuts:
    """What each registry takes; safe to share between threads.

    Nobody knows at first: one caller tries, and while that is under way the others go the ordinary way, so that a registry which
    drops what comes with a POST is sent one blob twice and no more.
    """

    def __init__(self) -> None:
        self._taken: dict[tuple[str, Origin], bool] = {}
        self._lock = threading.Lock()

    def may_try(self, way: str, origin: Origin) -> bool:
        """Whether to go *way* at *origin*: it took that before, or this is the first time that anybody asks."""
        with self._lock:
            known = self._taken.get((way, origin))
            # Unless this try shows otherwise.
            self._taken.setdefault((way, origin), False)
        return known is not False

    def took(self, way: str, origin: Origin) -> None:
        """Remember that *origin* takes *way*."""
        with self._lock:
            self._taken[way, origin] = True
