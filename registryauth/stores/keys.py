"""Where the key-encryption key of a store comes from.

Chosen once, when the store is made, and written into its header; nothing changes it in silence. A header
names the kind of source only, never a place: who could write the store's file could otherwise point us to
a key of his own, and read what we add.
"""

from __future__ import annotations

import binascii
import os
import sys

from registryauth import _paths
from registryauth._redact import printable
from registryauth.errors import ConfigurationError, StoreLocked, StoreUnavailable
from registryauth.stores import sealing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Protocol

    class KeySource(Protocol):
        """Where a key-encryption key rests; `label` says so to people, `describe` to the store's header."""

        @property
        def label(self) -> str:
            """For people: the source and its place."""
            ...

        def describe(self) -> dict[str, Any]:
            """For the header: ``source`` names the kind, the rest is the kind's own (``backend``, later ``kdf``)."""
            ...

        def load(self) -> bytes:
            """The key. Raise `StoreLocked` where it is missing or not to be had now."""
            ...

        def create(self) -> bytes:
            """A key for a new store, kept where `load` finds it."""
            ...


#: What `--store-key` takes.
CHOICES = ("auto", "file", "keyring")

#: 44 characters of base64 and a newline; more room only to tell a foreign file from an edited one.
_MAX_KEY_FILE = 1024


class FileKey:
    """32 random bytes as base64 in a file of mode 0600, apart from the store."""

    def __init__(self, path: str) -> None:
        self.path = path

    @property
    def label(self) -> str:
        """``file`` and its path."""
        return f"file {self.path}"

    def describe(self) -> dict[str, Any]:
        """The kind of source."""
        return {"source": "file"}

    def load(self) -> bytes:
        """The key; raise `StoreLocked` if the file is missing or holds none, `StoreUnavailable` if others may read it."""
        key = self._read()
        if key is None:
            raise StoreLocked(
                f"the key file {self.path} is missing", hint="restore it from a backup: without it the stored secrets are lost"
            )
        return key

    def create(self) -> bytes:
        """The key that is there, or a new one. A key file serves several stores: each has a data key of its own."""
        _paths.private_dir(os.path.dirname(self.path))
        from contextlib import suppress

        # It was there, or another process was quicker: whichever key is in place is the key.
        with suppress(FileExistsError):
            _paths.write_private(self.path, binascii.b2a_base64(sealing.new_key()), replace=False)
        return self.load()

    def _read(self) -> bytes | None:
        text = _paths.read_private(self.path, _MAX_KEY_FILE)
        if text is None:
            return None
        try:
            key = binascii.a2b_base64(text.strip(), strict_mode=True)
        except binascii.Error:
            key = b""
        if len(key) != sealing.KEY_SIZE:
            raise StoreLocked(
                f"the key file {self.path} does not hold a key of {sealing.KEY_SIZE} bytes in base64",
                hint="restore it from a backup: without it the stored secrets are lost",
            )
        return key


def choose(kind: str, store_id: str, key_file: str, environ: Mapping[str, str] = os.environ, *, platform: str = sys.platform) -> KeySource:
    """The source for a new store: ``file``, ``keyring``, or for ``auto`` the keyring if one works here, else the file.

    Raise `ConfigurationError` for another *kind*; for ``keyring``, `StoreLocked` or `StoreUnavailable` where none works.
    """
    if kind == "file":
        return FileKey(key_file)
    if kind not in CHOICES:
        raise ConfigurationError(f"there is no key source {printable(kind)!r}", key="store.key", hint=f"one of {', '.join(CHOICES)}")
    from registryauth.stores import keyring_key

    there = keyring_key.could_be_there(environ, platform)
    if kind == "auto" and not there:
        return FileKey(key_file)
    if not there:
        raise StoreUnavailable(
            "there is no OS keyring here: no desktop session's D-Bus is known (DBUS_SESSION_BUS_ADDRESS, XDG_RUNTIME_DIR)",
            hint="use the key source 'file', or run under dbus-run-session with a keyring daemon",
        )
    try:
        return keyring_key.find(store_id, environ, platform)
    except (StoreLocked, StoreUnavailable):
        if kind == "keyring":
            raise
        # `auto` promises whichever works; `status` tells which it was.
        return FileKey(key_file)


def recorded(described: Mapping[str, Any], store_id: str, key_file: str, environ: Mapping[str, str] = os.environ) -> KeySource:
    """The source that a store's header names; raise `StoreUnavailable` for one that this version does not know."""
    source = described.get("source")
    if source == "file":
        return FileKey(key_file)
    if source == "keyring":
        from registryauth.stores import keyring_key

        return keyring_key.KeyringKey(str(described.get("backend", "")), store_id, environ)
    raise StoreUnavailable(
        f"the store's key comes from {printable(str(source), 40)!r}, which this registryauth does not know", hint="update registryauth"
    )
