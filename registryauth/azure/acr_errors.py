"""What a registry of Azure means by its refusals, and what to do about each.

Sources: Microsoft Learn "Troubleshoot registry login" and "Azure Container Registry FAQ", Azure/acr ``docs``, and the issues in which
people met them: vscode-docker#3780, iotedge#3645, Azure/acr#797, Azure/acr#217, azure-docs PR#128528.
"""

from __future__ import annotations

import re

from registryauth._redact import printable
from registryauth._value import Value
from registryauth.azure.entra_errors import GUID
from registryauth.errors import TokenRefused
from registryauth.registries import provider_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal

    from registryauth.errors import Error
    from registryauth.reference import Registry

_ADDRESS = r"client with IP\W{1,8}([0-9A-Fa-f.:/]{2,60})"
_ROLE = (
    "AcrPull, or in a registry with repository permissions (ABAC) Container Registry Repository Reader; a new one takes up to 10 minutes"
)


class Meaning(Value):
    """What happened, in a half sentence, and what to do next."""

    said: str
    hint: str


class Refusal(Value):
    """A registry's refusal: its *status*, all of its *words*, and the account that asked, empty for a token, None for nobody.

    What was refused at the *stage* ``door`` is a sign-in, at ``token`` a credential, and at ``image`` what a credential that was
    taken is to do there.
    """

    registry: Registry
    status: int
    words: str
    account: str | None = ""
    stage: Literal["door", "token", "image"] = "image"

    @property
    def name(self) -> str:
        """The registry's own name, without the hash of a domain name label."""
        return self.registry.host.partition(".")[0].partition("-")[0]

    @property
    def is_admin(self) -> bool:
        """Whether the admin user asked: it is called as the registry is."""
        return (self.account or "").lower() in (self.name, self.registry.host.partition(".")[0])


def is_azures(registry: Registry) -> bool:
    """Whether *registry* is one of Azure's by its name."""
    return provider_of(registry).name == "acr"


def meaning(refusal: Refusal) -> Meaning | None:
    """What *refusal* means, None where there is more than one thing that it may mean, or none that we know."""
    for matches, explain in _ROWS:
        if found := re.search(matches, refusal.words, re.IGNORECASE):
            return explain(refusal, found)
    return _by_status(refusal)


def sharpen(error: Error, registry: Registry, status: int, account: str | None = None) -> None:
    """Put into *error*, which quotes a registry's words, what they mean, if *registry* is one of Azure's and they mean one thing.

    *account* is whose credential was refused, empty for a token, None for none.
    """
    if not is_azures(registry):
        return
    found = meaning(Refusal(registry, status, str(error), account, "token" if isinstance(error, TokenRefused) else "image"))
    if found:
        restate(error, f"{error.message}; {found.said}" if found.said else error.message, found.hint)


def restate(error: Error, message: str, hint: str) -> None:
    """Have *error* say *message* and *hint* instead of what it said."""
    error.args = (message, *error.args[1:])
    error.message = message
    error.hint = hint


def _firewall(refusal: Refusal, found: re.Match[str]) -> Meaning:
    address = printable(found[1].rstrip(".:"), 60)
    return Meaning(
        f"its firewall does not let in {address}, which is this machine's address as it sees it",
        f"az acr network-rule add --name {refusal.name} --ip-address {address}; or come from inside, over a private endpoint",
    )


def _secret(refusal: Refusal, _: re.Match[str]) -> Meaning:
    who = f"the secret of {printable(refusal.account, 60)}" if refusal.account else "the secret"
    hint = "registryauth principal rotate puts a new one in place; it is the secret's value, not its Secret ID"
    if refusal.is_admin:
        return _admin(refusal)
    return Meaning(
        f"{who} is wrong or has expired, which the registry does not tell apart",
        f"{hint}. Registered with its --tenant, principal verify asks Entra which of the two it is",
    )


def _unknown(refusal: Refusal, _: re.Match[str]) -> Meaning:
    who = printable(refusal.account or "", 60) or "the account"
    return Meaning(
        f"the registry's tenant knows no application {who}",
        "give the application's client ID (not an object ID), of the registry's own tenant; a token's name is spelled as it was made",
    )


def _no_guid(refusal: Refusal, _: re.Match[str]) -> Meaning:
    if refusal.is_admin:
        return _admin(refusal)
    return Meaning(
        f"{printable(refusal.account or '', 60) or 'the account'} is neither a client ID nor a token of this registry",
        f"az acr token list --registry {refusal.name} shows the tokens; a service principal's user name is its client ID, a GUID",
    )


def _admin(refusal: Refusal) -> Meaning:
    return Meaning(
        "the admin user is disabled, or its password was regenerated",
        f"az acr show --name {refusal.name} --query adminUserEnabled; better than an admin user is a service principal with AcrPull",
    )


def _audience(refusal: Refusal, _: re.Match[str]) -> Meaning:
    return Meaning(
        "the registry takes no Entra token that is for resource management",
        f"az acr config authentication-as-arm show --registry {refusal.name}; a token for containerregistry.azure.net is always taken",
    )


def _too_large(_refusal: Refusal, _: re.Match[str]) -> Meaning:
    return Meaning(
        "an Entra token was used as a password, and is too long for a header",
        "registryauth azure acr login exchanges it for a short one",
    )


def _forwarded(_refusal: Refusal, _: re.Match[str]) -> Meaning:
    return Meaning(
        "the registry's token was sent on to the storage behind it, which does not know it",
        "a proxy or mirror in between keeps Authorization on a redirect: it must drop it",
    )


def _no_right(refusal: Refusal, _: re.Match[str]) -> Meaning:
    if refusal.account and not re.fullmatch(GUID, refusal.account) and not refusal.is_admin:
        hint = f"az acr token show --registry {refusal.name} --name {printable(refusal.account, 60)} shows its scope map"
        return Meaning("the token's scope map does not hold this repository, or this action", hint)
    return Meaning("the account has no role that allows this", f"it needs {_ROLE}")


def _required(refusal: Refusal, found: re.Match[str]) -> Meaning | None:
    if refusal.account is None:
        return None
    if refusal.stage == "image":
        return _no_right(refusal, found)
    if refusal.is_admin:
        return _admin(refusal)
    if refusal.account and not re.fullmatch(GUID, refusal.account):
        return Meaning(
            "the token is disabled, has expired, or its password is wrong",
            f"az acr token show --registry {refusal.name} --name {printable(refusal.account, 60)}; new passwords take a minute to be known",
        )
    return Meaning("", f"either the credential is no longer good, or it has no role there: it needs {_ROLE}") if refusal.account else None


_ROWS: tuple[tuple[str, Callable[[Refusal, re.Match[str]], Meaning | None]], ...] = (
    (_ADDRESS, _firewall),
    (r"Invalid client ?id or client secret", _secret),
    (r"Application not registered with AAD", _unknown),
    (r"client id must be guid", _no_guid),
    (r"token validation failed", _audience),
    (r"Request Header Or Cookie Too Large", _too_large),
    (r"InvalidAuthenticationInfo", _forwarded),
    (r"requested access to the resource is denied", _no_right),
    (r"authentication required", _required),
)


def _by_status(refusal: Refusal) -> Meaning | None:
    if refusal.status == 403 and refusal.stage == "door":
        return Meaning(
            "it is closed to the public network, or to this machine's address",
            f"az acr show --name {refusal.name} --query publicNetworkAccess; come from inside, over a private endpoint",
        )
    return None
