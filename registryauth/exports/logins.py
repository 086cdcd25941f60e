"""The user name and password that most targets take, one for each registry."""

from __future__ import annotations

import re

from registryauth._redact import printable
from registryauth._value import Value
from registryauth.credentials import NULL_GUID, Anonymous, Basic, Credential, IdentityToken
from registryauth.errors import CredentialError
from registryauth.reference import Registry
from registryauth.registries import provider_of

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
    """A login for each registry that needs one, in the order of *secrets*.

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
            raise CredentialError(
                f"{target} has one entry for each registry, and {registry} would need two",
                hint="export them apart, or use one account for both",
            )
    return list(found.values())


def one_login(secrets: Sequence[PullSecret], target: str) -> Login | None:
    """The one login for a *target* that holds a single registry, None where none is needed; raise `CredentialError` for more."""
    found = logins(secrets, target)
    if len(found) > 1:
        hosts = ", ".join(login.host for login in found)
        raise CredentialError(f"{target} holds one registry, not {len(found)} ({hosts})", hint="export each registry apart")
    return found[0] if found else None


def as_login(credential: Credential, registry: Registry, target: str) -> tuple[str, str]:
    """*credential* as user name and password; raise `CredentialError` if it is a token that *registry* does not take so.

    Azure takes its refresh token as the password of the null GUID (what ``az acr login --expose-token`` tells to do).
    """
    match credential:
        case Basic(username, password):
            if re.search(r"[\x00-\x1f\x7f]", username + password):
                raise CredentialError(f"the credential for {registry} has a control character in it, which {target} cannot hold")
            return username, password
        case IdentityToken(token) if provider_of(registry).name == "acr":
            return NULL_GUID, token
        case _:
            raise CredentialError(
                f"{target} takes a user name and password, and what is held for {printable(registry.host)} is a token",
                hint="use --format docker-config, or register a service principal or a repository token",
            )


def nobody(secrets: Sequence[PullSecret]) -> str:
    """What to say where no secret is needed."""
    return "no pull secret is needed for " + ", ".join(dict.fromkeys(secret.reference.registry.host for secret in secrets))
