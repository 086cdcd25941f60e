"""What a source says when it is asked: found, or absent; broken raises."""

from __future__ import annotations

from registryauth._value import Value
from registryauth.credentials import Credential, Pinned

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from registryauth.reference import Repository

    class Source(Protocol):
        """A place where credentials may be."""

        @property
        def name(self) -> str:
            """What the source is called in traces."""
            ...

        def ask(self, repository: Repository) -> Found | Absent:
            """Whether there is a credential for *repository*; raise `SourceFailed` or `StoreError` if that cannot be told."""
            ...


class Found(Value, hidden=("fetch",)):
    """There is a credential, and *fetch* gives it. *expires_at* is in seconds since the epoch, 0 where nobody said."""

    source: str
    detail: str
    fetch: Callable[[], Pinned]
    expires_at: int = 0


class Absent(Value):
    """There is none here; *detail* says where was looked, or why not."""

    source: str
    detail: str


Answer = Found | Absent


def found(source: str, detail: str, where: str, credential: Credential) -> Found:
    """The answer of a source that has *credential* in hand and pins no token server; *where* tells its entries apart."""
    return Found(source, detail, lambda: Pinned(credential, f"{source}:{where}:{_mark(credential)}"))


_key = b""


def _mark(credential: Credential) -> str:
    """Tells this secret from the next one that the same entry may hold; useless outside this process."""
    import os
    from hashlib import blake2b

    global _key  # noqa: PLW0603 - made on first use, the same for the whole process
    _key = _key or os.urandom(16)
    content = "\0".join((type(credential).__name__, *(str(part) for part in credential._fields())))
    return blake2b(content.encode("utf-8", "surrogatepass"), key=_key, digest_size=8).hexdigest()
