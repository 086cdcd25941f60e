"""Which role lets somebody do what in a registry, and the condition that keeps it to some repositories. Pure rules.

Sources: Microsoft Learn "Azure Container Registry Entra permissions and role assignments overview" (which roles count in which mode)
and "Azure attribute-based access control (ABAC) for repository permissions" (the form of the condition, and that a prefix ends in
``/``). Roles are known by their names; their ids are looked up.
"""

from __future__ import annotations

import re

from registryauth._redact import printable
from registryauth._value import Value
from registryauth.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: What can be asked for, in the words of the command line.
WORDS = ("pull", "push", "delete")
_REPOSITORIES = "Microsoft.ContainerRegistry/registries/repositories"
_NAME = f"@Request[{_REPOSITORIES}:name]"
_READ = ("content/read", "metadata/read")
_WRITE = (*_READ, "content/write", "metadata/write")


class RegistryRole(Value):
    """The built-in role *name*, and the *actions* that a registry's token shows because of it.

    *data_actions* are what it allows in a repository, and what its condition has to speak of: what a condition does not name is
    allowed everywhere.
    """

    name: str
    actions: tuple[str, ...]
    data_actions: tuple[str, ...] = ()


#: By mode and word. A classic registry's AcrDelete deletes and does nothing else; in ABAC mode each has what the ones before it have.
ROLES: Mapping[str, Mapping[str, RegistryRole]] = {
    "classic": {
        "pull": RegistryRole("AcrPull", ("pull",)),
        "push": RegistryRole("AcrPush", ("pull", "push")),
        "delete": RegistryRole("AcrDelete", ("delete",)),
    },
    "abac": {
        "pull": RegistryRole("Container Registry Repository Reader", ("pull",), _READ),
        "push": RegistryRole("Container Registry Repository Writer", ("pull", "push"), _WRITE),
        "delete": RegistryRole(
            "Container Registry Repository Contributor", ("pull", "push", "delete"), (*_WRITE, "content/delete", "metadata/delete")
        ),
    },
}
#: Every role of a registry's that we give or take.
KNOWN = {role.name: word for roles in ROLES.values() for word, role in roles.items()}


def role_for(word: str, mode: str) -> RegistryRole:
    """The role that *word* asks for in a registry of that *mode*; raise `ConfigurationError` for another word."""
    if word not in WORDS:
        raise ConfigurationError(f"{printable(word, 40)!a} is no role here", hint=f"one of {', '.join(WORDS)}")
    return ROLES[mode][word]


def condition_for(role: RegistryRole, repositories: Iterable[str]) -> str:
    """The condition of version 2.0 that keeps *role* to *repositories*, names or ``prefix/*``; empty for none, the whole registry."""
    wanted = sorted(set(repositories))
    if not wanted:
        return ""
    actions = " AND ".join(f"!(ActionMatches{{'{_REPOSITORIES}/{action}'}})" for action in role.data_actions)
    return f"(({actions}) OR ({' OR '.join(map(_compared, wanted))}))"


def _compared(repository: str) -> str:
    prefix = repository.removesuffix("*")
    kind = "StringEqualsIgnoreCase" if prefix == repository else "StringStartsWithIgnoreCase"
    return f"{_NAME} {kind} '{prefix}'"


_ACTION = rf"!\(ActionMatches\{{'{re.escape(_REPOSITORIES)}/([a-z/]+)'\}}\)"
_COMPARISON = rf"{re.escape(_NAME)} (StringEqualsIgnoreCase|StringStartsWithIgnoreCase) '([a-zA-Z0-9._/-]+)'"
_CONDITION = rf"\( ?\( ?({_ACTION}(?: AND {_ACTION})*) ?\) ?OR ?\( ?({_COMPARISON}(?: OR {_COMPARISON})*) ?\) ?\)"


def repositories_of(condition: str, role: RegistryRole) -> tuple[str, ...] | None:
    """The repositories that *condition* keeps *role* to, sorted; None for a condition that is not of the documented form.

    One that leaves an action of the role out, or has a prefix that does not end at a ``/``, says more than names can: None, too.
    """
    found = re.fullmatch(_CONDITION, " ".join(condition.split()))
    if not found:
        return None
    named = set(re.findall(_ACTION, found[1]))
    compared = re.findall(_COMPARISON, found[0])
    if not named >= set(role.data_actions) or any(kind.startswith("StringStarts") != value.endswith("/") for kind, value in compared):
        return None
    return tuple(sorted({f"{value.lower()}*" if value.endswith("/") else value.lower() for _, value in compared}))


def covers(held: Iterable[str], wanted: str) -> bool:
    """Whether the names and prefixes *held* let in everything that *wanted* does."""
    return any(one == wanted or (one.endswith("*") and wanted.startswith(one[:-1])) for one in held)
