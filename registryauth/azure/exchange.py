"""An Entra token traded for a registry's refresh token: what to send, and what the answer means. Pure.

Source: Azure/acr ``docs/AAD-OAuth.md``, "Calling POST /oauth2/exchange to get an ACR refresh token"; azure-cli ``acr/_docker_utils.py``.
"""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime

from registryauth._http import USER_AGENT, Request
from registryauth._json import load_json
from registryauth._origin import Url
from registryauth._value import Value
from registryauth.auth.exchange import MAX_TOKEN_BODY, claims_of, expiry_of
from registryauth.azure.token_answer import SENDABLE
from registryauth.errors import RealmRefused, TokenRefused, TransportError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth._http import Headers
    from registryauth._origin import Origin
    from registryauth.auth.challenge import Challenge

#: Seconds by which clocks may differ before a token's date is counted on the server's clock instead of ours.
_SKEW = 60.0


class RefreshToken(Value, hidden=("value",)):
    """A registry's refresh token, which Docker calls identity token. *expires_at* is on our clock, 0 where the token does not say.

    *abac*: the registry is in the mode in which classic roles count for nothing (azure acr-cli tells it by the same claim).
    """

    value: str
    expires_at: int = 0
    abac: bool = False


def service_of(asked: Challenge, origin: Origin) -> str:
    """The service that a login server at *origin* names in its challenge; raise `RealmRefused` where its realm is somebody else's."""
    realm = Url.parse(asked.param("realm"))
    if realm.origin != origin:
        raise RealmRefused(
            f"{origin.netloc} names {realm.origin} as its token server, which no registry of Azure does",
            hint="no Entra token goes there; is that an Azure container registry?",
        )
    return asked.param("service") or origin.netloc


def exchange_request(origin: Origin, service: str, token: str, tenant: str = "") -> Request:
    """The request that trades the Entra *token* at the login server at *origin*; *tenant* is left out where it is not known."""
    from urllib.parse import urlencode

    form = {"grant_type": "access_token", "service": service, "access_token": token} | ({"tenant": tenant} if tenant else {})
    fields = (
        ("content-type", "application/x-www-form-urlencoded"),
        ("accept", "application/json"),
        ("accept-encoding", "identity"),
        ("user-agent", USER_AGENT),
    )
    return Request("POST", Url(origin, "/oauth2/exchange"), fields, urlencode(form).encode("ascii"))


def read_refresh_token(body: bytes, headers: Headers, now: float) -> RefreshToken:
    """The token in the answer to an exchange; raise `TokenRefused` where there is none (its text is never quoted)."""
    answer = load_json(body, "the answer to the exchange", MAX_TOKEN_BODY, error=TokenRefused)
    value = answer.get("refresh_token") if isinstance(answer, dict) else None
    if not isinstance(value, str) or not re.fullmatch(SENDABLE, value):
        raise TokenRefused(
            "the exchange gave no refresh token: its answer has no refresh_token", hint="is that an Azure container registry?"
        )
    expires_at = expiry_of(value)
    if expires_at and abs(ahead := _server_time(headers, now) - now) > _SKEW:
        expires_at = int(expires_at - ahead)
    return RefreshToken(value, expires_at, "aad_identity" in claims_of(value))


def tenant_of(token: str) -> str:
    """The tenant that an Entra token is of, by its own word; empty for one that does not show it."""
    said = claims_of(token).get("tid")
    return said if isinstance(said, str) and re.fullmatch(r"[0-9A-Za-z.-]{1,120}", said) else ""


def _server_time(headers: Headers, now: float) -> float:
    try:
        return parsedate_to_datetime(headers.get("date")).timestamp() if headers.get("date") else now
    except (ValueError, IndexError, OverflowError):
        return now


def is_bearer(asked: Challenge) -> bool:
    """Whether *asked* names a token server at all, as every registry of Azure does."""
    try:
        return asked.scheme == "bearer" and bool(Url.parse(asked.param("realm")))
    except TransportError:
        return False
