"""A new secret in place of the old one, without a moment in which neither works.

The next secret is stored first, as a second slot that nobody is given; then it is verified; then the two change places in one
write. Whatever stops this between two writes leaves the current secret current, and the command can be given again.
"""

from __future__ import annotations

import time

from registryauth._redact import printable
from registryauth._value import Value
from registryauth.errors import (
    ConfigurationError,
    Conflict,
    CredentialError,
    CredentialNotFound,
    Error,
    StoreError,
    TokenRefused,
    Unauthorized,
)
from registryauth.principals import refusals
from registryauth.principals.asking import where_to_ask
from registryauth.principals.consumers import behind, on_replaced
from registryauth.principals.verify import Verification, verify
from registryauth.reference import Repository
from registryauth.stores.expiry import moment
from registryauth.stores.principal import Consumer, Key, Principal, Slot
from registryauth.stores.revisions import present, revise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from registryauth.principals.issuer import Issuer
    from registryauth.principals.verify import OpenClient
    from registryauth.stores import Store

    #: Gives the next secret of a principal, with its dates and the issuer's own name for it; serial and `added_at` are ours.
    Source = Callable[[Principal], Slot]

#: Seconds that a replaced secret stays, for those who were given it to come for the new one.
KEEP_OLD = 7 * 86400


class Rotation(Value):
    """What a rotation came to.

    *verification* is None where the registry was not asked. *already* says that the secret was current before, so that
    nothing changed. *resumed* says that an earlier rotation had been cut off. *behind* are the consumers that still hold an
    older secret. *given_up* is the `key_id` of a secret that made room for the new one, and that its issuer still takes.
    """

    principal: Principal
    verification: Verification | None = None
    already: bool = False
    resumed: bool = False
    behind: tuple[Consumer, ...] = ()
    given_up: str = ""


def rotate(
    store: Store,
    key: Key,
    source: Source,
    open_client: OpenClient | None,
    *,
    keep_old: int = KEEP_OLD,
    repository: Repository | None = None,
    force: bool = False,
    confirm: Callable[[str], bool] = lambda _: False,
    clock: Callable[[], float] = time.time,
    issuer: Issuer | None = None,
) -> Rotation:
    """Make the secret that *source* gives the current one, once the registry took it; the old one stays for *keep_old* seconds.

    *issuer*, where *source* is its `issue`, is asked for a secret only where there is room for one, waits until it is known,
    and takes it back where the rotation fails. *open_client* None skips the verification. *force* gives up
    a replaced secret that is still kept from the rotation before. Where the registry does not take the secret, or anything
    else goes wrong, the record is as it was, and what went wrong is raised: what `verify`, the issuer and the store raise,
    `ConfigurationError` for a secret that no protocol carries, `Conflict` where another rotation is going on,
    `CredentialError` where a replaced secret is in the way, `StoreError` where the store has no conditional writes.
    """
    if not store.conditional:
        raise StoreError("this store cannot tell whether two are rotating at once, so it rotates nothing", hint="rotate in another store")
    before = present(store, key)
    asked = None if open_client is None and repository is None else where_to_ask(key.address, repository)
    if issuer is not None:
        refuse_crowded(before, clock(), force=force)
    given = source(before)
    try:
        refusals.refuse_unusable(key.account, given.secret)
        refusals.refuse_dates(given.not_before, given.expires_at)
        if given.secret == before.slots[0].secret:
            return _repeated(before)
        refuse_crowded(before, clock(), force=force)
        pending = _hold(store, before, given, clock(), issuer.current(before) if issuer else before.slots[0])
    except BaseException as error:
        if issuer is not None:
            _tell_of(error, _taken_back(issuer, store, before, given, clock()), issuer)
        raise
    try:

        def ask() -> Verification | None:
            if open_client is None or asked is None:
                return None
            credential = before.replace(slots=(pending,)).credential(clock())
            return verify(
                asked, credential, open_client, repository=repository, realm=before.realm, insecure=before.insecure, confirm=confirm
            )

        verification = issuer.prove(before, pending, ask) if issuer else ask()
        after = _swap(store, key, pending, verification, keep_old, clock())
    except BaseException as error:
        _withdraw(store, before, pending, clock(), error, issuer)
        raise
    # What *issuer* found waiting it took up or took back itself.
    dropped = [slot for slot in before.slots[1:] if slot.secret != pending.secret and not (issuer and slot == before.pending)]
    given_up = dropped[0].key_id if dropped else ""
    return Rotation(after, verification, resumed=before.pending is not None, behind=behind(after), given_up=given_up)


def refuse_crowded(record: Principal, now: float, *, force: bool) -> None:
    """Raise `CredentialError` unless there is room for a next secret: a replaced one may go when its day has come and nobody holds it."""
    old = record.replaced
    if old is None or force:
        return
    key = printable(str(record.key))
    if not 0 < old.remove_after <= now:
        until = f"until {moment(old.remove_after)} " if old.remove_after else ""
        raise CredentialError(
            f"{key} still keeps the secret that its last rotation replaced",
            hint=f"it stays {until}and then goes with 'registryauth principal prune {record.address}'; --force gives it up now",
        )
    if holders := on_replaced(record):
        have = "1 consumer has it" if len(holders) == 1 else f"{len(holders)} consumers have it"
        raise CredentialError(
            f"{key} still keeps the secret that its last rotation replaced, because {have}",
            hint=f"'registryauth principal consumers {record.address}' names them; --force takes it away from them",
        )
    if old.key_id:
        raise CredentialError(
            f"{key} still keeps the secret that its last rotation replaced, and so does its issuer",
            hint=f"it is due: 'registryauth principal prune {record.address}' removes it in both places; --force leaves it at its issuer",
        )


