"""What `login` and `principal add` share: verify, store, say what came of it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import typer

from registryauth._redact import printable
from registryauth.azure.acr_errors import look_alike
from registryauth.cli.console import is_terminal, say
from registryauth.cli.session import Session
from registryauth.errors import ConfigurationError, Denied, StoreError, TokenRefused, Unauthorized
from registryauth.principals import Registration, register
from registryauth.principals.dates import parse_moment
from registryauth.reference import Address, Repository
from registryauth.stores import Key, Principal, Slot, Store


def enroll(
    session: Session,
    address: Address,
    account: str,
    secret: str,
    *,
    made_by: str,
    kind: str,
    repository: str,
    realm: str,
    verify: bool,
    insecure: bool,
    expires: str,
    not_before: str = "",
    expires_at: int = 0,
    **said: Any,  # noqa: ANN401 - what else `register` takes
) -> Registration:
    """Register a principal with the session's store, and tell the person."""
    _refuse_look_alike(session, address)
    place = inside(session, address, repository) if repository else None
    host = asked_host(address, place)
    with session.store() as store, _explaining(session, store, address, account, secret, kind, said):
        registration = register(
            store,
            address,
            account,
            secret,
            (lambda credentials: session.client(credentials, host)) if verify else None,
            made_by=made_by,
            kind=kind,
            repository=place,
            realm=realm or session.config.registry(host).realm,
            insecure=insecure or session.config.registry(host).insecure,
            expires_at=expires_at or parse_moment(expires, time.time()),
            not_before=parse_moment(not_before, time.time(), past=True),
            confirm=confirm_realm,
            **said,
        )
        kept = store.status()
    _tell(registration, kept)
    return registration


def _refuse_look_alike(session: Session, address: Address) -> None:
    """Raise `ConfigurationError` for a host that passes for a registry of Azure's: its owner would get the secret."""
    found = look_alike(address.registry)
    if found and address.registry.hostname not in session.spelled:
        raise ConfigurationError(found.said, hint=found.hint)


@contextmanager
def _explaining(
    session: Session, store: Store, address: Address, account: str, secret: str, kind: str, said: Mapping[str, Any]
) -> Iterator[None]:
    """A refusal by a registry of Azure says what Entra says of the account, where its tenant is known."""
    try:
        yield
    except (TokenRefused, Unauthorized, Denied) as error:
        from registryauth.principals.diagnosed import entra_says, explain

        configured = session.config.azure_tenant or session.environ.get("AZURE_TENANT_ID", "")
        tenant = said.get("notes", {}).get("tenant") or _known_tenant(store, Key(address, account)) or configured
        refused = Principal(address, account, (Slot(secret),), kind=kind, tenant=tenant)
        explain(error, refused, entra_says(session.config, session.environ))
        raise


def _known_tenant(store: Store, key: Key) -> str:
    try:
        before = store.exact(key)
    except StoreError:
        # There is something else to complain of.
        return ""
    return before.tenant if before else ""


def _tell(registration: Registration, kept: Mapping[str, object]) -> None:
    principal, verification = registration.principal, registration.verification
    how = "verified" if verification and verification.verified else "unverified"
    why = verification.detail if verification else "the registry was not asked (--no-verify)"
    instead = " in place of the earlier secret" if registration.replaced else ""
    say(f"Stored {printable(principal.account)} for {principal.address}{instead}: {how}; {why}.")
    if principal.realm:
        say(f"Its secret may also go to the token server {principal.realm}.")
    if principal.disabled_at:
        say(f"It is disabled and handed to nobody, until 'registryauth principal enable {principal.address}'.")
    if not principal.preferred_at:
        say(f"It is not the default account there: 'registryauth principal default {principal.address} ACCOUNT' chooses one.")
    if kept["backend"] == "local":
        key = kept["key"]
        say(f"The secret is encrypted; its key {'comes from' if key == 'passphrase' else 'is in'} the {key}.")
    else:
        say(f"The secret is in {kept['path']}.")


def inside(session: Session, address: Address, text: str) -> Repository:
    """*text* as a repository of *address*'s registry, whether it was written with the registry or without; a wildcard needs it written."""
    if address.is_wildcard or text.startswith(f"{address.registry}/"):
        return session.reference(text).repository
    return session.reference(f"{address.registry}/{text}").repository


def asked_host(address: Address, repository: Repository | None) -> str:
    """The host that is asked about a credential for *address*: a wildcard has none of its own."""
    return (repository.registry if repository and address.is_wildcard else address.registry).host


def confirm_realm(question: str) -> bool:
    """Whether a person at the terminal says yes; nobody there is a no."""
    return is_terminal(sys.stdin) and typer.confirm(question, default=False, err=True)
