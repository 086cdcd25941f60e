"""SHA-256 (FIPS 180-4) and HMAC-SHA256 (RFC 2104), for short texts on hot paths."""

from __future__ import annotations

import sys

try:
    # `hashlib` and `hmac` load OpenSSL and its tables: 5 ms of a docker helper that runs for 50.
    if sys.version_info >= (3, 12):
        from _sha2 import sha256 as _sha256  # type: ignore[import-not-found, unused-ignore]
    else:
        from _sha256 import sha256 as _sha256  # type: ignore[import-not-found, unused-ignore]
except ImportError:
    from hashlib import sha256 as _sha256

#: Bytes of a SHA-256 block.
_BLOCK = 64
_INNER, _OUTER = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))


def sha256(data: bytes) -> bytes:
    """The 32 bytes of *data*'s SHA-256."""
    return bytes(_sha256(data).digest())


def hmac_sha256(key: bytes, data: bytes) -> bytes:
    """The 32 bytes of *data*'s HMAC-SHA256 under *key*."""
    padded = (sha256(key) if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    return sha256(padded.translate(_OUTER) + sha256(padded.translate(_INNER) + data))
