"""What resolver and store are and answer, for ``--verbose``."""

from __future__ import annotations

from registryauth._redact import printable
from registryauth.cli import console
from registryauth.errors import StoreError
from registryauth.resolver.answer import line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from registryauth.reference import Repository
    from registryauth.resolver.answer import Answer
    from registryauth.stores import Store

#: The longest line of a trace that is shown.
_LONGEST = 600


def tell_of_answers(repository: Repository, answers: Sequence[Answer]) -> None:
    """Which sources were asked about *repository*, and what each said; the same is told once."""
    console.tell_once("\n".join(f"* {printable(str(repository))}: {printable(line(each), _LONGEST)}" for each in answers))


def tell_of(store: Store) -> None:
    """Where *store* is, and where its key comes from."""
    try:
        kept = store.status()
    except StoreError:
        # Who goes on to use it is told why.
        return
    what = f"* store: {kept['path']}" if kept.get("exists", True) else f"* store: {kept['path']}, which is not there yet"
    console.tell_once(printable(what + (f"; its key: {kept['key']}" if kept["key"] else ""), _LONGEST))
