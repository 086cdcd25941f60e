"""Registering principals."""

from __future__ import annotations

import time

from registryauth._value import Value
from registryauth.auth.exchange import expiry_of
from registryauth.credentials import IdentityToken, from_login
from registryauth.errors import StoreCorrupt
from registryauth.principals import refusals
from registryauth.principals.asking import where_to_ask
from registryauth.principals.verify import Verification, verify
from registryauth.reference import Address, Repository
from registryauth.stores.principal import Key, Principal, Slot
from registryauth.stores.revisions import insist

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from registryauth.principals.verify import OpenClient
    from registryauth.stores import Store


class Registration(Value):
    """The stored record, what the registry said of it (None if it was not asked), and whether it took an older record's place."""

    principal: Principal
    verification: Verification | None
    replaced: bool


def register(
    store: Store,
    address: Address,
    account: str,
    secret: str,
    open_client: OpenClient | None,
    *,
    made_by: str,
    kind: str = "user",
    repository: Repository | None = None,
    realm: str = "",
    insecure: bool = False,
    expires_at: int = 0,
    not_before: int = 0,
    key_id: str = "",
    notes: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    needed: Sequence[str] = (),
    default: bool = False,
    confirm: Callable[[str], bool] = lambda _: False,
    clock: Callable[[], float] = time.time,
) -> Registration:
    """Verify a credential against its registry, then store it; nothing is stored unless it was taken.

    *open_client* None skips the verification, and then only *realm* is pinned; a wildcard is verified at the host of
    *repository*. *key_id* is the issuer's own name for the secret. *notes* may hold tenant, cloud, owner and purpose; *needed* are
    actions, ``pull`` for an admin's record unless said. *default* makes it the default of several accounts; a login, and the first
    account of an address, always is.
    Where the record is there already its secret is replaced and everything else said of it stays. Raise what `verify` and the
    store raise, and `ConfigurationError` for what no protocol carries and no record can be.
    """
    asked = _checked(address, account, secret, repository, realm, insecure=insecure, unasked=open_client is None)
    refusals.refuse_dates(not_before, expires_at)
    refusals.refuse_unknown_actions(needed)
    refusals.refuse_odd_labels(labels or {})
    credential = IdentityToken(secret) if kind == "identity-token" else from_login(account, secret)
    kind = "identity-token" if isinstance(credential, IdentityToken) else kind
    key = Key(address, account)
    # A store that is locked or broken is better heard of before the secret has travelled.
    _there(store, key)
    verification = None
    if open_client is not None:
        verification = verify(asked, credential, open_client, repository=repository, realm=realm, insecure=insecure, confirm=confirm)
    now = clock()
    slot = Slot(secret, added_at=int(now), expires_at=expires_at or expiry_of(secret), not_before=not_before, serial=1, key_id=key_id)
    said = _said(verification, realm, notes or {}, insecure=insecure, now=now)
    given = {"needed": tuple(needed)} if needed else {}
    fresh = Principal(address, account, (slot,), kind=kind, made_by=made_by, created_at=int(now), **said, **_default_needs(made_by) | given)

    def write() -> Registration:
        before, revision = _there(store, key)
        record = _renewed(before, fresh, said | given, now) if before else fresh
        record = record.replace(labels=tuple(sorted((dict(record.labels) | dict(labels or {})).items())))
        if default or made_by != "admin" or _is_alone(store, key):
            record = record.replace(preferred_at=int(now * 1_000_000))
        return Registration(store.put(record, revision), verification, revision != 0)

    return insist(write, key)


def _checked(
    address: Address, account: str, secret: str, repository: Repository | None, realm: str, *, insecure: bool, unasked: bool
) -> Address:
    """Where to ask, once nothing speaks against a record of this."""
    refusals.refuse_unusable(account, secret)
    refusals.refuse_shared_wildcard(address, insecure=insecure)
    if realm:
        refusals.refuse_no_url(realm)
    return address if unasked and not repository else where_to_ask(address, repository)


def _said(verification: Verification | None, realm: str, notes: Mapping[str, str], *, insecure: bool, now: float) -> dict[str, Any]:
    """What a registration says of the account, beside its secret."""
    taken = verification is not None and verification.verified
    said: dict[str, Any] = {"insecure": insecure, "verified_at": int(now) if taken else 0, "updated_at": int(now)}
    # Without a verification nobody spoke of a token server, and the one that is pinned stays.
    if verification is not None and taken:
        said["realm"] = verification.realm
    elif realm:
        said["realm"] = realm
    return said | {name: note for name, note in notes.items() if note}


def _default_needs(made_by: str) -> dict[str, Any]:
    return {"needed": ("pull",)} if made_by == "admin" else {}


def _renewed(before: Principal, fresh: Principal, said: dict[str, Any], now: float) -> Principal:
    """*before* with *fresh*'s secret and what was *said* with it; what an admin registered stays an admin's."""
    # A login tells tokens from passwords, and a service principal from a person it does not.
    unsaid = fresh.made_by == "login" and fresh.kind == "user" and before.kind != "identity-token"
    slots = before.renewed(fresh.slots[0], now)
    # A secret that was verified once does not become unverified by being given again.
    still = before.verified_at if slots[0].secret == before.slots[0].secret else 0
    return before.replace(
        slots=slots,
        kind=before.kind if unsaid else fresh.kind,
        made_by="admin" if "admin" in (before.made_by, fresh.made_by) else fresh.made_by,
        **said | {"verified_at": fresh.verified_at or still},
    )


def _there(store: Store, key: Key) -> tuple[Principal | None, int | None]:
    """The record at *key* and the revision to replace, 0 where there is none; None, "any", for one that was damaged."""
    try:
        found = store.exact(key)
    except StoreCorrupt:
        # One damaged record is written anew, as the store's hint says. Where more is damaged, `put` will not write.
        return None, None
    return found, found.revision if found else 0


def _is_alone(store: Store, key: Key) -> bool:
    """Whether no other account is stored at this address, as far as can be read."""
    try:
        return all(record.account == key.account for record in store.at(key.address))
    except StoreCorrupt:
        return False
