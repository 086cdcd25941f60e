"""What a remote store answered, kept for the time that it is away.

The cache answers questions that were asked and answered before, and no others: the same address, the same account. To answer a
new question from old records could give a registry's credential where the vault has another one for the repository.
"""

from __future__ import annotations

import json
import time

from registryauth._redact import printable
from registryauth._value import Value
from registryauth.errors import StoreError
from registryauth.stores.principal import Key, Principal
from registryauth.stores.remote import Unreachable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from registryauth.reference import Address
    from registryauth.stores import Store

#: The label by which an entry of the cache says what it stands for; with a space, so that no person's label is called so.
_LABEL = "registryauth cache"
#: A clock that was set back this far makes an age unknown, and what has it too old. Seconds.
_SKEW = 60
#: What is younger than this part of the age allowed is not written again.
_FRESH = 0.1


class _Question(Value):
    """What was asked: *kind* is the method, *account* the one that was named, if any."""

    kind: str
    address: Address
    account: str | None

    def entry(self, number: int) -> Key:
        """The key of the answer's record *number* in the cache."""
        return Key(self.address, json.dumps([self.kind, self.account, number]))


class _Kept(Value):
    """A *record* as the remote store gave it *at* a time, one of *count* of the same answer."""

    record: Principal
    at: int
    count: int


