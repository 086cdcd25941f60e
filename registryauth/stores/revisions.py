"""Changing a record that others change, too: no write loses another's."""

from __future__ import annotations

from registryauth._redact import printable
from registryauth.errors import Conflict, CredentialNotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from registryauth.stores import Store
    from registryauth.stores.principal import Key, Principal

    Result = TypeVar("Result")

#: Writes that may come between a look and its write before we give up.
MAX_CONFLICTS = 8


def insist(write: Callable[[], Result | Conflict], what: object = "the record") -> Result:
    """What *write* gives, begun anew where somebody else wrote between its look and its write.

    Raise `Conflict`, naming *what*, where that happened `MAX_CONFLICTS` times, and at once the one that *write* returns: it
    has looked and decided, so that looking again would not help.
    """
    for _ in range(MAX_CONFLICTS):
        try:
            done = write()
        except Conflict:
            continue
        if isinstance(done, Conflict):
            raise done
        return done
    raise Conflict(f"{printable(str(what))} is being written by others all the time; nothing was stored", hint="try again")


def revise(store: Store, key: Key, edit: Callable[[Principal], Principal | Conflict], now: float) -> Principal:
    """The record at *key* as *edit* changed it, with *now* as its `updated_at`; where *edit* changes nothing, nothing is written.

    *edit* is asked once for each look. Raise what it raises, the `Conflict` that it returns, `CredentialNotFound` where there
    is no such record, and `Conflict` as `insist` does.
    """

    def write() -> Principal | Conflict:
        before = present(store, key)
        after = edit(before)
        if isinstance(after, Conflict) or after == before:
            return after
        return store.put(after.replace(updated_at=int(now)), before.revision)

    return insist(write, key)


def present(store: Store, key: Key) -> Principal:
    """The record at *key*; raise `CredentialNotFound` where there is none."""
    found = store.exact(key)
    if found is None:
        raise CredentialNotFound(f"no credential of {printable(str(key))} is stored", hint="'registryauth list' shows what is")
    return found
