"""How a credential is said to who takes nothing but a user name and a password."""

from __future__ import annotations

from registryauth.credentials import NULL_GUID, Basic, IdentityToken
from registryauth.registries.providers import provider_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.credentials import Credential
    from registryauth.reference import Registry


def login_at(credential: Credential, registry: Registry) -> tuple[str, str] | None:
    """The user name and password that *registry* takes for *credential*; None for a token that those cannot say, and for none.

    Azure takes its refresh token as the password of the null GUID (what ``az acr login --expose-token`` tells to do).
    """
    match credential:
        case Basic(username, password):
            return username, password
        case IdentityToken(token) if provider_of(registry).name == "acr":
            return NULL_GUID, token
        case _:
            return None
