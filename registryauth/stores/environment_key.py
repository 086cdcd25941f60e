"""The key-encryption key from a variable, for containers and CI that are handed their secrets that way."""

from __future__ import annotations

from registryauth.errors import StoreLocked
from registryauth.stores import sealing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

VARIABLE = "REGISTRYAUTH_MASTER_KEY"
_HINT = "make one: head -c 32 /dev/urandom | base64; and keep it where the other secrets of this job are"


class EnvironmentKey:
    """32 bytes as base64 in ``REGISTRYAUTH_MASTER_KEY``; never written by us, and kept from every child process."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    @property
    def label(self) -> str:
        """``environment variable`` and its name."""
        return f"environment variable {VARIABLE}"

    def describe(self) -> dict[str, Any]:
        """The kind of source."""
        return {"source": "environment"}

    def load(self) -> bytes:
        """The key; raise `StoreLocked` where the variable is missing or holds none."""
        from registryauth.stores.keys import from_base64

        text = self._environ.get(VARIABLE, "")
        if not text:
            raise StoreLocked(f"the store's key comes from {VARIABLE}, which is not set", hint=f"set it; for a new store {_HINT}")
        # Whatever is no base64 must not come up in a message of the codec.
        key = from_base64(text.encode("utf-8", "replace"))
        if key is None:
            raise StoreLocked(f"{VARIABLE} does not hold a key of {sealing.KEY_SIZE} bytes in base64", hint=_HINT)
        return key

    def create(self) -> bytes:
        """The key that is there."""
        return self.load()
