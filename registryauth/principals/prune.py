"""Retiring the secrets that rotations replaced, at their issuer first where that is known."""

from __future__ import annotations

from registryauth._value import Value
from registryauth.errors import CredentialNotFound, Error
from registryauth.principals.consumers import on_replaced
from registryauth.stores.principal import Consumer, Key, Principal, Slot
from registryauth.stores.revisions import present, revise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from registryauth.principals.issuer import Issuer
    from registryauth.stores import Store


class Retirement(Value):
    """What became of a replaced secret.

    *state* is ``removed``, ``kept`` (not due, or nobody said when), ``held`` (by *consumers*, unless forced), ``shared`` (*others*
    have the same secret in use) or ``stuck`` (its issuer could not be asked, for *error*). *serial* and *remove_after* are the
    secret's, of one that is kept for others' sake the time that they set.

    *key_id* is its name at its issuer, empty where it has none. *at_issuer* is what became of it there: ``removed``, ``gone``
    (somebody else had removed it), ``due`` (in a dry run), or empty where nobody was asked.
    """

    principal: Principal
    state: str
    serial: int
    remove_after: int
    consumers: tuple[Consumer, ...] = ()
    key_id: str = ""
    at_issuer: str = ""
    others: tuple[Key, ...] = ()
    error: Error | None = None


def prune(
    store: Store, records: Iterable[Principal], now: float, *, force: bool = False, dry_run: bool = False, issuer: Issuer | None = None
) -> Iterator[Retirement]:
    """Remove each replaced secret in *records* whose `remove_after` has come, and tell of every replaced secret.

    One that a consumer was given and that has not been replaced there stays, unless *force*. *dry_run* says what would be done.
    A record that somebody removed in the meantime is passed over. *issuer* removes what it knows by a `Slot.key_id` before the
    store does; where it cannot, the secret stays, and the next one is seen to. A secret that any record of the store still has
    in use stays at its issuer, *force* or not.
    """
    pruning = _Pruning(store, now, force=force, issuer=issuer)
    for record in records:
        if record.replaced is None:
            continue
        if dry_run:
            yield pruning.foretold(record)
            continue
        try:
            done = pruning.retired(record)
        except CredentialNotFound:
            continue
        if done is not None:
            yield done


def retirement(record: Principal, now: float, *, force: bool = False) -> Retirement:
    """What is to become of *record*'s replaced secret, which must be there; its issuer aside."""
    old = record.replaced
    assert old is not None  # noqa: S101 - the caller looked
    consumers = on_replaced(record)
    state = "kept" if not 0 < old.remove_after <= now else "held" if consumers and not force else "removed"
    return Retirement(record, state, old.serial, old.remove_after, consumers, old.key_id)


class _Pruning:
    def __init__(self, store: Store, now: float, *, force: bool, issuer: Issuer | None) -> None:
        self._store, self._now, self._force, self._issuer = store, now, force, issuer
        self._everything: Sequence[Principal] | None = None

    def foretold(self, record: Principal) -> Retirement:
        """What would become of *record*'s replaced secret; its issuer is not asked."""
        verdict = retirement(record, self._now, force=self._force)
        return self._with_regard_to_others(record, verdict) if self._concerns_issuer(record, verdict) else verdict

    def retired(self, seen: Principal) -> Retirement | None:
        """What became of it; None where somebody else was faster."""
        if seen.replaced is None or not seen.replaced.key_id or self._issuer is None:
            return self._forget(seen)
        record = present(self._store, seen.key)
        if record.replaced is None:
            return None
        verdict = retirement(record, self._now, force=self._force)
        if not self._concerns_issuer(record, verdict):
            return self._forget(seen) if verdict.state == "removed" else verdict
        verdict = self._with_regard_to_others(record, verdict)
        if verdict.state != "removed":
            return verdict
        try:
            at_issuer = "removed" if self._issuer.remove(record, record.replaced) else "gone"
        except Error as error:
            return verdict.replace(state="stuck", error=error, at_issuer="")
        return verdict.replace(principal=self._strike_out(record, record.replaced), at_issuer=at_issuer)

    def _concerns_issuer(self, record: Principal, verdict: Retirement) -> bool:
        return verdict.state == "removed" and bool(verdict.key_id) and self._issuer is not None and self._issuer.handles(record)

    def _with_regard_to_others(self, record: Principal, verdict: Retirement) -> Retirement:
        """*verdict* unless the same secret has to stay at its issuer for somebody's sake."""
        old = record.replaced
        assert old is not None  # noqa: S101 - there is a verdict on it
        try:
            if self._everything is None:
                self._everything = self._store.list()
        except Error as error:
            return verdict.replace(state="stuck", error=error)
        in_use, until = [], [verdict.remove_after]
        for other in (
            record,
            *(each for each in self._everything if each.key != record.key and each.account.lower() == record.account.lower()),
        ):
            if any(_same(slot, old) for slot in other.slots if slot != other.replaced):
                in_use.append(other.key)
            elif other.key != record.key and other.replaced is not None and _same(other.replaced, old):
                theirs = retirement(other, self._now, force=self._force)
                in_use += [other.key] if theirs.state == "held" else []
                until += [theirs.remove_after] if theirs.state == "kept" else []
        if in_use:
            return verdict.replace(state="shared", others=tuple(in_use))
        if len(until) > 1:
            return verdict.replace(state="kept", remove_after=0 if 0 in until else max(until))
        return verdict.replace(at_issuer="due")

    def _forget(self, seen: Principal) -> Retirement | None:
        """The verdict on the record as it is by now, carried out in the store alone; None where somebody else was faster."""
        verdict: Retirement | None = None

        def edit(record: Principal) -> Principal:
            nonlocal verdict
            verdict = retirement(record, self._now, force=self._force) if record.replaced else None
            return record.replace(slots=record.slots[:1]) if verdict and verdict.state == "removed" else record

        written = revise(self._store, seen.key, edit, self._now)
        return verdict.replace(principal=written) if verdict else None

    def _strike_out(self, record: Principal, gone: Slot) -> Principal:
        """*record* without *gone*, which its issuer does not take any more, whatever else was written in the meantime."""

        def edit(record: Principal) -> Principal:
            return record.replace(slots=record.slots[:1]) if record.replaced and _same(record.replaced, gone) else record

        return revise(self._store, record.key, edit, self._now)


def _same(one: Slot, other: Slot) -> bool:
    return one.secret == other.secret or (bool(one.key_id) and one.key_id.lower() == other.key_id.lower())
