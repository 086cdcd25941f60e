"""The key-encryption key from a passphrase, by `kdf`: given in a variable, typed, or kept for a while by ``registryauth unlock``."""

from __future__ import annotations

import threading

from registryauth._value import Value
from registryauth.errors import StoreCorrupt, StoreError, StoreLocked
from registryauth.stores import unlocked
from registryauth.stores.database import restore_hint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from registryauth.stores.keys import Surroundings

VARIABLE = "REGISTRYAUTH_PASSPHRASE"
#: Characters of a new one. NIST SP 800-63B-4 §3.1.1.2 asks for 15 where nothing else protects; that is advice, this is the floor.
MIN_PASSPHRASE = 8
#: Characters; more is a file that was taken for a passphrase.
MAX_PASSPHRASE = 1024

#: What was derived in this process, right or wrong, by parameters and passphrase: a derivation takes 64 MiB and a fifth of a second.
_derived: dict[str, bytes] = {}
_deriving = threading.Lock()


class PassphraseKey(Value, hidden=("key",)):
    """The key that a passphrase gives with *kdf*'s parameters; *key* is known only for one that is new."""

    kdf: Mapping[str, Any]
    unlocked: unlocked.Place
    found: Surroundings
    key: bytes = b""

    @classmethod
    def make(cls, store_id: str, found: Surroundings) -> PassphraseKey:
        """A new salt and the key of a passphrase that was given for it.

        Raise `StoreLocked` where there is none and nobody to ask, `StoreError` for one that is too short.
        """
        passphrase = _passphrase(found, new=True)
        if len(passphrase) < MIN_PASSPHRASE:
            raise StoreError(
                f"a passphrase of fewer than {MIN_PASSPHRASE} characters is refused",
                hint="who has a copy of the store can try out millions; take several words",
            )
        from registryauth.stores.kdf import describe_new

        kdf = describe_new()
        return cls(kdf, unlocked.Place(found.environ, store_id, kdf, found.clock), found, _derived_once(passphrase, kdf))

    @classmethod
    def recorded(cls, described: Mapping[str, Any], store_id: str, found: Surroundings) -> PassphraseKey:
        """What a header names; `derive` holds its parameters to bounds before they cost anything."""
        kdf = described.get("kdf")
        if not isinstance(kdf, dict):
            raise StoreCorrupt("the store's header was damaged or tampered with: its passphrase has no kdf", hint=restore_hint("the store"))
        return cls(kdf, unlocked.Place(found.environ, store_id, kdf, found.clock), found)

    @property
    def label(self) -> str:
        """``passphrase``."""
        return "passphrase"

    def describe(self) -> dict[str, Any]:
        """The kind of source and the parameters, salt included."""
        return {"source": "passphrase", "kdf": dict(self.kdf)}

    def load(self) -> bytes:
        """The key: kept by ``registryauth unlock``, or derived; raise `StoreLocked` where there is no passphrase and nobody to ask."""
        return unlocked.kept(self.unlocked) or self.derive()

    def derive(self) -> bytes:
        """The key, from the passphrase itself."""
        return _derived_once(_passphrase(self.found, new=False), self.kdf)

    def create(self) -> bytes:
        """The key of the new passphrase."""
        return self.key


def _passphrase(found: Surroundings, *, new: bool) -> str:
    text = found.environ.get(VARIABLE, "")
    if not text and found.ask:
        text = found.ask(new)
    if not text:
        raise StoreLocked(
            "the store's key comes from a passphrase, and there is no terminal to ask for it at",
            hint=f"set {VARIABLE}, or run 'registryauth unlock' at a terminal",
        )
    return text


def _derived_once(passphrase: str, kdf: Mapping[str, Any]) -> bytes:
    import hashlib

    from registryauth.stores.kdf import derive

    if len(passphrase) > MAX_PASSPHRASE:
        raise StoreError(f"a passphrase of more than {MAX_PASSPHRASE} characters is refused", hint="is that the passphrase, or a file?")
    # The table of keys must not be a table of passphrases.
    name = hashlib.sha256(repr((sorted(kdf.items()), passphrase)).encode("utf-8", "backslashreplace")).hexdigest()
    with _deriving:
        if name not in _derived:
            _derived[name] = derive(passphrase, kdf)
        return _derived[name]
