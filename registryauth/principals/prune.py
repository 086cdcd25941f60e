"""Retiring the secrets that rotations replaced."""

from __future__ import annotations

from registryauth._value import Value
from registryauth.errors import CredentialNotFound
from registryauth.principals.consumers import on_replaced
from registryauth.stores.principal import Consumer, Principal
from registryauth.stores.revisions import revise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from registryauth.stores import Store


class Retirement(Value):
    """What became of a replaced secret.

    *state* is ``removed``, ``kept`` (not due, or nobody said when) or ``held`` (by *consumers*, unless forced).
    *serial* and *remove_after* are the secret's.
    """

    principal: Principal
    state: str
    serial: int
    remove_after: int
    consumers: tuple[Consumer, ...] = ()


def prune(store: Store, records: Iterable[Principal], now: float, *, force: bool = False, dry_run: bool = False) -> Iterator[Retirement]:
    """Remove each replaced secret in *records* whose `remove_after` has come, and tell of every replaced secret.

    One that a consumer was given and that has not been replaced there stays, unless *force*. *dry_run* says what would be done.
    A record that somebody removed in the meantime is passed over.
    """
    for record in records:
        if record.replaced is None:
            continue
        if dry_run:
            yield retirement(record, now, force=force)
            continue
        try:
            done = _retire(store, record, now, force=force)
        except CredentialNotFound:
            continue
        if done is not None:
            yield done


def retirement(record: Principal, now: float, *, force: bool = False) -> Retirement:
    """What is to become of *record*'s replaced secret, which must be there."""
    old = record.replaced
    assert old is not None  # noqa: S101 - the caller looked
    consumers = on_replaced(record)
    state = "kept" if not 0 < old.remove_after <= now else "held" if consumers and not force else "removed"
    return Retirement(record, state, old.serial, old.remove_after, consumers)


def _retire(store: Store, seen: Principal, now: float, *, force: bool) -> Retirement | None:
    """The verdict on the record as it is by now, carried out; None where somebody else was faster."""
    verdict: Retirement | None = None

    def edit(record: Principal) -> Principal:
        nonlocal verdict
        verdict = retirement(record, now, force=force) if record.replaced else None
        return record.replace(slots=record.slots[:1]) if verdict and verdict.state == "removed" else record

    written = revise(store, seen.key, edit, now)
    return verdict.replace(principal=written) if verdict else None
