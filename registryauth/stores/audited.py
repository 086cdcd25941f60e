"""A store whose every use is written down, whichever store it is.

An event is that a secret left the store: reading by address or key is ``read``, one line for each record handed out, with
the purpose that the opener named; `list` is ``listed``, one line with a count. What was done with it afterwards this cannot
know. That something was asked for and is not there is no event.
"""

from __future__ import annotations

import os
import time

from registryauth.audit.chain import key_id
from registryauth.audit.event import Event
from registryauth.audit.recorder import Recorder, to_syslog
from registryauth.errors import Conflict, Error, StoreError, StoreLocked, StoreUnavailable
from registryauth.stores import limits
from registryauth.stores.keys import FileKey
from registryauth.stores.last_used import LastUsed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any, TypeVar

    from registryauth.config import Config
    from registryauth.reference import Address
    from registryauth.stores import Store
    from registryauth.stores.principal import Key, Principal

    Result = TypeVar("Result")

#: What the chain's key is derived for.
LABEL = "registryauth audit log"
#: Records of one address beyond which one line with their number says it.
_MOST_LINES = 16


class AuditedStore:
    """*inner*, with what happens to it told to *recorder*, and to *used* which record was looked up for use.

    The chain's key is derived from *inner*'s data key; for a store without one it is kept in the file *own_key*.
    In the mode ``required`` a secret that was read is handed out, and a write begun, only once that is written down: else
    `StoreUnavailable` is raised.
    """

    def __init__(
        self, inner: Store, recorder: Recorder, used: LastUsed, *, own_key: str = "", clock: Callable[[], float] = time.time
    ) -> None:
        self.inner = inner
        self.conditional = inner.conditional
        self.enumerable = inner.enumerable
        self.atomic = inner.atomic
        self.last_used = used
        self._recorder = recorder
        self._own_key = own_key
        self._clock = clock
        # The chain's key, and the state of the store in which it was derived: a rekey of another process changes both.
        self._derived: tuple[object | None, bytes | None] = (None, None)

    def get(self, address: Address, account: str | None = None) -> Principal | None:
        """The most specific record at or above *address*; of several accounts there, *account* or the preferred one."""
        found = self.look(address, account)
        if found is not None:
            self.last_used.touch(found.key, self._clock())
        return found

    def look(self, address: Address, account: str | None = None) -> Principal | None:
        """The record that `get` gives, for who asks about it and does not use it."""
        found = self._asked(Event("read", str(address), account or ""), lambda: self.inner.get(address, account))
        if found is not None:
            self._hand_out(found.address, [found])
        return found

    def nearest(self, address: Address, account: str | None = None) -> Sequence[Principal]:
        """Every account's record, or *account*'s, at the nearest place at or above *address* that has one."""
        return self.nearest_all([(address, account)])[0]

    def nearest_all(self, questions: Sequence[tuple[Address, str | None]]) -> Sequence[Sequence[Principal]]:
        """What `nearest` gives for each of *questions*; a record that answers several is handed out once."""
        asked = [Event("read", str(address), account or "") for address, account in questions]
        found = self._asked(asked[0] if len(asked) == 1 else Event("listed"), lambda: self.inner.nearest_all(questions))
        handed_out = {record.key: record for there in found for record in there}
        self._hand_out(questions[0][0] if len(questions) == 1 else None, list(handed_out.values()))
        now = self._clock()
        # Of several accounts, the one that is the default is the one that is used.
        chosen = (limits.preferred(record for record in there if not record.disabled_at) for there in found)
        for key in {record.key for record in chosen if record is not None}:
            self.last_used.touch(key, now)
        return found

    def exact(self, key: Key) -> Principal | None:
        """The record with exactly this key."""
        found = self._asked(Event("read", str(key.address), key.account), lambda: self.inner.exact(key))
        self._hand_out(key.address, [found] if found else [])
        return found

    def at(self, address: Address) -> Sequence[Principal]:
        """Every account's record at exactly *address*, ordered by account."""
        found = self._asked(Event("read", str(address)), lambda: self.inner.at(address))
        self._hand_out(address, found)
        return found

    def list(self) -> list[Principal]:
        """Every record, ordered by registry, path and account."""
        found = self._asked(Event("listed"), self.inner.list)
        if found:
            self._record([Event("listed", count=len(found))])
        return found

    def put(self, principal: Principal, if_revision: int | None = None) -> Principal:
        """Write a record, and return it with its new revision, which this store never gave before."""
        return self._change([self._written(principal, if_revision)], lambda: self.inner.put(principal, if_revision))

    def put_all(self, records: Iterable[tuple[Principal, int | None]]) -> Sequence[Principal]:
        """Write records as `put` does, each with its *if_revision*; all or none where the store is *atomic*."""
        wanted = list(records)
        return self._change([self._written(*each) for each in wanted], lambda: self.inner.put_all(wanted))

    def delete(self, key: Key, if_revision: int | None = None) -> bool:
        """Remove a record; whether there was one."""
        event = Event("removed", str(key.address), key.account)
        there = self._change([event], lambda: self.inner.delete(key, if_revision), missed=lambda done: not done)
        if there:
            self.last_used.forget(key)
        return there

    def stamp(self) -> object | None:
        """What tells this state of the store from every other one, None where that cannot be told."""
        return self.inner.stamp()

    def status(self) -> dict[str, Any]:
        """What can be said without the key."""
        return self.inner.status()

    def close(self) -> None:
        """Let go of files and keys."""
        self._derived = (None, None)
        self.inner.close()

    def note(self, event: str, about: Key | None = None, *, serial: int = 0, count: int = 0, result: str = "ok", detail: str = "") -> None:
        """Write down what was done with what came from here; see `note`."""
        address, account = (str(about.address), about.account) if about else ("", "")
        self._record([Event(event, address, account, serial=serial, count=count, result=result, detail=detail)])

    def rekeyed(self, change: Callable[[], Result]) -> Result:
        """What *change* gives, which gives the store another data key; the log's chain goes on under the new one.

        The lines so far are checked under the old key and vouched for by the line that is written under the new one.
        """
        old = self._chain_key_or_none()
        fine = old is not None and self._is_fine(old)
        done = self._change([Event("rekeyed")], change, silent=True)
        carries = key_id(old) if old is not None and fine else ""
        self._record_done([Event("rekeyed", carries=carries, detail="" if fine else "the lines before could not be vouched for")])
        return done

    def chain_key(self) -> bytes:
        """The key under which the log's lines are written; raise `StoreError` where there is none or it is not at hand."""
        derive: Callable[[str], bytes] | None = getattr(self.inner, "derived_key", None)
        if derive is not None:
            return derive(LABEL)
        if not os.path.lexists(self._own_key):
            raise StoreUnavailable(f"there is no key {self._own_key} of the audit log", hint="the first event makes it; was it removed?")
        return FileKey(self._own_key).load()

    def _asked(self, event: Event, ask: Callable[[], Result]) -> Result:
        try:
            return ask()
        except Error as error:
            self._failed([event], error)
            raise

    def _hand_out(self, address: Address | None, found: Sequence[Principal]) -> None:
        """Write down that *found* was read; *address* is the place if it is one, of which a line with their number may do."""
        if address is not None and len(found) > _MOST_LINES:
            self._record([Event("listed", str(address), count=len(found))])
        else:
            now = self._clock()
            self._record([Event("read", str(each.address), each.account, each.slot(now).serial) for each in found])

    def _written(self, principal: Principal, if_revision: int | None) -> Event:
        kind, detail = ("added" if if_revision == 0 else "changed"), ("" if if_revision is not None else "whatever was there")
        serial = principal.slot(self._clock()).serial if principal.slots else 0
        return Event(kind, str(principal.address), principal.account, serial, detail=detail)

    def _change(
        self,
        events: Sequence[Event],
        change: Callable[[], Result],
        *,
        missed: Callable[[Result], bool] = lambda _: False,
        silent: bool = False,
    ) -> Result:
        """What *change* gives; written down before where that is required, and after. *missed* says that it did nothing."""
        required = self._recorder.is_required
        if required:
            self._record([event.replace(result="begun") for event in events])
        try:
            done = change()
        except Error as error:
            self._failed(events, error)
            raise
        if silent:
            return done
        if missed(done):
            events = [event.replace(result="refused", detail="there was none") for event in events] if required else []
        self._record_done(events)
        return done

    def _record_done(self, events: Sequence[Event]) -> None:
        try:
            self._record(events)
        except StoreUnavailable as error:
            # That it was begun could be written down a moment ago.
            why = error.__cause__ or error
            raise StoreUnavailable(f"it was done, and only that it began is written down: {why}", hint=error.hint) from error

    def _record(self, events: Sequence[Event]) -> None:
        self._recorder.record(events, self._chain_key_or_none)

    def _failed(self, events: Sequence[Event], error: Error) -> None:
        from contextlib import suppress

        result = "refused" if isinstance(error, Conflict) else "failed"
        ended = [event.replace(result=result, error=type(error).__name__) for event in events]
        # A keyring that has just refused, or a passphrase that nobody gave, is not asked for a second time.
        locked = isinstance(error, StoreLocked | StoreUnavailable) and hasattr(self.inner, "derived_key")
        # Nothing was handed out, and the first error is the one to hear of.
        with suppress(StoreError):
            self._recorder.record(ended, (lambda: None) if locked else self._chain_key_or_none)

    def _chain_key_or_none(self) -> bytes | None:
        """The chain's key; None while the store is locked or not there yet."""
        if not hasattr(self.inner, "derived_key"):
            return FileKey(self._own_key).create()
        try:
            stamp = self.inner.stamp()
            if stamp is None or stamp != self._derived[0]:
                self._derived = stamp, self.chain_key()
            return self._derived[1]
        except StoreError:
            return None

    def _is_fine(self, key: bytes) -> bool:
        from registryauth.audit.verification import verify

        if not os.path.lexists(self._recorder.path):
            return True
        try:
            return not verify([self._recorder.path], key).faults
        except StoreError:
            return False


