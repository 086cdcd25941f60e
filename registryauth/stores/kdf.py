"""A key from a passphrase: Argon2id (RFC 9106), or scrypt (RFC 7914) where OpenSSL is too old for it.

The parameters are written beside what the key protects, and read from there before anything is authenticated:
they are therefore capped, so that a planted file costs a second, not all memory.
"""

from __future__ import annotations

import binascii
import os

from registryauth.errors import ConfigurationError, StoreCorrupt, StoreUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

#: Bytes of a derived key.
KEY_SIZE = 32

ARGON2ID, SCRYPT = "argon2id", "scrypt"

#: RFC 9106 §4, the second recommended choice: 64 MiB, three passes, four lanes; about 0.2 s.
_ARGON2ID = {"memory_kib": 64 * 1024, "iterations": 3, "lanes": 4}
#: OWASP Password Storage Cheat Sheet: 128 MiB; about 0.4 s.
_SCRYPT = {"n": 2**17, "r": 8, "p": 1}
_DEFAULTS = {ARGON2ID: _ARGON2ID, SCRYPT: _SCRYPT}

#: Lowest and highest that is read: at most 256 MiB of memory, and some seconds.
_ALLOWED = {
    ARGON2ID: {"memory_kib": (8, 256 * 1024), "iterations": (1, 8), "lanes": (1, 16)},
    SCRYPT: {"n": (2, 2**18), "r": (1, 8), "p": (1, 4)},
}
#: Bytes; we write 16, as both RFCs advise.
_SALT = (8, 64)


def describe_new() -> dict[str, Any]:
    """The function and parameters for a new key, with a new salt: plain data to be written beside what the key protects."""
    name = ARGON2ID if has_argon2id() else SCRYPT
    return {"name": name, "salt": binascii.hexlify(os.urandom(16)).decode(), **_DEFAULTS[name]}


def has_argon2id() -> bool:
    """Whether this machine's OpenSSL (3.2 or later) and `cryptography` (44 or later) can derive with Argon2id."""
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

        Argon2id(salt=bytes(16), length=KEY_SIZE, iterations=1, lanes=1, memory_cost=8)
    except (ImportError, UnsupportedAlgorithm):
        return False
    return True


def derive(passphrase: str, described: Mapping[str, Any]) -> bytes:
    """The key of `KEY_SIZE` bytes that *passphrase* gives under *described*, which `describe_new` made, here or elsewhere.

    The passphrase counts in Unicode's NFC, so that the same letters typed on another system are the same passphrase.
    Raise `ConfigurationError` for an empty passphrase or one that is no text, `StoreCorrupt` for parameters that are
    not ours or beyond the caps, `StoreUnavailable` where this machine lacks the function.
    """
    name, salt, numbers = _checked(described)
    secret = _bytes(passphrase)
    try:
        if name == SCRYPT:
            from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

            return Scrypt(salt=salt, length=KEY_SIZE, **numbers).derive(secret)
        if not has_argon2id():
            raise StoreUnavailable(
                "the key was derived with Argon2id, which the OpenSSL here cannot do",
                hint="install cryptography 44 or later with OpenSSL 3.2 or later; its wheels on PyPI have both",
            )
        from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

        return Argon2id(
            salt=salt, length=KEY_SIZE, iterations=numbers["iterations"], lanes=numbers["lanes"], memory_cost=numbers["memory_kib"]
        ).derive(secret)
    except MemoryError:
        raise StoreUnavailable(
            "there is not enough memory to derive the key from the passphrase", hint="free some, and try again"
        ) from None


def _bytes(passphrase: str) -> bytes:
    from unicodedata import normalize

    if not passphrase:
        raise ConfigurationError("the passphrase is empty", hint="nothing was read or written; check where it comes from")
    try:
        return normalize("NFC", passphrase).encode()
    except UnicodeEncodeError:
        # Raised without its cause, which would quote the passphrase.
        raise ConfigurationError("the passphrase is not text in UTF-8", hint="is the terminal's encoding the right one?") from None


def _checked(described: Mapping[str, Any]) -> tuple[str, bytes, dict[str, int]]:
    """The function's name, its salt and its numbers, each within bounds."""
    name, text = described.get("name"), described.get("salt")
    allowed = _ALLOWED.get(name) if isinstance(name, str) else None
    if allowed is None or not isinstance(name, str):
        raise StoreUnavailable("the key was derived with a function that this registryauth does not know", hint="update registryauth")
    try:
        salt = binascii.unhexlify(text) if isinstance(text, str) else b""
    except ValueError:
        salt = b""
    if not _SALT[0] <= len(salt) <= _SALT[1]:
        raise _damaged("its salt cannot be read")
    numbers = {}
    for field, (least, most) in allowed.items():
        number = described.get(field)
        if not isinstance(number, int) or isinstance(number, bool) or not least <= number <= most:
            raise _damaged(f"{field} is not between {least} and {most}")
        numbers[field] = number
    if name == SCRYPT and numbers["n"] & (numbers["n"] - 1):
        raise _damaged("n is not a power of two")
    if name == ARGON2ID and numbers["memory_kib"] < 8 * numbers["lanes"]:
        raise _damaged("memory_kib is less than 8 for each lane")
    return name, salt, numbers


def _damaged(what: str) -> StoreCorrupt:
    return StoreCorrupt(
        f"the description of the passphrase's key derivation was damaged or tampered with: {what}", hint="restore it from a backup"
    )
