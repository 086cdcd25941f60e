"""Who a simulated registry knows, and what each of them may do."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase

from registryauth._http.messages import Request
from registryauth._value import Value

#: What an account may do in a repository unless its rights say otherwise.
ALL_ACTIONS = frozenset({"pull", "push", "delete"})

#: The action among an account's rights that lets it list every repository.
CATALOG = "catalog"

#: An account's rights: actions in every repository, or actions by a pattern of repositories (``team/*``).
Rights = Collection[str] | Mapping[str, Collection[str]]


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


#: What listing every repository needs (distribution, registry/handlers/app.go, appendCatalogAccessRecord).
CATALOG_ACCESS = Access("registry", "catalog", ("*",))


class Accounts:
    """Passwords and rights; a None user name is the anonymous caller."""

    def __init__(self, passwords: dict[str, str], rights: Mapping[str, Rights], *, anonymous_pull: bool) -> None:
        # The caller's own dict: a test that rotates a password in it sees the old one refused.
        self.passwords = passwords
        self.rights = rights
        self.anonymous_pull = anonymous_pull

    def accept(self, username: str, password: str) -> bool:
        """Whether that is the account's password."""
        return self.passwords.get(username) == password

    def actions(self, username: str | None, repository: str) -> frozenset[str]:
        """What the account may do in *repository*."""
        if username is None:
            return frozenset({"pull"} if self.anonymous_pull else ())
        rights = self.rights.get(username, ALL_ACTIONS)
        if isinstance(rights, Mapping):
            return frozenset(action for pattern, actions in rights.items() if fnmatchcase(repository, pattern) for action in actions)
        return frozenset(rights)

    def narrow(self, username: str | None, access: Access) -> Access:
        """As much of *access* as the account may have."""
        if access.type == "repository":
            allowed = self.actions(username, access.name)
        else:
            allowed = frozenset({"*"} if access == CATALOG_ACCESS and self._may_list(username) else ())
        return access.replace(actions=tuple(action for action in access.actions if action in allowed))

    def may(self, username: str | None, access: Access) -> bool:
        """Whether the account may have all of *access*."""
        return self.narrow(username, access) == access

    def _may_list(self, username: str | None) -> bool:
        if username is None:
            return False
        rights = self.rights.get(username, (CATALOG,))
        return (
            CATALOG in (action for actions in rights.values() for action in actions) if isinstance(rights, Mapping) else CATALOG in rights
        )


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
