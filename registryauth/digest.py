"""Digests: ``algorithm:encoded``, of the two algorithms that the OCI image specification registers."""

from __future__ import annotations

import re

from registryauth._value import Value
from registryauth.errors import InvalidDigest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Hasher(Protocol):
        """The part of a `hashlib` object that verification needs."""

        def update(self, data: bytes | memoryview, /) -> None:
            """Hash *data* too."""

        def hexdigest(self) -> str:
            """The hash so far."""
            ...


#: Hex digits of each registered algorithm (image-spec, descriptor.md §Registered algorithms).
ALGORITHMS = {"sha256": 64, "sha512": 128}


class Digest(Value):
    """The name of content by its hash; ``str()`` gives ``sha256:…``."""

    algorithm: str
    encoded: str

    @classmethod
    def parse(cls, text: str) -> Digest:
        """Read ``algorithm:encoded``; raise `InvalidDigest` for anything but lower-case sha256 or sha512."""
        algorithm, colon, encoded = text.partition(":")
        if not colon:
            raise InvalidDigest("a digest is algorithm:encoded", text=text, span=(0, len(text)), hint="for example sha256:<64 hex digits>")
        if algorithm not in ALGORITHMS:
            raise InvalidDigest(
                "this digest's algorithm is not one we verify", text=text, span=(0, len(algorithm)), hint="use sha256 or sha512"
            )
        start = len(algorithm) + 1
        if len(encoded) != ALGORITHMS[algorithm]:
            raise InvalidDigest(
                f"a {algorithm} digest has {ALGORITHMS[algorithm]} hex digits, not {len(encoded)}", text=text, span=(start, len(text))
            )
        if bad := re.search(r"[^0-9a-f]", encoded):
            hint = "write it in lower case" if re.fullmatch(r"[0-9a-fA-F]+", encoded) else ""
            raise InvalidDigest("a digest is lower-case hex", text=text, span=(start + bad.start(), start + bad.start() + 1), hint=hint)
        return cls(algorithm, encoded)

    @classmethod
    def of(cls, content: bytes, algorithm: str = "sha256") -> Digest:
        """Hash *content*."""
        hasher = _new(algorithm)
        hasher.update(content)
        return cls(algorithm, hasher.hexdigest())

    def hasher(self) -> Hasher:
        """A fresh hash object of this digest's algorithm."""
        return _new(self.algorithm)

    def matches(self, content: bytes) -> bool:
        """Whether *content* is what this digest names."""
        return Digest.of(content, self.algorithm) == self

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.encoded}"


def _new(algorithm: str) -> Hasher:
    # Imported here: it loads OpenSSL, 4 ms that a docker helper looking up a name does without.
    import hashlib

    # Never hashlib.new(text from the wire): it also knows algorithms that nobody should trust.
    return {"sha256": hashlib.sha256, "sha512": hashlib.sha512}[algorithm]()
