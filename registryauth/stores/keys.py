"""Where the key-encryption key of a store comes from.

Chosen once, when the store is made, and written into its header; nothing changes it in silence. A header
names the kind of source only, never a place: who could write the store's file could otherwise point us to
a key of his own, and read what we add.
"""

from __future__ import annotations

import binascii
import os
import sys
import time

from registryauth import _paths
from registryauth._redact import printable
from registryauth._value import Value
from registryauth.errors import ConfigurationError, StoreLocked, StoreUnavailable
from registryauth.stores import sealing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Protocol

    #: Asks a person for a passphrase; True for one that is new, which is asked for twice.
    Ask = Callable[[bool], str]

    class KeySource(Protocol):
        """Where a key-encryption key rests; `label` says so to people, `describe` to the store's header."""

        @property
        def label(self) -> str:
            """For people: the source and its place."""
            ...

        def describe(self) -> dict[str, Any]:
            """For the header: ``source`` names the kind, the rest is the kind's own (``backend``, ``kdf``)."""
            ...

        def load(self) -> bytes:
            """The key. Raise `StoreLocked` where it is missing or not to be had now."""
            ...

        def create(self) -> bytes:
            """A key for a new store, kept where `load` finds it."""
            ...


#: What `store.key` takes; all but the first are what a header may name.
CHOICES = ("auto", "file", "keyring", "passphrase", "systemd", "environment")

#: 44 characters of base64 and a newline; more room only to tell a foreign file from an edited one.
_MAX_KEY_FILE = 1024


class Surroundings(Value, hidden=("environ",)):
    """Where sources of keys look: the place of a key file, the environment, a person (None: nobody is asked), the time."""

    key_file: str
    environ: Mapping[str, str] = os.environ
    ask: Ask | None = None
    clock: Callable[[], float] = time.time


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
        key = from_base64(text)
        if key is None:
            raise StoreLocked(
                f"the key file {self.path} does not hold a key of {sealing.KEY_SIZE} bytes in base64",
                hint="restore it from a backup: without it the stored secrets are lost",
            )
        return key


def from_base64(text: bytes) -> bytes | None:
    """The key of 32 bytes that *text*, with white space around it, stands for; None if it stands for none."""
    try:
        key = binascii.a2b_base64(text.strip(), strict_mode=True)
    except binascii.Error:
        return None
    return key if len(key) == sealing.KEY_SIZE else None


def choose(kind: str, store_id: str, found: Surroundings, *, platform: str = sys.platform) -> KeySource:
    """The source for a new store: what *kind* names, or for ``auto`` the keyring if one works here, else the file.

    Raise `ConfigurationError` for another *kind*; `StoreLocked` or `StoreUnavailable` where the keyring does not work
    or a passphrase is not to be had.
    """
    if kind not in CHOICES:
        raise ConfigurationError(f"there is no key source {printable(kind)!r}", key="store.key", hint=f"one of {', '.join(CHOICES)}")
    if kind == "passphrase":
        from registryauth.stores.passphrase_key import PassphraseKey

        return PassphraseKey.make(store_id, found)
    if kind not in ("auto", "keyring"):
        return recorded({"source": kind}, store_id, found)
    return _keyring(kind, store_id, found, platform)


def _keyring(kind: str, store_id: str, found: Surroundings, platform: str) -> KeySource:
    from registryauth.stores import keyring_key

    there = keyring_key.could_be_there(found.environ, platform)
    if kind == "auto" and not there:
        return FileKey(found.key_file)
    if not there:
        raise StoreUnavailable(
            "there is no OS keyring here: no desktop session's D-Bus is known (DBUS_SESSION_BUS_ADDRESS, XDG_RUNTIME_DIR)",
            hint="use the key source 'file', or run under dbus-run-session with a keyring daemon",
        )
    try:
        return keyring_key.find(store_id, found.environ, platform)
    except (StoreLocked, StoreUnavailable):
        if kind == "keyring":
            raise
        # `auto` promises whichever works; `status` tells which it was.
        return FileKey(found.key_file)


def recorded(described: Mapping[str, Any], store_id: str, found: Surroundings) -> KeySource:
    """The source that a store's header names.

    Raise `StoreUnavailable` for one that this version does not know, `StoreCorrupt` for one that asks for too much.
    """
    match described.get("source"):
        case "file":
            return FileKey(found.key_file)
        case "keyring":
            from registryauth.stores import keyring_key

            return keyring_key.KeyringKey(str(described.get("backend", "")), store_id, found.environ)
        case "passphrase":
            from registryauth.stores.passphrase_key import PassphraseKey

            return PassphraseKey.recorded(described, store_id, found)
        case "systemd":
            from registryauth.stores.systemd_key import SystemdKey

            return SystemdKey(found.environ)
        case "environment":
            from registryauth.stores.environment_key import EnvironmentKey

            return EnvironmentKey(found.environ)
        case other:
            named = printable(str(other), 40)
            raise StoreUnavailable(f"the store's key comes from {named!r}, which this version does not know", hint="update registryauth")


def mismatch(source: KeySource, path: str, key_id: str) -> StoreLocked:
    """The error to raise where the key of *source* is not that of the store at *path*."""
    if source.describe()["source"] == "passphrase":
        return StoreLocked(f"that is not the passphrase of the store {path}", hint="try again with the right one; nobody can restore it")
    return StoreLocked(
        f"the {source.label} holds another key than the one that the store {path} was made with ({printable(key_id, 40)})",
        hint="restore the right key, or move the store away and log in again",
    )
