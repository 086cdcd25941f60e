"""A credential and a challenge, traded for a token: what to send, and what the answer means. Pure.

The two protocols are https://distribution.github.io/distribution/spec/auth/token/ (GET, with Basic or without)
and https://distribution.github.io/distribution/spec/auth/oauth/ (POST). Azure's registries answer both
(https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md).
"""

from __future__ import annotations

import base64
import re

from registryauth._http import Request
from registryauth._json import load_json
from registryauth._origin import Url
from registryauth._redact import printable
from registryauth._value import Value
from registryauth.credentials import Anonymous, Basic, Credential, IdentityToken, RegistryToken, to_login
from registryauth.errors import AuthError, InvalidChallenge, TokenRefused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from registryauth._http import Headers
    from registryauth.auth.challenge import Challenge
    from registryauth.auth.scope import Scope

#: A token must fit into a header, which servers limit to 16 KiB, and may come twice (token, access_token); a refresh
#: token may come with it. 128 KiB leaves room and bounds what a broken server can make us hold.
MAX_TOKEN_BODY = 128 * 1024
#: token.md: "if expires_in is omitted, it defaults to 60 seconds", and no client may be given less.
MIN_LIFETIME = 60.0
CLIENT_ID = "registryauth"
#: The first second of the year 10000, which no calendar of ours can show.
_END_OF_TIME = 253_402_300_800
#: What a token may be made of: visible ASCII, so that it can stand in a header and end none (RFC 6750 §2.1 allows less).
_SENDABLE = r"[!-~]+"


class Token(Value, hidden=("value",)):
    """An access token, when it dies (seconds since the epoch, on our clock) and, where it shows them, the rights in it.

    *granted* is None for an opaque token: "we cannot tell", which is not "nothing". *witness* is whose word it is, in words:
    the token's own, unverified, or that of the answer which it came in.
    """

    value: str
    expires_at: float
    granted: tuple[tuple[str, str, tuple[str, ...]], ...] | None = None
    witness: str = ""


def basic(credential: Basic) -> str:
    """The Authorization value of RFC 7617, in UTF-8."""
    return "Basic " + base64.b64encode(_utf8(f"{credential.username}:{credential.password}")).decode("ascii")


def _utf8(text: str) -> bytes:
    # Looked for beforehand: the codec's own error holds the text, and with it the secret.
    if re.search("[\ud800-\udfff]", text):
        raise AuthError("the credential holds a character that cannot be sent", hint="it was read from bytes that are not UTF-8")
    return text.encode()


def token_requests(challenge: Challenge, credential: Credential, scopes: Iterable[Scope]) -> list[Request]:
    """The requests that may yield a token, in the order to try; the next is for a server that does not know the one before (404, 405)."""
    url = realm(challenge)
    service = challenge.param("service")
    wanted = [str(scope) for scope in scopes]
    match credential:
        case IdentityToken(token):
            return [_post(url, service, wanted, grant_type="refresh_token", refresh_token=token)]
        case Basic(username, password):
            authorization = basic(credential)
            get = _get(url, service, wanted, account=username).with_header("authorization", authorization)
            return [get, _post(url, service, wanted, grant_type="password", username=username, password=password)]
        case Anonymous():
            return [_get(url, service, wanted)]
        case _:
            raise AssertionError("a registry token is sent as it is")


def checked(credential: RegistryToken) -> str:
    """The token as it stands in a header; raise `AuthError`, not showing it, if it cannot."""
    if not re.fullmatch(_SENDABLE, credential.token):
        raise AuthError("the stored registry token is none: it holds characters that no token has", hint="store it again")
    return credential.token


def realm(challenge: Challenge) -> Url:
    """The token server that *challenge* names; raise `InvalidChallenge` or `TransportError` if it is no absolute URL."""
    text = challenge.param("realm")
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text):
        raise InvalidChallenge("the registry names no absolute URL as its token server", hint="its token realm must start with https://")
    return Url.parse(text)


def _get(realm: Url, service: str, scopes: list[str], account: str = "") -> Request:
    from urllib.parse import urlencode

    query = [("service", service)] if service else []
    query += [("scope", scope) for scope in scopes]
    query += [("account", account)] if account else []
    separator = "&" if "?" in realm.target else "?"
    target = f"{realm.target}{separator}{urlencode(query, safe=':/,*')}" if query else realm.target
    return Request("GET", realm.replace(target=target))


def _post(realm: Url, service: str, scopes: list[str], **grant: str) -> Request:
    from urllib.parse import urlencode

    form = {"service": service, "client_id": CLIENT_ID, "scope": " ".join(scopes), **grant}
    body = urlencode({name: _utf8(value) for name, value in form.items() if value}).encode("ascii")
    return Request("POST", realm, (("content-type", "application/x-www-form-urlencoded"),), body)


