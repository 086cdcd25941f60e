"""What a registry of Azure means by its refusals, and what to do about each.

Sources: Microsoft Learn "Troubleshoot registry login" and "Azure Container Registry FAQ", Azure/acr ``docs``, and the issues in which
people met them: vscode-docker#3780, iotedge#3645, Azure/acr#797, Azure/acr#217, azure-docs PR#128528.
"""

from __future__ import annotations

import re

from registryauth._redact import printable
from registryauth._value import Value
from registryauth.azure.entra_errors import GUID
from registryauth.credentials import TOKEN_USERNAME
from registryauth.errors import TokenRefused
from registryauth.registries import provider_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal

    from registryauth.errors import Error, TransportError
    from registryauth.reference import Registry

_ADDRESS = r"client with IP\W{1,8}([0-9A-Fa-f.:/]{2,60})"
_ABAC_ROLE = "Container Registry Repository Reader (it has repository permissions, where AcrPull counts for nothing)"
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
    taken is to do there; with *is_catalog* that is to list its repositories.
    """

    registry: Registry
    status: int
    words: str
    account: str | None = ""
    stage: Literal["door", "token", "image"] = "image"
    is_catalog: bool = False

    @property
    def name(self) -> str:
        """The registry's own name, without the hash of a domain name label."""
        return self.registry.host.partition(".")[0].partition("-")[0]

    @property
    def is_admin(self) -> bool:
        """Whether the admin user asked: it is called as the registry is."""
        return (self.account or "").lower() in (self.name, self.registry.host.partition(".")[0])

    @property
    def is_token(self) -> bool:
        """Whether a token of the registry's own asked: neither the admin user, nor somebody of Entra's."""
        entras = self.account in (None, "", TOKEN_USERNAME) or bool(re.fullmatch(GUID, self.account or ""))
        return not entras and not self.is_admin


def is_azures(registry: Registry) -> bool:
    """Whether *registry* is one of Azure's by its name."""
    return provider_of(registry).name == "acr"


def look_alike(registry: Registry) -> Meaning | None:
    """What there is to say of a host that has the name of a registry of Azure's in it, and is somebody else's; None of any other."""
    posed = re.search(r"(?:\A|\.)(azurecr\.(?:io|cn|us|de))\.", registry.hostname)
    if not posed:
        return None
    return Meaning(
        f"{registry} only looks like a registry of Azure's: it belongs to whoever owns {registry.hostname[posed.end() :]}",
        f"a registry's name ends in .{posed[1]}; one that is meant is allowed by its own table in the configuration",
    )


def meaning(refusal: Refusal) -> Meaning | None:
    """What *refusal* means, None where there is more than one thing that it may mean, or none that we know."""
    for matches, explain in _ROWS:
        if found := re.search(matches, refusal.words, re.IGNORECASE):
            return explain(refusal, found)
    return _by_status(refusal)


def what_lets_pull(registry: Registry, account: str | None, *, abac: bool | None = None) -> str:
    """What *account* lacks that gets a token and no right in it, as a hint; empty unless *registry* is one of Azure's.

    *abac* says whether the registry has repository permissions, None where that is not known.
    """
    if not is_azures(registry):
        return ""
    refusal = Refusal(registry, 403, "", account)
    name = refusal.name
    if refusal.is_token:
        shown = printable(account or "", 60)
        return f"az acr token show --registry {name} --name {shown} shows its scope map: it must hold the repository, with content/read"
    role = _ROLE if abac is None else f"{_ABAC_ROLE if abac else 'AcrPull'}; a new one takes up to 10 minutes"
    return f"it needs a role: {role}; or is the repository's name another?"


def unreached(error: TransportError, registry: Registry) -> None:
    """Say in *error*, if *registry* is one of Azure's and was not found or did not answer, what that may mean there."""
    if is_azures(registry) and re.search(r"\Acannot reach |did not answer in time|there is no host ", error.message):
        error.hint = (
            f"{error.hint.rstrip('?')}? A registry that is not there has no name in DNS, and behind a private endpoint it has one, "
            f"or answers, inside only: registryauth doctor {registry}/REPOSITORY looks closer"
        )


def sharpen(
    error: Error, registry: Registry, status: int, account: str | None = None, *, words: str = "", is_catalog: bool = False
) -> None:
    """Put into *error*, which quotes a registry's words, what they mean, if *registry* is one of Azure's and they mean one thing.

    *account* is whose credential was refused, empty for a token, None for none; *words* are what else was answered.
    """
    if not is_azures(registry):
        return
    stage: Literal["token", "image"] = "token" if isinstance(error, TokenRefused) else "image"
    found = meaning(Refusal(registry, status, f"{error} {words}", account, stage, is_catalog))
    if found:
        # Azure's support finds a request by this; of one that is understood nobody asks them, and a terminal cuts long lines.
        message = re.sub(r"\.? CorrelationId: [0-9a-fA-F-]{36}", "", error.message)
        restate(error, f"{message}; {found.said}" if found.said else message, found.hint)


def speaks_for_itself(error: Error) -> bool:
    """Whether a refusal says why in so many words, and has nothing to do with whether a secret is good."""
    about_something_else = r"client with IP|Request Header Or Cookie Too Large|answered without a token|is throttling us"
    return bool(re.search(about_something_else, error.message))


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
    if refusal.is_admin:
        return _admin(refusal)
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
    if re.search(r"client id must be guid|not registered with AAD", refusal.words, re.IGNORECASE):
        return Meaning(
            "the registry takes the admin user's name for a client ID, so its admin user is disabled",
            f"az acr update --name {refusal.name} --admin-enabled true; better than an admin user is a service principal with AcrPull",
        )
    return Meaning(
        "the admin user's password is wrong or was regenerated, or the admin user is disabled",
        f"az acr credential show --name {refusal.name}: its two are called password and password2 (a token's password1 and password2);"
        " a new one takes a minute to be known",
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
    if refusal.is_catalog:
        who = "no token of a registry's own lists its repositories" if refusal.is_token else "the account has no role to list repositories"
        lister = "to list takes AcrPull, or in a registry with repository permissions (ABAC) Container Registry Repository Catalog Lister"
        return Meaning(who, f"ask for each repository by its name; {lister}")
    if refusal.is_token:
        hint = f"az acr token show --registry {refusal.name} --name {printable(refusal.account or '', 60)} shows its scope map"
        return Meaning("the token's scope map does not hold this repository, or this action", hint)
    return Meaning("the account has no role that allows this", f"it needs {_ROLE}")


def _required(refusal: Refusal, found: re.Match[str]) -> Meaning | None:
    if refusal.account is None:
        return None
    if refusal.stage == "image":
        return _no_right(refusal, found)
    if refusal.is_admin:
        return _admin(refusal)
    if refusal.is_token:
        return Meaning(
            "the token is disabled, has expired, or its password is wrong",
            f"az acr token show --registry {refusal.name} --name {printable(refusal.account or '', 60)};"
            " new passwords take a minute to be known",
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
