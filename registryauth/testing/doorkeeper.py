"""Who comes in: the challenge, the token, the password."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from registryauth._http.messages import Request, Response
from registryauth.testing import answers
from registryauth.testing.accounts import Access, Accounts, basic_login, bearer_token
from registryauth.testing.token_endpoint import TokenEndpoint

Auth = Literal["token", "basic", "none"]

#: Whether the caller of a request may have that access, too.
May = Callable[[Access], bool]


class Doorkeeper:
    """Lets a request in, or says why not."""

    def __init__(self, accounts: Accounts, tokens: TokenEndpoint) -> None:
        self.accounts = accounts
        self.tokens = tokens

    def admit(self, request: Request, needed: Access, wished: Access | None, auth: Auth, realm: str | None) -> May | Response:
        """What else the caller may do, or the refusal, which names *realm* or ``/token`` of the same origin.

        A caller that lacks *wished* comes in without it. Only one whose account has that right and whose token does
        not show it is sent for another token, as distribution does when a blob is mounted from a repository.
        """
        if auth == "none":
            return lambda _: True
        if auth == "basic":
            return self._by_password(request, needed)
        return self._by_token(request, needed, wished, realm or f"{request.url.origin}/token")

    def _by_password(self, request: Request, needed: Access) -> May | Response:
        login = basic_login(request)
        known = login is not None and self.accounts.accept(*login)
        username = login[0] if login and known else None
        anonymous = self.accounts.anonymous_pull and not request.header("authorization")
        if (known or anonymous) and self.accounts.may(username, needed):
            return lambda access: self.accounts.may(username, access)
        if known:
            return answers.error(request, 403, "DENIED", "requested access to the resource is denied")
        return _unauthorized(request, [needed], 'Basic realm="registry simulator"')

    def _by_token(self, request: Request, needed: Access, wished: Access | None, realm: str) -> May | Response:
        token = bearer_token(request)
        granted = self.tokens.granted(token) if token else None
        asked = [needed, wished] if wished else [needed]
        if granted is None:
            return self._challenge(request, realm, asked, "invalid_token" if token else "")

        def may(access: Access) -> bool:
            same = [one for one in granted if (one.type, one.name) == (access.type, access.name)]
            return {action for one in same for action in one.actions}.issuperset(access.actions)

        obtainable = wished and not may(wished) and self.accounts.may(self.tokens.owner(token), wished)
        return may if may(needed) and not obtainable else self._challenge(request, realm, asked, "insufficient_scope")

    def _challenge(self, request: Request, realm: str, asked: list[Access], error: str) -> Response:
        """The Bearer challenge, its parameters in distribution's order (registry/auth/token/accesscontroller.go)."""
        scope = " ".join(str(access) for access in asked if access.name)
        parts = [f'realm="{realm}"', f'service="{self.tokens.service}"']
        parts += [f'scope="{scope}"'] if scope else []
        parts += [f'error="{error}"'] if error else []
        return _unauthorized(request, asked, "Bearer " + ",".join(parts))


def _unauthorized(request: Request, asked: list[Access], challenge: str) -> Response:
    detail = [{"Type": a.type, "Class": "", "Name": a.name, "Action": action} for a in asked for action in a.actions] or None
    return answers.error(request, 401, "UNAUTHORIZED", "authentication required", detail=detail, fields=[("www-authenticate", challenge)])