def read_token(body: bytes, headers: Headers, now: float) -> Token:
    """The token in a token server's 200; raise `TokenRefused` where there is none (its text is never quoted: it may hold one)."""
    answer = _object(body)
    value = answer.get("token") or answer.get("access_token")
    if not isinstance(value, str) or not re.fullmatch(_SENDABLE, value):
        raise TokenRefused(
            "the token server answered without a token: neither its field token nor access_token is one",
            hint="it may not be a container registry's token server",
        )
    claims = claims_of(value)
    expires_at = now + _lifetime(answer, claims, headers, now)
    words = ((_granted(claims), "the token says"), (_granted(answer), "the token server says"), (_scope(answer), "the token server says"))
    for granted, witness in words:
        if granted is not None:
            return Token(value, expires_at, granted, witness)
    return Token(value, expires_at)


def expiry_of(secret: str) -> int:
    """When *secret* says that it dies, if it is a JWT with an ``exp`` (RFC 7519 §4.1.4), in seconds since the epoch; 0 otherwise.

    Nobody vouches for it: good for a date to show and to warn by, never for a decision of trust.
    """
    expires_at = _number(claims_of(secret).get("exp"))
    return int(expires_at) if expires_at is not None and 0 < expires_at < _END_OF_TIME else 0


def read_refusal(body: bytes, presented: Credential | None = None) -> str:
    """The reason in a token server's error, cleaned for a terminal, without the secret *presented*; empty if it gave none.

    A server before the token server answers with a page, the storage behind a registry with XML: then it is the title, or the code.
    """
    try:
        answer = _object(body)
    except TokenRefused:
        found = re.search(rb"<(?:title|Code)>([^<]{1,120})<", body)
        answer = {"message": found[1].decode("latin-1")} if found else {}
    words = [answer.get("error_description"), answer.get("error"), answer.get("message"), answer.get("details")]
    errors = answer.get("errors")
    if isinstance(errors, list):
        words += [error.get("message") for error in errors if isinstance(error, dict)]
    reason = next((word for word in words if isinstance(word, str) and word), "")
    secret = to_login(presented)[1] if presented else ""
    # Some servers repeat what they were sent.
    return printable(reason.replace(secret, "***") if secret else reason)


def _object(body: bytes) -> dict[str, Any]:
    answer = load_json(body, "the token server's answer", MAX_TOKEN_BODY, error=TokenRefused)
    if not isinstance(answer, dict):
        raise TokenRefused("the token server's answer is not a JSON object", hint="it may not be a container registry's token server")
    return answer


def claims_of(token: str) -> dict[str, Any]:
    """A JWT's claims, unverified: good for planning when to renew, never for a decision of trust. Empty for an opaque token.

    Base64's own alphabet and padding, which RFC 7515 §2 does not allow and some issuers write, are read, too.
    """
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        claims = load_json(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)), "the token", error=TokenRefused)
    except (ValueError, TokenRefused):
        return {}
    return claims if isinstance(claims, dict) else {}


def _lifetime(answer: dict[str, Any], claims: dict[str, Any], headers: Headers, now: float) -> float:
    """Seconds from now until the token dies: ``expires_in``, else the JWT's ``exp``, else the protocol's minute.

    Both are counted on the server's clock (its Date header), so that a wrong clock here does not matter.
    """
    server_now = _http_date(headers.get("date")) or now
    expires_in, expires_at = _number(answer.get("expires_in")), _number(claims.get("exp"))
    if expires_in is not None:
        issued = _timestamp(answer.get("issued_at")) or server_now
        return max(MIN_LIFETIME, expires_in - max(0.0, server_now - issued))
    return max(MIN_LIFETIME, expires_at - server_now) if expires_at is not None else MIN_LIFETIME


def _number(value: object) -> float | None:
    """*value* if it is a number that can be a time; JSON allows 1e999."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e12 else None


def _timestamp(value: object) -> float | None:
    from datetime import UTC, datetime

    if not isinstance(value, str):
        return None
    try:
        # Go writes nine digits of a second; Python reads six.
        moment = datetime.fromisoformat(re.sub(r"(\.[0-9]{6})[0-9]+", r"\1", value))
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _http_date(value: str) -> float | None:
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(value).timestamp() if value else None
    except (ValueError, IndexError, OverflowError):
        return None


def _granted(claims: dict[str, Any]) -> tuple[tuple[str, str, tuple[str, ...]], ...] | None:
    access = claims.get("access")
    if not isinstance(access, list):
        return None
    rows = [row for row in access if isinstance(row, dict) and isinstance(row.get("actions"), list)]
    return tuple((str(row.get("type", "")), str(row.get("name", "")), tuple(map(str, row["actions"]))) for row in rows)


def _scope(answer: dict[str, Any]) -> tuple[tuple[str, str, tuple[str, ...]], ...] | None:
    """The ``scope`` of an answer to a POST: "the scope granted inside the access token" (oauth.md); None where nothing is readable."""
    from registryauth.auth.scope import parse_scopes

    said = answer.get("scope")
    scopes = [scope for scope in parse_scopes(said) if scope.actions] if isinstance(said, str) else []
    # Some repeat it empty whatever they gave, so that nothing said is not "nothing".
    return tuple((scope.kind, scope.name, tuple(sorted(scope.actions))) for scope in scopes) or None
