"""The user name and password that most targets take, one for each registry."""

from __future__ import annotations

import re

from registryauth._redact import printable
from registryauth._value import Value
from registryauth.credentials import Anonymous, Credential
from registryauth.errors import CredentialError
from registryauth.reference import Registry
from registryauth.registries import provider_of
from registryauth.registries.login import login_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from registryauth.resolver import PullSecret


class Login(Value, hidden=("password",)):
    """A user name and password for the registry at *host*."""

    host: str
    username: str
    password: str


def logins(secrets: Sequence[PullSecret], target: str) -> list[Login]:
    """A login for each registry that needs one, in the hosts' order, so that the same registries make the same document.

    Raise `CredentialError` where *target*, named so to people, cannot hold what is asked: two accounts at one registry, or a
    token that no user name and password can say.
    """
    found: dict[str, Login] = {}
    for secret in secrets:
        if isinstance(secret.credential, Anonymous):
            continue
        registry = secret.reference.registry
        login = Login(registry.host, *as_login(secret.credential, registry, target))
        if found.setdefault(registry.host, login) != login:
            raise two_accounts(target, registry.host)
    return [login for _, login in sorted(found.items())]


def one_login(secrets: Sequence[PullSecret], target: str) -> Login | None:
    """The one login for a *target* that holds a single registry, None where none is needed; raise `CredentialError` for more."""
    found = logins(secrets, target)
    if len(found) > 1:
        hosts = printable(", ".join(login.host for login in found))
        raise CredentialError(f"{target} holds one registry, not {len(found)} ({hosts})", hint="export each registry apart")
    return found[0] if found else None


def as_login(credential: Credential, registry: Registry, target: str) -> tuple[str, str]:
    """*credential* as user name and password; raise `CredentialError` if *target* or *registry* does not take it so."""
    if (login := login_at(credential, registry)) is None:
        raise CredentialError(
            f"{target} takes a user name and password, and what is held for {printable(registry.host)} is a token",
            hint="use --format docker-config, or register a service principal or a repository token",
        )
    return _checked(*login, registry, target)


def is_acr(registry: Registry) -> bool:
    """Whether *registry* is one of Azure's, where an identity token is a refresh token of a few hours."""
    return provider_of(registry).name == "acr"


def two_accounts(target: str, key: str) -> CredentialError:
    """*target* would need two entries under *key*."""
    return CredentialError(
        f"{target} has one entry for each registry, and {printable(key)} would need two",
        hint="export them apart, or use one account for both",
    )


def nobody(secrets: Sequence[PullSecret]) -> str:
    """What to say where no secret is needed."""
    return "no pull secret is needed for " + ", ".join(sorted({secret.reference.registry.host for secret in secrets}))


def _checked(username: str, password: str, registry: Registry, target: str) -> tuple[str, str]:
    fault = "nothing in it" if not (username and password) else "a control character in it" if _CONTROL.search(username + password) else ""
    if fault:
        raise CredentialError(
            f"the credential for {registry} has {fault}, which {target} cannot hold", hint="give the account another secret"
        )
    return username, password


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
