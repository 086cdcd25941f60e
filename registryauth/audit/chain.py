"""How one line holds the lines before it: SHA-256 (FIPS 180-4) from line to line, HMAC (RFC 2104) over each."""

from __future__ import annotations

from registryauth._sha256 import hmac_sha256, sha256

#: What stands in a log's first line for the hash of a line before it.
NO_LINE = "0" * 64
_MAC = b',"mac":'


def hash_of(line: bytes) -> str:
    """What the next line says of *line*, which is without its newline."""
    return sha256(line).hex()


def key_id(key: bytes) -> str:
    """Eight characters that tell keys apart and do not give them away."""
    return hmac_sha256(key, b"registryauth audit key id").hex()[:8]


def closed(body: bytes, key: bytes | None) -> bytes:
    """The JSON object *body* with its MAC as the last field, over everything before that field; null without a *key*."""
    said = body[:-1]
    return said + _MAC + (b"null}" if key is None else b'"' + hmac_sha256(key, said).hex().encode() + b'"}')


def is_authentic(line: bytes, key: bytes) -> bool:
    """Whether *line* is as somebody with *key* wrote it."""
    from hmac import compare_digest

    return compare_digest(line, closed(line.rpartition(_MAC)[0] + b"}", key))
