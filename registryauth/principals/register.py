"""Registering and forgetting principals."""

from __future__ import annotations

import time

from registryauth._value import Value
from registryauth.credentials import TOKEN_USERNAME, IdentityToken, from_login
from registryauth.errors import ConfigurationError, Conflict, CredentialNotFound
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
    if repository and not address.covers(repository):
        raise ConfigurationError(f"{repository} is not in {address}", hint="name a repository that this credential is for")
    credential = IdentityToken(secret) if kind == "identity-token" else from_login(account, secret)
    kind = "identity-token" if isinstance(credential, IdentityToken) else kind
    verification = None
    if open_client is not None:
        verification = verify(address, credential, open_client, repository=repository, realm=realm, insecure=insecure, confirm=confirm)
        realm = verification.realm
    now = clock()
    slots = (Slot(secret, added_at=int(now), expires_at=expires_at),)
    said: dict[str, Any] = {
        "kind": kind,
        "realm": realm,
        "insecure": insecure,
        "verified_at": int(now) if verification and verification.verified else 0,
        "preferred_at": int(now * 1_000_000),
        **{name: note for name, note in (notes or {}).items() if note},
    }
    for _ in range(_MAX_CONFLICTS):
        before = store.exact(Key(address, account))
        if before:
            record = before.replace(slots=slots, **said, made_by="admin" if "admin" in (before.made_by, made_by) else made_by)
        else:
            record = Principal(address, account, slots, made_by=made_by, created_at=int(now), **said)
        try:
            return Registration(store.put(record, before.revision if before else 0), verification, before is not None)
        except Conflict:
            continue
    raise Conflict(f"{Key(address, account)} is being written by others all the time; nothing was stored", hint="try again")


def forget(store: Store, address: Address, account: str | None = None) -> list[Principal]:
    """Remove *account*'s record at exactly *address*, or every account's; give what was removed.

    Raise `CredentialNotFound` if there was none.
    """
    gone = [record for record in store.at(address) if account in (None, record.account) and store.delete(record.key)]
    if not gone:
        whose = f" of {account}" if account else ""
        raise CredentialNotFound(f"no credential{whose} is stored for {address}", hint="'registryauth list' shows what is")
    return gone


def _refuse_unusable(account: str, secret: str) -> None:
    """A user name ends at the first colon in Basic (RFC 7617 §2), and no protocol carries a line break."""
    if not account or not secret:
        raise ConfigurationError(f"the {'user name' if not account else 'secret'} is empty")
    if account != TOKEN_USERNAME and (":" in account or not account.isprintable()):
        raise ConfigurationError("a user name holds no colon and no control character")
    if any(ord(c) < 32 or ord(c) == 127 for c in secret):
        raise ConfigurationError(
            "the secret holds a control character, which no registry can be sent", hint="is there a line break too many in the file?"
        )
