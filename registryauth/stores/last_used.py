"""When a record was last handed out for use, to the hour; kept apart, so that reading a record does not write it."""

from __future__ import annotations

import os

from registryauth import _paths
from registryauth._sha256 import sha256
from registryauth.errors import ConfigurationError, StoreUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from registryauth.stores.principal import Key

#: Seconds within which a record used again is not written down again.
STEP = 3600


class LastUsed:
    """An empty file for each record in *directory*, whose modification time is the time of use.

    A file is named for the SHA-256 of its record's key. What cannot be written is not written, what cannot be read was never
    used: nothing depends on it, and nobody is told.
    """

    def __init__(self, directory: str) -> None:
        self._directory = directory

    @classmethod
    def at_home(cls, environ: Mapping[str, str] = os.environ) -> LastUsed:
        """The one in our state directory, ``used``; where no home directory is known, one that remembers nothing."""
        try:
            return cls(os.path.join(_paths.state_dir(environ), "used"))
        except ConfigurationError:
            return cls("")

    def touch(self, key: Key, now: float) -> None:
        """The record at *key* was used *now*, in seconds since the epoch."""
        if not self._directory or abs(now - self.when(key)) < STEP:
            return
        # Once an hour; any other use ends above.
        from contextlib import suppress

        path = self._path(key)
        with suppress(OSError, StoreUnavailable):
            if not os.path.lexists(path):
                _paths.private_dir(self._directory)
                with suppress(FileExistsError):
                    # Nothing in it is worth waiting for the disk.
                    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            os.utime(path, (now, now), follow_symlinks=False)

    def when(self, key: Key) -> int:
        """When the record at *key* was last used, at most an hour (`STEP`) too early; 0 if that is not known."""
        try:
            return int(os.stat(self._path(key), follow_symlinks=False).st_mtime) if self._directory else 0
        except OSError:
            return 0

    def forget(self, key: Key) -> None:
        """Remove what is known of *key*."""
        from contextlib import suppress

        if self._directory:
            with suppress(OSError):
                os.unlink(self._path(key))

    def _path(self, key: Key) -> str:
        # No host name and no path holds a zero byte.
        named = "\0".join((key.address.registry.host, key.address.path, key.account))
        return os.path.join(self._directory, sha256(named.encode("utf-8", "surrogatepass")).hex())
