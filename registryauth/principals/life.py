"""Switching principals off and on, choosing the default of several, removing them."""

from __future__ import annotations

from registryauth._redact import printable
from registryauth.errors import AmbiguousCredential, Conflict, CredentialNotFound, StoreCorrupt
from registryauth.reference import Address
from registryauth.stores.principal import Key, Principal, prefixes
from registryauth.stores.revisions import insist, present, revise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.stores import Store


def find(store: Store, address: Address, account: str = "") -> Principal:
    """The record at exactly *address*, of *account* where one is named.

    Raise `CredentialNotFound`, and `AmbiguousCredential` where several accounts are there and none was named: what is to be
    changed is never guessed.
    """
    there = [record for record in store.at(address) if account in ("", record.account)]
    if not there:
        raise _nobody(store, address, account)
    if len(there) > 1:
        names = ", ".join(printable(record.account, 80) for record in there)
        raise AmbiguousCredential(f"{address} has several accounts: {names}", hint="say which one with --account")
    return there[0]


def _nobody(store: Store, address: Address, account: str) -> CredentialNotFound:
    whose = f" of {printable(account, 80)}" if account else ""
    above = (Address(address.registry, path) for path in prefixes(address.path)[1:])
    near = next((place for place in above if any(account in ("", record.account) for record in store.at(place))), None)
    hint = f"the entry for {near} is what covers it" if near else "'registryauth principal list' shows what is"
    return CredentialNotFound(f"no credential{whose} is stored for {address}", hint=hint)


def disable(store: Store, key: Key, now: float) -> Principal:
    """Switch a principal off: it stays stored and is handed to nobody. One that is off stays as it is."""
    return revise(store, key, lambda record: record if record.disabled_at else record.replace(disabled_at=int(now)), now)


def enable(store: Store, key: Key, now: float) -> Principal:
    """Put a principal back to use."""
    return revise(store, key, lambda record: record.replace(disabled_at=0), now)


def prefer(store: Store, key: Key, now: float) -> Principal:
    """Make an account the default of its address, over all that were it before."""

    def edit(record: Principal) -> Principal:
        # Not by the clock alone, which may have gone back since another one was chosen.
        others = max((other.preferred_at for other in store.at(key.address) if other.account != key.account), default=0)
        return record if record.preferred_at > others else record.replace(preferred_at=max(int(now * 1_000_000), others + 1))

    return revise(store, key, edit, now)


def remove(store: Store, seen: Principal) -> None:
    """Remove the record that was *seen*; raise `Conflict` if it has other secrets by now, which nobody looked at."""

    def write() -> bool | Conflict:
        record = present(store, seen.key)
        if record.slots != seen.slots:
            return Conflict(
                f"{printable(str(seen.key))} was given another secret in the meantime; nothing was removed", hint="look again and repeat"
            )
        return store.delete(record.key, record.revision)

    insist(write, seen.key)


def forget(store: Store, address: Address, account: str | None = None) -> list[Principal]:
    """Remove *account*'s record at exactly *address*, or every account's; give what was removed.

    A damaged record can be removed by its account, and is given without its secrets. Raise `CredentialNotFound` if there was none.
    """
    try:
        there = list(store.at(address))
    except StoreCorrupt as error:
        if account is None:
            raise StoreCorrupt(str(error), hint=f"{error.hint}; one record alone is removed with --account") from error
        there = [Principal(address, account, ())]
    gone = [record for record in there if account in (None, record.account) and store.delete(record.key)]
    if not gone:
        whose = f" of {printable(account, 80)}" if account else ""
        raise CredentialNotFound(f"no credential{whose} is stored for {address}", hint="'registryauth list' shows what is")
    return gone