def audited(
    inner: Store, config: Config, environ: Mapping[str, str], *, purpose: str = "", warn: Callable[[str], None] | None = None
) -> AuditedStore:
    """*inner* with the audit log that *config* names; *purpose* and *warn* as `Recorder` takes them."""
    recorder = Recorder(config.audit_file, config.audit_mode, purpose=purpose, syslog=to_syslog if config.audit_syslog else None, warn=warn)
    # Beside the log, so that it is found wherever the log was put.
    own_key = f"{os.path.splitext(config.audit_file)[0]}.key"
    return AuditedStore(inner, recorder, LastUsed.at_home(environ), own_key=own_key)


def note(
    store: Store, event: str, about: Key | None = None, *, serial: int = 0, count: int = 0, result: str = "ok", detail: str = ""
) -> None:
    """Write down that *event*, one of `audit.event.EVENTS`, happened with the record *about*, if *store* is an audited one.

    Raise `StoreUnavailable` where that is required and impossible: call it before what must not happen unseen.
    """
    if isinstance(store, AuditedStore):
        store.note(event, about, serial=serial, count=count, result=result, detail=detail)


def behind(store: Store) -> Store:
    """The store itself, for what only one backend can do; what is done there is written down with `note`."""
    return store.inner if isinstance(store, AuditedStore) else store
