"""What may a credential do? Asked of the token server and read from its answer; never tried out by writing."""

from __future__ import annotations

import re

from registryauth._value import Value
from registryauth.auth import Scope
from registryauth.client import endpoints
from registryauth.errors import TokenRefused
from registryauth.principals.refusals import ACTIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from registryauth._http import Request
    from registryauth._origin import Origin
    from registryauth.auth.challenge import Challenge
    from registryauth.client import Client
    from registryauth.reference import Repository

#: What is asked for where nobody said what a principal needs.
DEFAULT_NEED = ("pull",)
#: What to ask for at Azure, whichever mode the registry is in: the roles of one count for nothing in the other.
PULL_ROLES = "on Azure AcrPull, or in ABAC mode Container Registry Repository Reader"
#: Rights that change nothing: more of these than needed is no alarm. A role that pulls has them, too (AcrPull lists the catalog).
_READING = ("pull", "metadata_read", "catalog")
#: One by one, because a server may refuse a whole request for one action in it; push as clients ask for it.
#: ``metadata_read`` is ACR's (azure-cli, acr/_docker_utils.py, RepoAccessTokenPermission); others grant nothing by that name.
_ASKED = (("pull",), ("pull", "push"), ("delete",), ("metadata_read",))
_CATALOG = Scope("registry", "catalog", frozenset("*"))
#: A token may list anything; this much is kept of it.
_MAX_GRANTED = 16
_AN_ACTION = r"[a-z][a-z0-9_-]{0,31}"
_SPOKEN = {"metadata_read": "read metadata", "catalog": "list repositories"}


class Rights(Value):
    """What a credential was *granted* and *refused*; *evidence* says whose word it is, empty where nobody said anything."""

    granted: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    evidence: str = ""

    @property
    def unknown(self) -> tuple[str, ...]:
        """Of `ACTIONS`, those that could not be told without writing, or of which nobody spoke."""
        return tuple(action for action in ACTIONS if action not in (*self.granted, *self.refused))

    def lacking(self, needed: Iterable[str]) -> tuple[str, ...]:
        """What is *needed* and was refused."""
        return tuple(action for action in needed if action in self.refused)

    def excess(self, needed: Iterable[str]) -> tuple[str, ...]:
        """What was granted, changes things and is not *needed*."""
        return tuple(action for action in self.granted if action not in (*needed, *_READING))


def spoken(actions: Iterable[str], last: str = "and") -> str:
    """``pull, push and delete``: *actions* as a person says them."""
    words = [_SPOKEN.get(action, action) for action in actions]
    return f"{', '.join(words[:-1])} {last} {words[-1]}" if len(words) > 1 else "".join(words)


def probe(client: Client, repository: Repository, asked: Challenge) -> Rights:
    """What *repository*'s credential may do in it, or with an empty path in its registry as a whole.

    *asked* is the registry's challenge, which the credential is known to answer. Where tokens show what they grant that is
    what is given, unverified; where they do not, and where passwords go to the registry itself, the right to read is
    tried by reading. Only GET goes to the registry. Raise what its failures raise, `TokenRefused` where it throttles.
    """
    seen = _Seen()
    if asked.scheme == "bearer":
        for actions in _ASKED if repository.path else ():
            _ask(client, repository, asked, Scope.of(repository, *actions), actions[-1], seen)
        _ask(client, repository, asked, _CATALOG, "catalog", seen)
    if repository.path and seen.knows_nothing_of("pull"):
        _read(client, repository, lambda origin: endpoints.tags(origin, repository.path, n=1), ("pull",), "pull", seen)
    if seen.knows_nothing_of("catalog"):
        _read(client, repository, lambda origin: endpoints.catalog(origin, n=1), (_CATALOG,), "catalog", seen)
    return seen.rights()


class _Seen:
    """What was learnt so far."""

    def __init__(self) -> None:
        self._granted: dict[str, None] = {}
        self._refused: dict[str, None] = {}
        self._words: dict[str, None] = {}

    def knows_nothing_of(self, action: str) -> bool:
        return action not in self._granted and action not in self._refused

    def learn(self, word: str, granted: Iterable[str] = (), refused: Iterable[str] = ()) -> None:
        self._words[word] = None
        self._granted |= dict.fromkeys(granted)
        self._refused |= dict.fromkeys(refused)

    def rights(self) -> Rights:
        granted = sorted(self._granted, key=lambda action: ACTIONS.index(action) if action in ACTIONS else len(ACTIONS))[:_MAX_GRANTED]
        refused = tuple(action for action in ACTIONS if action in self._refused and action not in granted)
        return Rights(tuple(granted), refused, "; ".join(self._words))


def _ask(client: Client, repository: Repository, asked: Challenge, scope: Scope, action: str, seen: _Seen) -> None:
    """Ask the token server for *scope*, in which *action* is new."""
    try:
        token = client.grant(repository, asked, scope)
    except TokenRefused as error:
        if error.status == 429:
            raise
        seen.learn("the token server refuses what is not granted", refused=(action,))
        return
    if token.granted is None:
        return
    actions = [one for kind, name, listed in token.granted if (kind, name) == (scope.kind, scope.name) for one in listed]
    granted = ["catalog"] if scope == _CATALOG and actions else _readable(actions) if scope != _CATALOG else []
    seen.learn(token.witness, granted, () if action in granted else (action,))


def _readable(actions: Iterable[str]) -> list[str]:
    """*actions* with what ``*`` stands for in a repository, without what is no action's name."""
    named: list[str] = []
    for action in actions:
        named += ("pull", "push", "delete") if action == "*" else (action,) if re.fullmatch(_AN_ACTION, action) else ()
    return named


def _read(
    client: Client, repository: Repository, build: Callable[[Origin], Request], wanted: tuple[str | Scope, ...], action: str, seen: _Seen
) -> None:
    """Try *action* by reading what takes that right: the first name of a list."""
    what = "tags" if action == "pull" else "repositories"
    try:
        response = client.send(repository, build, *wanted)
    except TokenRefused as error:
        if error.status == 429:
            raise
        seen.learn("the token server refuses what is not granted", refused=(action,))
        return
    with response:
        if response.status == 200:
            seen.learn(f"the registry listed its {what}", granted=(action,))
        elif response.status in (401, 403):
            seen.learn(f"the registry refused to list its {what}", refused=(action,))
        elif response.status == 404 and action == "pull":
            seen.learn("the registry knows no such repository, or hides it")
        elif response.status not in (404, 405, 501):
            client.expect(response, f"the list of {what}", repository, 200)
