"""What a source says when it is asked: found, or absent; broken raises. And what a trace says of those that were not."""

from __future__ import annotations

from registryauth._value import Value
from registryauth.credentials import Credential, Pinned, to_login

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from registryauth.reference import Repository
    from registryauth.stores.principal import Key

    class Source(Protocol):
        """A place where credentials may be."""

        @property
        def name(self) -> str:
            """What the source is called in traces."""
            ...

        def ask(self, repository: Repository) -> Found | Absent:
            """Whether there is a credential for *repository*; raise `CredentialError` if that cannot be told."""
            ...


class Found(Value, hidden=("fetch", "fetch_all", "ends")):
    """There is a credential, and *fetch* gives it. *expires_at* is in seconds since the epoch, 0 where nobody said.

    *account* is whose it is, empty where nobody is needed; *serial* is that of its slot in our store, *key* its record's, None
    where it is another's; *path* is the one below which alone it is good, empty for the whole registry. *fetch_all*, where
    there may be a second one, gives that, too, to be tried after the first was refused: of the same account only (DESIGN
    §4.10). *ends* says when a credential expires that is made only when it is fetched, and that it was fetched.
    """

    source: str
    detail: str
    fetch: Callable[[], Pinned]
    expires_at: int = 0
    account: str = ""
    serial: int = 0
    fetch_all: Callable[[], tuple[Pinned, ...]] | None = None
    ends: Callable[[], int] | None = None
    key: Key | None = None
    path: str = ""

    verdict = "found"


class Absent(Value):
    """There is none here; *detail* says where was looked, or why not, and *remedy* what to do about it where that is known."""

    source: str
    detail: str
    remedy: str = ""

    verdict = "absent"


class Broken(Value):
    """It could not be told, and *detail* says why; only a trace holds one, for what is broken raises."""

    source: str
    detail: str

    verdict = "broken"


class NotAsked(Value):
    """A rule of the user's leaves the source out; *detail* says which."""

    source: str
    detail: str

    verdict = "not asked"


Answer = Found | Absent | Broken | NotAsked


def line(answer: Answer) -> str:
    """*answer* in a trace for people."""
    return f"{answer.source}: {answer.verdict}: {answer.detail}"


def found(source: str, detail: str, where: str, credential: Credential, path: str = "") -> Found:
    """The answer of a source that has *credential* in hand and pins no token server; *where* tells its entries apart.

    *path* is that of `Found`.
    """

    def fetch() -> Pinned:
        return Pinned(credential, f"{source}:{where}:{_mark(credential)}")

    return Found(source, detail, fetch, account=to_login(credential)[0], path=path)


_key = b""


def _mark(credential: Credential) -> str:
    """Tells this secret from the next one that the same entry may hold; useless outside this process."""
    import os
    from hashlib import blake2b

    global _key  # noqa: PLW0603 - made on first use, the same for the whole process
    _key = _key or os.urandom(16)
    content = "\0".join((type(credential).__name__, *(str(part) for part in credential._fields())))
    return blake2b(content.encode("utf-8", "surrogatepass"), key=_key, digest_size=8).hexdigest()
