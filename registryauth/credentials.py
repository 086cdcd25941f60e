"""What a request can carry, and how far it may be carried."""

from __future__ import annotations

from registryauth._origin import Origin
from registryauth._redact import printable
from registryauth._value import Value

#: Docker's helper protocol: this user name says that the secret is an identity token.
TOKEN_USERNAME = "<token>"  # noqa: S105 - a name, no secret
#: Azure's convention for the same (facts: docs.microsoft.com, "Authenticate with an Azure container registry").
NULL_GUID = "00000000-0000-0000-0000-000000000000"


class Basic(Value, hidden=("password",)):
    """A user name and password (RFC 7617)."""

    username: str
    password: str


class IdentityToken(Value, hidden=("token",)):
    """An OAuth2 refresh token, which Docker calls identity token: traded for access tokens, never sent to the registry."""

    token: str


class RegistryToken(Value, hidden=("token",)):
    """An OAuth2 access token, which Docker calls registry token: sent to the registry as it is."""

    token: str


class Anonymous(Value):
    """No credential, and that is an answer."""


Credential = Basic | IdentityToken | RegistryToken | Anonymous


def from_login(username: str, secret: str) -> Credential:
    """The credential that *username* and *secret* mean under Docker's and Azure's conventions."""
    if username in (TOKEN_USERNAME, NULL_GUID):
        return IdentityToken(secret)
    return Basic(username, secret)


def to_login(credential: Credential) -> tuple[str, str]:
    """*credential* as a helper's user name and secret; `Anonymous` is two empty strings."""
    match credential:
        case Basic(username, password):
            return username, password
        case IdentityToken(token) | RegistryToken(token):
            return TOKEN_USERNAME, token
        case _:
            return "", ""


def describe(credential: Credential) -> str:
    """What *credential* is, in words that hold no secret."""
    match credential:
        case Basic(username, _):
            return f"account {printable(username, 80)}"
        case IdentityToken():
            return "an identity token"
        case RegistryToken():
            return "a registry token"
        case _:
            return "anonymous"


class Pinned(Value):
    """A credential, who it is for a token cache, and the token servers that it was registered for.

    *identity* tells this credential from every other one (store record, slot and revision, or the
    source's name) and holds nothing secret. *realms* are the origins confirmed when the secret was
    registered; a source that pins nothing leaves them empty, and then only the registry's own origin
    and the built-in table remain. *insecure* says that its registry was named for plain http.
    """

    credential: Credential
    identity: str
    realms: tuple[Origin, ...] = ()
    insecure: bool = False


#: What an absent credential looks like to the auth flow.
NOBODY = Pinned(Anonymous(), "anonymous")
