"""A new secret in place of the old one, without a moment in which neither works.

The next secret is stored first, as a second slot that nobody is given; then it is verified; then the two change places in one
write. Whatever stops this between two writes leaves the current secret current, and the command can be given again.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

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
from registryauth.stores.principal import Consumer, Key, Principal, Slot
from registryauth.stores.revisions import present, revise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

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
    older secret.
    """

    principal: Principal
    verification: Verification | None = None
    already: bool = False
    resumed: bool = False
    behind: tuple[Consumer, ...] = ()


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
) -> Rotation:
    """Make the secret that *source* gives the current one, once the registry took it; the old one stays for *keep_old* seconds.

    A *source* that makes a secret asks `refuse_crowded` first. *open_client* None skips the verification. *force* gives up
    a replaced secret that is still kept from the rotation before. Where the registry does not take the secret, or anything
    else goes wrong, the record is as it was, and what went wrong is raised: what `verify` and the store raise,
    `ConfigurationError` for a secret that no protocol carries, `Conflict` where another rotation is going on,
    `CredentialError` where a replaced secret is in the way, `StoreError` where the store has no conditional writes.
    """
    if not store.conditional:
        raise StoreError("this store cannot tell whether two are rotating at once, so it rotates nothing", hint="rotate in another store")
    before = present(store, key)
    asked = None if open_client is None and repository is None else where_to_ask(key.address, repository)
    given = source(before)
    refusals.refuse_unusable(key.account, given.secret)
    refusals.refuse_dates(given.not_before, given.expires_at)
    if given.secret == before.slots[0].secret:
        return _repeated(before)
    refuse_crowded(before, clock(), force=force)
    pending = _hold(store, before, given, clock())
    try:
        verification = None
        if open_client is not None and asked is not None:
            credential = before.replace(slots=(pending,)).credential(clock())
            verification = verify(
                asked, credential, open_client, repository=repository, realm=before.realm, insecure=before.insecure, confirm=confirm
            )
        after = _swap(store, key, pending, verification, keep_old, clock())
    except BaseException as error:
        _withdraw(store, before, pending, clock(), error)
        raise
    return Rotation(after, verification, resumed=before.pending is not None, behind=behind(after))


def refuse_crowded(record: Principal, now: float, *, force: bool) -> None:
    """Raise `CredentialError` unless there is room for a next secret: a replaced one may go when its day has come and nobody holds it."""
    old = record.replaced
    if old is None or force:
        return
    key = printable(str(record.key))
    if not 0 < old.remove_after <= now:
        until = f"until {datetime.fromtimestamp(old.remove_after, UTC):%Y-%m-%dT%H:%M:%SZ} " if old.remove_after else ""
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


def _repeated(record: Principal) -> Rotation:
    """The secret is current already: the repetition of a rotation that was cut off after its end, or a mistake."""
    if record.replaced is None:
        raise ConfigurationError(
            f"that is the secret that {printable(str(record.key))} has already",
            hint="a rotation needs the next one; nothing was changed",
        )
    return Rotation(record, already=True, behind=behind(record))


def _hold(store: Store, before: Principal, given: Slot, now: float) -> Slot:
    """Store *given* as the second slot, unless somebody changed the secrets since we looked."""
    resumed = before.pending if before.pending and before.pending.secret == given.secret else None
    pending = given.replace(serial=before.next_serial, added_at=int(now))
    if resumed:
        # The same slot, so that two who bring the same secret do not fight over it.
        pending = given.replace(serial=resumed.serial, added_at=resumed.added_at)

    def edit(record: Principal) -> Principal | Conflict:
        return record.replace(slots=(record.slots[0], pending)) if record.slots == before.slots else _overtaken(before.key)

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


def _withdraw(store: Store, before: Principal, pending: Slot, now: float, error: BaseException) -> None:
    """Take *pending* out again, if it still waits, and put back what made room for it; *error*'s hint says what came of that."""
    stays = (before.replaced,) if before.replaced else ()

    def edit(record: Principal) -> Principal:
        return record.replace(slots=(record.slots[0], *stays)) if record.pending == pending else record

    came = "nothing was changed"
    try:
        revise(store, before.key, edit, now)
    except CredentialNotFound:
        return
    except Error as failed:
        came = f"the new secret waits in the store, handed to nobody, until a rotation replaces it ({failed.message})"
    if isinstance(error, TokenRefused | Unauthorized):
        # What the error says of logging in again is for a credential in use.
        error.hint = f"{came}; is the new secret complete, and known to the registry yet? That can take a minute"
    elif isinstance(error, Error) and not isinstance(error, Conflict):
        error.hint = f"{came}; {error.hint}" if error.hint else came


def _overtaken(key: Key) -> Conflict:
    return Conflict(
        f"somebody else changed the secrets of {printable(str(key))} in the meantime; this rotation was given up",
        hint=f"'registryauth principal show {key.address}' says what is current now; the secret that you brought is not stored",
    )
