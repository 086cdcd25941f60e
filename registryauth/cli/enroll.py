"""What `login` and `principal add` share: verify, store, say what came of it."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping

import typer

from registryauth._redact import printable
from registryauth.cli.console import is_terminal, say
from registryauth.cli.session import Session
from registryauth.principals import Registration, register
from registryauth.principals.dates import parse_moment
from registryauth.reference import Address, Repository


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
    notes: Mapping[str, str] | None = None,
) -> Registration:
    """Register a principal with the session's store, and tell the person."""
    host = address.registry.host
    with session.store() as store:
        registration = register(
            store,
            address,
            account,
            secret,
            (lambda credentials: session.client(credentials, host)) if verify else None,
            made_by=made_by,
            kind=kind,
            repository=_inside(session, address, repository) if repository else None,
            realm=realm or session.config.registry(host).realm,
            insecure=insecure or session.config.registry(host).insecure,
            expires_at=parse_moment(expires, time.time()),
            notes=notes,
            confirm=_confirm,
        )
        key = store.status()["key"]
    principal, verification = registration.principal, registration.verification
    how = "verified" if verification and verification.verified else "unverified"
    why = verification.detail if verification else "the registry was not asked (--no-verify)"
    instead = " in place of the earlier secret" if registration.replaced else ""
    say(f"Stored {printable(principal.account)} for {principal.address}{instead}: {how}; {why}.")
    if principal.realm:
        say(f"Its secret may also go to the token server {principal.realm}.")
    say(f"The secret is encrypted; its key is in the {key}.")
    return registration


def _inside(session: Session, address: Address, text: str) -> Repository:
    """*text* as a repository of *address*'s registry, whether it was written with the registry or without."""
    if text.startswith(f"{address.registry}/"):
        return session.reference(text).repository
    return session.reference(f"{address.registry}/{text}").repository


def _confirm(question: str) -> bool:
    return is_terminal(sys.stdin) and typer.confirm(question, default=False, err=True)
