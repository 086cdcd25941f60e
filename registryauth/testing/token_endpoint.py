"""A token server: Basic, anonymous, password and refresh token in; access tokens out.

Written after the distribution project's auth documents (token.md, oauth.md, scope.md, jwt.md).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from registryauth._http.messages import Request, Response
from registryauth.testing import answers
from registryauth.testing.accounts import Access, Accounts, basic_login

_ISSUER = "registry simulator"


class TokenEndpoint:
    """Issues and checks tokens of one service.

    Access tokens are JWTs signed with a key of this endpoint's own, so that a client can read what they
    grant; refresh tokens are opaque and stay good until the endpoint is gone.
    """

    def __init__(self, accounts: Accounts, service: str, clock: Callable[[], float], lifetime: int) -> None:
        self.accounts = accounts
        self.service = service
        self.clock = clock
        self.lifetime = lifetime
        self._key = secrets.token_bytes(32)
        self._identities: dict[str, str] = {}

    def answer(self, request: Request) -> Response:
        """What the token server says to *request*."""
        match request.method:
            case "GET":
                return self._get(request)
            case "POST":
                return self._post(request)
            case _:
                return answers.error(request, 405, "UNSUPPORTED", "a token is asked for by GET or POST")

    def identity_token(self, username: str) -> str:
        """A new refresh token of *username*, which Docker calls an identity token."""
        token = secrets.token_urlsafe(32)
        self._identities[token] = username
        return token

    def access_token(self, username: str | None, scopes: Iterable[str]) -> tuple[str, list[Access]]:
        """A token for as much of *scopes* as *username* may have, and what that is: less than asked is no error (token.md)."""
        narrowed = [self.accounts.narrow(username, Access.parse(scope)) for scope in scopes]
        granted = [access for access in narrowed if access.actions]
        now = int(self.clock())
        claims = {
            "iss": _ISSUER,
            "sub": username or "",
            "aud": self.service,
            "nbf": now,
            "iat": now,
            "exp": now + self.lifetime,
            "jti": secrets.token_hex(8),
            "access": [{"type": a.type, "name": a.name, "actions": list(a.actions)} for a in granted],
        }
        return self._signed(claims), granted

    def granted(self, token: str) -> list[Access] | None:
        """What an access token grants; None if it is not ours, altered or expired."""
        claims = self._claims(token)
        return [Access(a["type"], a["name"], tuple(a["actions"])) for a in claims["access"]] if claims else None

    def owner(self, token: str) -> str | None:
        """Whose access token that is; None if the anonymous caller's, or no good."""
        claims = self._claims(token)
        return (claims["sub"] or None) if claims else None

    def _claims(self, token: str) -> dict[str, Any] | None:
        signed, _, signature = token.rpartition(".")
        if not hmac.compare_digest(self._signature(signed).encode(), signature.encode()):
            return None
        claims: dict[str, Any] = json.loads(_unb64(signed.partition(".")[2]))
        return claims if claims["nbf"] <= self.clock() < claims["exp"] else None

    def _get(self, request: Request) -> Response:
        query = parse_qs(request.url.target.partition("?")[2], keep_blank_values=True)
        username = None
        if request.header("authorization"):
            login = basic_login(request)
            if not login or not self.accounts.accept(*login):
                return _refused(request, "incorrect username or password")
            username = login[0]
        elif not self.accounts.anonymous_pull:
            return _refused(request, "authentication required")
        if query.get("service", [""])[0] != self.service:
            return answers.error(request, 400, "UNSUPPORTED", "the service is missing or not ours")
        token, _ = self.access_token(username, _split(query.get("scope", [])))
        answer: dict[str, Any] = {"token": token, "access_token": token, **self._dates()}
        if username and query.get("offline_token", [""])[0] == "true":
            answer["refresh_token"] = self.identity_token(username)
        return answers.document(request, 200, answer)

    def _post(self, request: Request) -> Response:
        if request.header("content-type").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
            return answers.error(request, 400, "UNSUPPORTED", "a form is needed")
        form = {name: values[0] for name, values in parse_qs(request.body.decode("ascii", "replace"), keep_blank_values=True).items()}
        if missing := [name for name in ("grant_type", "service", "client_id") if not form.get(name)]:
            return answers.error(request, 400, "UNSUPPORTED", f"missing: {', '.join(missing)}")
        if form["service"] != self.service:
            return answers.error(request, 400, "UNSUPPORTED", "the service is not ours")
        match form["grant_type"]:
            case "password":
                username = form.get("username", "")
                known = self.accounts.accept(username, form.get("password", ""))
                refresh = self.identity_token(username) if known and form.get("access_type") == "offline" else ""
            case "refresh_token":
                refresh = form.get("refresh_token", "")
                username = self._identities.get(refresh, "")
                known = username in self.accounts.passwords
            case _:
                return answers.error(request, 400, "UNSUPPORTED", "grant_type is password or refresh_token")
        if not known:
            return _refused(request, "incorrect username, password or refresh token")
        token, granted = self.access_token(username, _split([form.get("scope", "")]))
        answer = {"access_token": token, "scope": " ".join(map(str, granted)), **self._dates()}
        return answers.document(request, 200, answer | ({"refresh_token": refresh} if refresh else {}))

    def _dates(self) -> dict[str, Any]:
        issued = datetime.fromtimestamp(int(self.clock()), UTC)
        return {"expires_in": self.lifetime, "issued_at": issued.strftime("%Y-%m-%dT%H:%M:%SZ")}

    def _signed(self, claims: dict[str, Any]) -> str:
        head = {"typ": "JWT", "alg": "HS256"}
        signed = ".".join(_b64(json.dumps(part, separators=(",", ":")).encode()) for part in (head, claims))
        return f"{signed}.{self._signature(signed)}"

    def _signature(self, signed: str) -> str:
        return _b64(hmac.digest(self._key, signed.encode(), hashlib.sha256))


def _refused(request: Request, message: str) -> Response:
    challenge = ("www-authenticate", f'Basic realm="{_ISSUER}"')
    return answers.error(request, 401, "UNAUTHORIZED", message, fields=[challenge])


def _split(scopes: list[str]) -> list[str]:
    """Scopes come repeated (token.md) or in one value with spaces (oauth.md); some clients do both."""
    return [scope for value in scopes for scope in value.split()]


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
