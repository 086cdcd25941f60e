"""Authenticated encryption, as the store uses it: AES-256-GCM (NIST SP 800-38D) with random 96-bit nonces.

One data key seals far fewer than the 2^32 messages that SP 800-38D §8.3 allows with random nonces.
"""

from __future__ import annotations

import os

from registryauth._sha256 import hmac_sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

#: Bytes.
KEY_SIZE = 32
_NONCE = 12
_TAG = 16


def aesgcm() -> type[AESGCM]:
    """The class `cryptography.hazmat.primitives.ciphers.aead.AESGCM`, by its short way."""
    # The public module imports typing, enum and dataclasses besides, and triples the start of the docker
    # helper; the binding holds the same class. It is not public, so its absence is no error.
    try:
        from cryptography.hazmat.bindings._rust import openssl

        found: type[AESGCM] = openssl.aead.AESGCM
    except (ImportError, AttributeError):
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM as found  # noqa: N811
    return found


def new_key() -> bytes:
    """32 random bytes."""
    return os.urandom(KEY_SIZE)


def joined(*fields: bytes) -> bytes:
    """*fields*, each after its length as a 32-bit big-endian number, so that no two lists give the same bytes."""
    return b"".join(len(field).to_bytes(4, "big") + field for field in fields)


def seal(key: bytes, plain: bytes, bound: bytes) -> bytes:
    """Nonce, ciphertext and tag of *plain*, inseparable from *bound*."""
    nonce = os.urandom(_NONCE)
    return nonce + aesgcm()(key).encrypt(nonce, plain, bound)


def unseal(key: bytes, sealed: bytes, bound: bytes) -> bytes | None:
    """What `seal` was given; None if *key*, *sealed* or *bound* is not the same."""
    if len(sealed) < _NONCE + _TAG:
        return None
    try:
        return aesgcm()(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], bound)
    except Exception as error:
        # Its module imports typing and enum, which a lookup that goes well does not need.
        from cryptography.exceptions import InvalidTag

        if isinstance(error, InvalidTag):
            return None
        raise


def derived(key: bytes, label: str) -> bytes:
    """A key of 32 bytes that says nothing about *key* or about that of another *label*: HKDF-SHA256 (RFC 5869) without salt."""
    return hmac_sha256(hmac_sha256(bytes(KEY_SIZE), key), label.encode() + b"\x01")
