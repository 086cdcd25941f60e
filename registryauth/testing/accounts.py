"""Who a simulated registry knows, and what each of them may do."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Mapping

from registryauth._http.messages import Request
from registryauth._value import Value

#: What an account may do unless its rights say otherwise.
ALL_ACTIONS = frozenset({"pull", "push", "delete"})


class Accounts:
    """Passwords and rights; a None user name is the anonymous caller."""

    def __init__(self, passwords: dict[str, str], rights: Mapping[str, Collection[str]], *, anonymous_pull: bool) -> None:
        # The caller's own dict: a test that rotates a password in it sees the old one refused.
        self.passwords = passwords
        self.rights = rights
        self.anonymous_pull = anonymous_pull

    def accept(self, username: str, password: str) -> bool:
        """Whether that is the account's password."""
        return self.passwords.get(username) == password

    def actions(self, username: str | None) -> frozenset[str]:
        """What the account may do in every repository."""
        if username is None:
            return frozenset({"pull"} if self.anonymous_pull else ())
        return frozenset(self.rights.get(username, ALL_ACTIONS))


class Access(Value):
    """What a request needs: *actions* on the resource *type*:*name*; a nameless one needs only a known caller."""

    type: str
    name: str
    actions: tuple[str, ...]

    @classmethod
    def parse(cls, scope: str) -> Access:
        """``type:name:actions``; the name may hold a colon of its own, a port (distribution, auth/scope.md)."""
        type_, _, rest = scope.partition(":")
        name, _, actions = rest.rpartition(":")
        return cls(type_, name, tuple(action for action in actions.split(",") if action))

    def __str__(self) -> str:
        return f"{self.type}:{self.name}:{','.join(self.actions)}"


def basic_login(request: Request) -> tuple[str, str] | None:
    """User name and password of a Basic ``Authorization`` (RFC 7617); None if there is none that can be read."""
    scheme, _, encoded = request.header("authorization").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        username, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (username, password) if colon else None


def bearer_token(request: Request) -> str:
    """The token of a Bearer ``Authorization``, else empty."""
    scheme, _, token = request.header("authorization").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
