"""What `azure acr login` and `login --entra` share: sign in to Entra, trade its token at the registry, keep what comes of it."""

from __future__ import annotations

from registryauth.azure.acr import AcrLogin
from registryauth.azure.acr_access import AcrAccess, Asked
from registryauth.azure.acr_errors import what_lets_pull
from registryauth.azure.wire import open_wire
from registryauth.cli.console import insist, say
from registryauth.cli.enroll import enroll
from registryauth.cli.session import Session
from registryauth.credentials import TOKEN_USERNAME
from registryauth.errors import Denied
from registryauth.principals import Registration
from registryauth.reference import Address, Registry
from registryauth.stores.principal import ENTRA_LABEL


def entra_login(session: Session, name: str, asked: Asked) -> tuple[AcrLogin, AcrAccess]:
    """Sign in to the registry that *name* is the name or the login server of; what a person should know of it is said."""
    whole = session.address(name).registry if any(mark in name for mark in ".:/") else None
    with open_wire(session.environ, session.ca_files()) as wire:
        access = AcrAccess(session.config, wire, session.environ, asked=asked, registry=whole, tell=insist)
        registry = whole or _named(access, name)
        login = access.login(registry)
    say(f"Signed in to {registry} as {access.source.label}.")
    for notice in login.notices:
        say(f"notice: {notice}")
    return login, access


def _named(access: AcrAccess, name: str) -> Registry:
    found = access.named(name)
    if found.notice:
        say(f"notice: {found.notice}")
    return found.registry


def keep(session: Session, login: AcrLogin, access: AcrAccess, repository: str) -> Registration:
    """Store the refresh token as `login` stores any identity token, with what is needed to renew it."""
    try:
        registration = _kept(session, login, access, repository)
    except Denied as error:
        # A refusal of what was granted, and not the firewall's.
        if repository and "no right to pull" in error.message:
            error.hint = what_lets_pull(login.registry, TOKEN_USERNAME, abac=login.refresh.abac)
        raise
    if registration.principal.renews_by:
        say(f"It is renewed by itself, by signing in again ({access.source.kind}), when it is used and less than half an hour is left.")
    else:
        say(f"It is not renewed by itself: when it has ended, registryauth azure acr login {login.registry} gets the next one.")
    return registration


def _kept(session: Session, login: AcrLogin, access: AcrAccess, repository: str) -> Registration:
    return enroll(
        session,
        Address(login.registry),
        TOKEN_USERNAME,
        login.refresh.value,
        made_by="login",
        kind="identity-token",
        repository=repository,
        realm="",
        verify=True,
        insecure=False,
        expires="",
        expires_at=login.refresh.expires_at,
        notes={"tenant": login.tenant, "cloud": access.settings.cloud.provider_cloud},
        labels={ENTRA_LABEL: access.source.kind},
    )
