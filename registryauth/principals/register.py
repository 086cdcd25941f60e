"""Registering and forgetting principals."""

from __future__ import annotations

import time

from registryauth._origin import Url
from registryauth._redact import printable
from registryauth._value import Value
from registryauth.credentials import TOKEN_USERNAME, IdentityToken, from_login
from registryauth.errors import ConfigurationError, Conflict, CredentialNotFound, StoreCorrupt, TransportError
from registryauth.principals.verify import Verification, verify
from registryauth.reference import Address, Repository
from registryauth.stores.principal import Key, Principal, Slot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from registryauth.principals.verify import OpenClient
    from registryauth.stores import Store

#: Writes that may come between our read and ours before we give up.
_MAX_CONFLICTS = 8


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
    notes: Mapping[str, str] | None = None,
    confirm: Callable[[str], bool] = lambda _: False,
    clock: Callable[[], float] = time.time,
) -> Registration:
    """Verify a credential against its registry, then store it; nothing is stored unless it was taken.

    *open_client* None skips the verification, and then only *realm* is pinned. *notes* may hold tenant, owner and
    purpose. Where the record is there already its secret is replaced and everything else said of it stays.
    Raise what `verify` and the store raise; `ConfigurationError` for a secret or name that no protocol can carry.
    """
    _refuse_unusable(account, secret)
    if realm:
        _refuse_no_url(realm)
    if repository and not address.covers(repository):
        raise ConfigurationError(f"{repository} is not in {address}", hint="name a repository that this credential is for")
    credential = IdentityToken(secret) if kind == "identity-token" else from_login(account, secret)
    kind = "identity-token" if isinstance(credential, IdentityToken) else kind
    key = Key(address, account)
    # A store that is locked or broken is better heard of before the secret has travelled.
    _there(store, key)
    verification = None
    if open_client is not None:
        verification = verify(address, credential, open_client, repository=repository, realm=realm, insecure=insecure, confirm=confirm)
        realm = verification.realm if verification.verified else realm
    now = clock()
    slots = (Slot(secret, added_at=int(now), expires_at=expires_at),)
    said: dict[str, Any] = {
        "insecure": insecure,
        "verified_at": int(now) if verification and verification.verified else 0,
        "preferred_at": int(now * 1_000_000),
        **{name: note for name, note in (notes or {}).items() if note},
    }
    # Without a verification nobody spoke of a token server, and the one that is pinned stays.
    if (verification and verification.verified) or realm:
        said["realm"] = realm
    fresh = Principal(address, account, slots, kind=kind, made_by=made_by, created_at=int(now), **said)
    for _ in range(_MAX_CONFLICTS):
        before, revision = _there(store, key)
        record = _renewed(before, fresh, said) if before else fresh
        try:
            return Registration(store.put(record, revision), verification, revision != 0)
        except Conflict:
            continue
    raise Conflict(f"{key} is being written by others all the time; nothing was stored", hint="try again")


def _renewed(before: Principal, fresh: Principal, said: Mapping[str, Any]) -> Principal:
    """*before* with *fresh*'s secret and what was *said* with it; what an admin registered stays an admin's."""
    # A login tells tokens from passwords, and a service principal from a person it does not.
    unsaid = fresh.made_by == "login" and fresh.kind == "user" and before.kind != "identity-token"
    return before.replace(
        slots=fresh.slots,
        kind=before.kind if unsaid else fresh.kind,
        made_by="admin" if "admin" in (before.made_by, fresh.made_by) else fresh.made_by,
        **said,
    )


def _there(store: Store, key: Key) -> tuple[Principal | None, int | None]:
    """The record at *key* and the revision to replace, 0 where there is none; None, "any", for one that was damaged."""
    try:
        found = store.exact(key)
    except StoreCorrupt:
        # One damaged record is written anew, as the store's hint says. Where more is damaged, `put` will not write.
        return None, None
    return found, found.revision if found else 0


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


def _refuse_no_url(realm: str) -> None:
    try:
        Url.parse(realm)
    except TransportError:
        raise ConfigurationError(
            f"{printable(realm, 100)} is not the URL of a token server", hint="for example https://auth.example.com/token"
        ) from None


def _refuse_unusable(account: str, secret: str) -> None:
    """A user name ends at the first colon in Basic (RFC 7617 §2), and no protocol carries a line break."""
    if not account or not secret:
        raise ConfigurationError(
            f"the {'user name' if not account else 'secret'} is empty", hint="nothing was sent, nothing stored; check where it comes from"
        )
    if account != TOKEN_USERNAME and (":" in account or not account.isprintable()):
        raise ConfigurationError(
            "a user name holds no colon and no control character",
            hint="at a colon HTTP would end the name (RFC 7617)",
        )
    if any(0xD800 <= ord(c) < 0xE000 for c in secret):
        raise ConfigurationError("the secret is not text in UTF-8", hint="is the terminal's encoding, or the file, the right one?")
    if any(ord(c) < 32 or ord(c) == 127 for c in secret):
        raise ConfigurationError(
            "the secret holds a control character, which no registry can be sent", hint="is there a line break too many in the file?"
        )
