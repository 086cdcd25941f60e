"""Which of the records at and above an address answers for it: the rule that the resolver and docker's helper share."""

from __future__ import annotations

from registryauth._redact import printable
from registryauth._value import Value
from registryauth.errors import AmbiguousCredential
from registryauth.reference import Address, Registry
from registryauth.stores import limits
from registryauth.stores.principal import Principal, places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from registryauth.stores import Store

#: Accounts that a complaint names.
_SHOWN = 5


class Choice(Value):
    """The *record* that answers, None if none does, and those that would have answered were they not *disabled*."""

    record: Principal | None
    disabled: tuple[Principal, ...] = ()


def choose(store: Store, address: Address, account: str | None = None) -> Choice:
    """The record for *address*: at the nearest place that has one in use, of *account* or of the default account there.

    A disabled record counts as absent. Where several accounts are in use at that place, the one preferred last is the default;
    raise `AmbiguousCredential` if none was ever preferred. One read of the store, unless all that was found is disabled.
    """
    return choose_from(store.nearest(address, account), store, address, account)


def choose_from(there: Sequence[Principal], store: Store, address: Address, account: str | None = None) -> Choice:
    """What `choose` gives where *there* is what `Store.nearest` gave."""
    disabled: tuple[Principal, ...] = ()
    while there:
        usable = [record for record in there if not record.disabled_at]
        disabled += tuple(record for record in there if record.disabled_at)
        if usable:
            return Choice(_default(usable), disabled)
        there = _above(store, address, there[0], account)
    return Choice(None, disabled)


def _above(store: Store, address: Address, found: Principal, account: str | None) -> Sequence[Principal]:
    """The records at the next place for *address* after that of *found*."""
    candidates = places(address)
    here = (found.address.registry.host, found.address.path)
    # A store that hands out what was not asked for is not asked again; the resolver looks at what it got.
    for host, path in candidates[candidates.index(here) + 1 :] if here in candidates else ():
        if there := [record for record in store.at(Address(Registry(host), path)) if account in (None, record.account)]:
            return there
    return ()


def _default(usable: Sequence[Principal]) -> Principal:
    best = limits.preferred(usable)
    assert best is not None  # noqa: S101 - there is one at least
    if len(usable) > 1 and best.preferred_at <= 0:
        raise _ambiguous(usable)
    return best


def _ambiguous(usable: Sequence[Principal]) -> AmbiguousCredential:
    address = usable[0].address
    names = sorted(printable(record.account, 80) for record in usable)
    shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
    return AmbiguousCredential(
        f"{len(names)} accounts are stored for {address} and none of them is the default: {shown}",
        hint=f'name one with --account, as account under [registries."{address.registry}"], or make it the default: '
        f"registryauth principal default {address} {names[0]}",
    )