class CachedStore:
    """The store *remote*; where that is `Unreachable`, `get`, `nearest` and `exact` answer from *cache* what they answered before.

    Nothing older than *max_age* seconds is used; it is removed when the next answer is kept. Writes go to *remote* alone, and
    take what they change out of the cache; so does an answer "absent". `at` and `list` are never answered from the cache.
    *notice* is told of each answer from the cache, and of a cache that cannot be used. *clock* gives seconds since the epoch.
    """

    def __init__(
        self, remote: Store, cache: Store, max_age: float, *, notice: Callable[[str], None], clock: Callable[[], float] = time.time
    ) -> None:
        self._remote, self._cache = remote, cache
        self._max_age, self._notice, self._clock = max_age, notice, clock
        self.conditional, self.enumerable, self.atomic = remote.conditional, remote.enumerable, remote.atomic
        self.max_secret: int | None = getattr(remote, "max_secret", None)

    def get(self, address: Address, account: str | None = None) -> Principal | None:
        """What the remote store says; the same as last time where it is away."""
        return self._single(_Question("get", address, account), lambda: self._remote.get(address, account))

    def nearest(self, address: Address, account: str | None = None) -> Sequence[Principal]:
        """What the remote store says; the same as last time where it is away."""
        return self._answered(_Question("nearest", address, account), lambda: self._remote.nearest(address, account))

    def nearest_all(self, questions: Sequence[tuple[Address, str | None]]) -> Sequence[Sequence[Principal]]:
        """What the remote store says; the same as last time where it is away."""
        return self._all_answered([_Question("nearest", *each) for each in questions], lambda: self._remote.nearest_all(questions))

    def exact(self, key: Key) -> Principal | None:
        """What the remote store says; the same as last time where it is away."""
        return self._single(_Question("exact", key.address, key.account), lambda: self._remote.exact(key))

    def at(self, address: Address) -> Sequence[Principal]:
        """What the remote store says."""
        return self._remote.at(address)

    def put(self, principal: Principal, if_revision: int | None = None) -> Principal:
        """Write to the remote store."""
        try:
            return self._remote.put(principal, if_revision)
        finally:
            self._forget({principal.key})

    def put_all(self, records: Iterable[tuple[Principal, int | None]]) -> Sequence[Principal]:
        """Write to the remote store."""
        wanted = list(records)
        try:
            return self._remote.put_all(wanted)
        finally:
            self._forget({principal.key for principal, _ in wanted})

    def delete(self, key: Key, if_revision: int | None = None) -> bool:
        """Remove from the remote store."""
        try:
            return self._remote.delete(key, if_revision)
        finally:
            self._forget({key})

    def list(self) -> list[Principal]:
        """What the remote store says."""
        return self._remote.list()

    def stamp(self) -> object | None:
        """What the remote store says."""
        return self._remote.stamp()

    def status(self) -> dict[str, Any]:
        """The remote store's, and under ``cache`` where the cache is, its key, and how old its answers may be, in seconds."""
        kept = self._cache.status()
        return self._remote.status() | {"cache": {"path": kept["path"], "key": kept["key"], "max_age": self._max_age}}

    def close(self) -> None:
        """Close both."""
        self._remote.close()
        self._cache.close()

    def _single(self, question: _Question, ask: Callable[[], Principal | None]) -> Principal | None:
        def listed() -> Sequence[Principal]:
            found = ask()
            return () if found is None else (found,)

        return next(iter(self._answered(question, listed)), None)

    def _answered(self, question: _Question, ask: Callable[[], Sequence[Principal]]) -> Sequence[Principal]:
        return self._all_answered([question], lambda: [ask()])[0]

    def _all_answered(
        self, questions: Sequence[_Question], ask: Callable[[], Sequence[Sequence[Principal]]]
    ) -> Sequence[Sequence[Principal]]:
        try:
            answers = ask()
        except Unreachable as away:
            return [self._last(question, away) for question in questions]
        try:
            self._keep(dict(zip(questions, answers, strict=True)))
        except StoreError as error:
            self._notice(f"this answer cannot be kept for the time that the store is away: {error}")
        return answers

    def _last(self, question: _Question, away: Unreachable) -> Sequence[Principal]:
        """What was answered last time; raise *away* where there was nothing, or it is too old."""
        what = printable(str(question.address))
        try:
            kept = self._kept(question)
        except StoreError as error:
            raise Unreachable(away.message, hint=f"{away.hint}; and the cache cannot be read: {error}") from away
        age = self._clock() - kept[0].at if kept else 0
        if not kept or not -_SKEW <= age <= self._max_age:
            why = f"its answer for {what} is {_span(age)} old" if kept else f"it has no answer for {what}"
            raise Unreachable(away.message, hint=f"{away.hint}; the cache does not help: {why}") from away
        self._notice(f"{away.message}; what it said of {what} {_span(age)} ago comes from the cache")
        return [each.record for each in kept]

    def _keep(self, answers: Mapping[_Question, Sequence[Principal]]) -> None:
        now = int(self._clock())
        before = {question: self._kept(question) for question in answers}
        news = {question: records for question, records in answers.items() if not self._is_fresh(before[question], records, now)}
        if not news:
            return
        self._sweep(lambda kept: now - kept.at > self._max_age)
        entries = (
            _entry(question, number, record, now, len(records))
            for question, records in news.items()
            for number, record in enumerate(records)
        )
        self._cache.put_all([(entry, None) for entry in entries])
        for question, records in news.items():
            for number in range(len(records), len(before[question])):
                self._cache.delete(question.entry(number))

    def _is_fresh(self, kept: Sequence[_Kept], records: Sequence[Principal], now: int) -> bool:
        return [each.record for each in kept] == list(records) and (not kept or 0 <= now - kept[0].at <= self._max_age * _FRESH)

    def _kept(self, question: _Question) -> Sequence[_Kept]:
        """The whole of an answer, in its order; empty where a part of it is missing."""
        first = _read(self._cache.exact(question.entry(0)))
        others = [_read(self._cache.exact(question.entry(number))) for number in range(1, first.count)] if first else []
        found = [each for each in (first, *others) if each is not None and first is not None and each.at == first.at]
        return found if first and len(found) == first.count else []

    def _sweep(self, unwanted: Callable[[_Kept], bool]) -> None:
        for entry in self._cache.list():
            kept = _read(entry)
            if kept is None or unwanted(kept):
                self._cache.delete(entry.key)

    def _forget(self, keys: set[Key]) -> None:
        """Take every answer with one of the records *keys* out: a change may have happened even where its answer was lost."""
        try:
            self._sweep(lambda kept: kept.record.key in keys)
        except StoreError as error:
            self._notice(f"what was changed may still be in the cache: {error}")


def _entry(question: _Question, number: int, record: Principal, now: int, count: int) -> Principal:
    """*record* as the cache keeps it: under the question, with all that the cache's own key and revision take the place of."""
    place = {"registry": record.address.registry.host, "path": record.address.path, "account": record.account}
    label = (_LABEL, json.dumps(place | {"revision": record.revision, "at": now, "count": count}))
    key = question.entry(number)
    return record.replace(address=key.address, account=key.account, labels=(*record.labels, label))


def _read(entry: Principal | None) -> _Kept | None:
    """What the cache's *entry* stands for; None if there is none, or it is not ours."""
    text = dict(entry.labels).get(_LABEL) if entry else None
    if entry is None or text is None:
        return None
    # What we wrote: the cache authenticates it.
    said = json.loads(text)
    key = Key.of(said["registry"], said["path"], said["account"])
    labels = tuple(label for label in entry.labels if label[0] != _LABEL)
    record = entry.replace(address=key.address, account=key.account, labels=labels, revision=said["revision"])
    return _Kept(record, said["at"], said["count"])


def _span(seconds: float) -> str:
    """An age for people."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"