def _repeated(record: Principal) -> Rotation:
    """The secret is current already: the repetition of a rotation that was cut off after its end, or a mistake."""
    if record.replaced is None:
        raise ConfigurationError(
            f"that is the secret that {printable(str(record.key))} has already",
            hint="a rotation needs the next one; nothing was changed",
        )
    return Rotation(record, already=True, behind=behind(record))


def _hold(store: Store, before: Principal, given: Slot, now: float, current: Slot) -> Slot:
    """Store *given* beside *current*, what is known by now of the current slot, unless somebody changed the secrets since we looked."""
    resumed = before.pending if before.pending and before.pending.secret == given.secret else None
    pending = given.replace(serial=before.next_serial, added_at=int(now))
    if resumed:
        # The same slot, so that two who bring the same secret do not fight over it.
        pending = given.replace(serial=resumed.serial, added_at=resumed.added_at)

    def edit(record: Principal) -> Principal | Conflict:
        return record.replace(slots=(current, pending)) if record.slots == before.slots else _overtaken(before.key)

    revise(store, before.key, edit, now)
    return pending


def _swap(store: Store, key: Key, pending: Slot, verification: Verification | None, keep_old: int, now: float) -> Principal:
    """Make *pending* the current secret, unless it is not the one that waits any more."""
    said: dict[str, object] = {"verified_at": 0}
    if verification is not None and verification.verified:
        said = {"verified_at": int(now), "realm": verification.realm}

    def edit(record: Principal) -> Principal | Conflict:
        if record.slots[0] == pending:
            # Somebody else who brought the same secret was faster.
            return record
        if record.pending != pending:
            return _overtaken(key)
        return record.replace(slots=(pending, record.slots[0].replace(remove_after=int(now) + keep_old)), **said)

    return revise(store, key, edit, now)


def _withdraw(store: Store, before: Principal, pending: Slot, now: float, error: BaseException, issuer: Issuer | None) -> None:
    """Take *pending* out again, if it still waits, and put back what made room for it; *error*'s hint says what came of that."""
    stays = (before.replaced,) if before.replaced else ()

    def edit(record: Principal) -> Principal:
        return record.replace(slots=(record.slots[0], *stays)) if _waits(record, pending) else record

    # The issuer first: who is killed in between leaves a slot that says which secret is to go.
    taken_back = _taken_back(issuer, store, before, pending, now) if issuer else ""
    came = "nothing was changed"
    try:
        revise(store, before.key, edit, now)
    except CredentialNotFound:
        came = ""
    except Error as failed:
        came = f"the new secret waits in the store, handed to nobody, until a rotation replaces it ({failed.message})"
    if came and not issuer and isinstance(error, TokenRefused | Unauthorized):
        # What the error says of logging in again is for a credential in use.
        error.hint = f"{came}; is the new secret complete, and known to the registry yet? That can take a minute"
    elif came and issuer and isinstance(error, TokenRefused | Unauthorized) and error.status == 401:
        error.hint = f"{came}; the registry has not heard of the new secret yet, or wants a role: try again in some minutes"
    elif came and isinstance(error, Error) and not isinstance(error, Conflict):
        error.hint = f"{came}; {error.hint}" if error.hint else came
    if issuer:
        _tell_of(error, taken_back, issuer)


def _taken_back(issuer: Issuer, store: Store, before: Principal, slot: Slot, now: float) -> str:
    """Have *issuer* take *slot* back, unless somebody who took up the same rotation made it current; what came of that."""
    is_current = False

    def condemn(record: Principal) -> Principal:
        nonlocal is_current
        is_current = record.slots[0].secret == slot.secret
        # From here on nobody makes it current: the slot is not the one that they hold.
        return (
            record.replace(slots=(record.slots[0], record.slots[1].replace(remove_after=max(1, int(now)))))
            if _waits(record, slot)
            else record
        )

    try:
        revise(store, before.key, condemn, now)
    except CredentialNotFound:
        pass
    except Error as failed:
        return (
            f"the secret that was made, key {slot.key_id}, is left at its issuer, for the store does not say who uses it ({failed.message})"
        )
    return "the secret that was made is current by now" if is_current else issuer.revoke(before, slot)


def _waits(record: Principal, slot: Slot) -> bool:
    """Whether *slot*'s secret is *record*'s next one."""
    return record.pending is not None and record.pending.secret == slot.secret


def _tell_of(error: BaseException, came: str, issuer: Issuer) -> None:
    """Have *came* said with *error*, or beside one that has no words of its own, like Ctrl-C."""
    if isinstance(error, Error):
        error.hint = f"{came}; {error.hint}" if error.hint else came
    else:
        issuer.tell(f"notice: {came}")


def _overtaken(key: Key) -> Conflict:
    return Conflict(
        f"somebody else changed the secrets of {printable(str(key))} in the meantime; this rotation was given up",
        hint=f"'registryauth principal show {key.address}' says what is current now; the secret that this one brought is not stored",
    )
