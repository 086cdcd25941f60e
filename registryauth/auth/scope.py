"""Scopes: ``type:name:action,action`` (https://distribution.github.io/distribution/spec/auth/scope/)."""

from __future__ import annotations

from registryauth._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from registryauth.reference import Repository


class Scope(Value):
    """A resource and the actions wanted on it.

    A registry may ask for something opaque (public.ecr.aws says ``aws``): then *kind* holds it whole, and it is passed on as it is.
    """

    kind: str
    name: str = ""
    actions: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, text: str) -> Scope:
        """Read one scope. The name may hold a port (``host:5000/app``), so it is split at the first and the last colon."""
        kind, _, rest = text.partition(":")
        name, _, listed = rest.rpartition(":")
        actions = frozenset(filter(None, listed.split(",")))
        return cls(kind, name, actions) if kind and name and actions else cls(text)

    @classmethod
    def of(cls, repository: Repository, *actions: str) -> Scope:
        """*actions* on *repository*."""
        return cls("repository", repository.path, frozenset(actions))

    def covers(self, other: Scope) -> bool:
        """Whether whoever holds this scope holds *other*."""
        return (self.kind, self.name) == (other.kind, other.name) and ("*" in self.actions or other.actions <= self.actions)

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}:{','.join(sorted(self.actions, key=_order))}" if self.name else self.kind


def _order(action: str) -> tuple[int, str]:
    # Some servers compare the text; pull,push is how every client writes it.
    return {"pull": 0, "push": 1}.get(action, 2), action


def parse_scopes(text: str) -> tuple[Scope, ...]:
    """The scopes of a challenge, which are separated by spaces."""
    return merge(map(Scope.parse, text.split()))


def merge(scopes: Iterable[Scope]) -> tuple[Scope, ...]:
    """*scopes* with the actions of each resource brought together, in order of first mention.

    Some token servers only look at the first scope, and some keep only one for each resource: so put what is needed now in front.
    """
    merged: dict[tuple[str, str], Scope] = {}
    for scope in scopes:
        key = scope.kind, scope.name
        known = merged.get(key)
        merged[key] = scope.replace(actions=scope.actions | known.actions) if known else scope
    return tuple(merged.values())


def covered(wanted: Iterable[Scope], held: Iterable[Scope]) -> bool:
    """Whether every scope *wanted* is covered by one that is *held*."""
    held = tuple(held)
    return all(any(has.covers(want) for has in held) for want in wanted)
