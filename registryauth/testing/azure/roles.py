"""Who may do what: role definitions, and their assignments, which take time to be heard of.

Sources: Microsoft Learn "Azure built-in roles for Containers", "Azure Container Registry Entra permissions and role assignments
overview" and "... repository permissions (ABAC)". Real definitions have the same ids in every tenant; here they are made up,
because a client has to look them up by name.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from registryauth.testing.azure.directory import new_id

_REGISTRIES = "Microsoft.ContainerRegistry/registries"

#: What a role allows, as resource management writes it: actions, actions taken away, and actions on data.
ROLES: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "Owner": (("*",), (), ()),
    "Contributor": (("*",), ("Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write"), ()),
    "Reader": (("*/read",), (), ()),
    "User Access Administrator": (("*/read", "Microsoft.Authorization/*"), (), ()),
    "Role Based Access Control Administrator": (
        ("*/read", "Microsoft.Authorization/roleAssignments/write", "Microsoft.Authorization/roleAssignments/delete"),
        (),
        (),
    ),
    "AcrPull": ((f"{_REGISTRIES}/pull/read",), (), ()),
    "AcrPush": ((f"{_REGISTRIES}/pull/read", f"{_REGISTRIES}/push/write"), (), ()),
    "AcrDelete": ((f"{_REGISTRIES}/artifacts/delete",), (), ()),
    "Container Registry Tasks Contributor": (
        (
            f"{_REGISTRIES}/read", f"{_REGISTRIES}/scheduleRun/action", f"{_REGISTRIES}/listBuildSourceUploadUrl/action",
            f"{_REGISTRIES}/runs/*", f"{_REGISTRIES}/tasks/*",
        ),
        (),
        (),
    ),
    "Container Registry Repository Reader": (
        (),
        (),
        (f"{_REGISTRIES}/repositories/metadata/read", f"{_REGISTRIES}/repositories/content/read"),
    ),
    "Container Registry Repository Writer": (
        (),
        (),
        tuple(f"{_REGISTRIES}/repositories/{what}" for what in ("metadata/read", "content/read", "metadata/write", "content/write")),
    ),
    "Container Registry Repository Contributor": (
        (),
        (),
        tuple(f"{_REGISTRIES}/repositories/{what}/{how}" for what in ("metadata", "content") for how in ("read", "write", "delete")),
    ),
    "Container Registry Repository Catalog Lister": ((), (), (f"{_REGISTRIES}/catalog/read",)),
    "AzureML Data Scientist": (
        (
            "Microsoft.MachineLearningServices/workspaces/*/read", "Microsoft.MachineLearningServices/workspaces/read",
            "Microsoft.MachineLearningServices/workspaces/*/action",
        ),
        ("Microsoft.MachineLearningServices/workspaces/listKeys/action",),
        (),
    ),
}  # fmt: skip


@dataclass
class RoleAssignment:
    """A *role*, by name, of the principal *principal_id* at *scope*, a resource id or what it lies in.

    *from_* and *until* are when registries hear of it and of its end, in seconds since the epoch.
    """

    role: str
    principal_id: str
    scope: str
    principal_type: str
    from_: float
    condition: str = ""
    name: str = field(default_factory=new_id)
    created_at: float = 0.0
    until: float | None = None

    def covers(self, resource: str) -> bool:
        """Whether *resource* lies in the scope."""
        scope, resource = self.scope.rstrip("/").lower(), resource.lower()
        return resource == scope or resource.startswith(f"{scope}/")

    @property
    def id(self) -> str:
        """The assignment's own resource id."""
        return f"{self.scope}/providers/Microsoft.Authorization/roleAssignments/{self.name}"


class Roles:
    """Assignments, and what comes of them. *propagation* is in seconds: up to ten minutes at a registry (Azure/acr FAQ)."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.propagation = 0.0
        self.assignments: list[RoleAssignment] = []
        self.ids = {name: str(uuid.uuid5(uuid.NAMESPACE_URL, f"simulated role {name}")) for name in ROLES}

    def name_of(self, definition: str) -> str | None:
        """The role of a definition's id, long or short."""
        wanted = definition.rpartition("/")[2].lower()
        return next((name for name, guid in self.ids.items() if guid == wanted), None)

    def definition(self, name: str, subscription: str) -> dict[str, Any]:
        """A role as ``roleDefinitions`` shows it (azure-rest-api-specs, authorization 2022-04-01, GetRoleDefinitionByName.json)."""
        actions, unactions, data = ROLES[name]
        guid = self.ids[name]
        permission = {"actions": list(actions), "notActions": list(unactions), "dataActions": list(data), "notDataActions": []}
        return {
            "properties": {
                "roleName": name,
                "type": "BuiltInRole",
                "description": name,
                "assignableScopes": ["/"],
                "permissions": [permission],
                "createdOn": "2018-10-29T23:30:53.9931600Z",
                "updatedOn": "2021-11-11T20:15:11.9293320Z",
                "createdBy": None,
                "updatedBy": None,
            },
            "id": f"/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/{guid}",
            "type": "Microsoft.Authorization/roleDefinitions",
            "name": guid,
        }

    def add(self, assignment: RoleAssignment) -> RoleAssignment:
        """Remember it."""
        self.assignments.append(assignment)
        return assignment

    def end(self, assignment: RoleAssignment) -> None:
        """Take it away: resource management knows at once, registries after `propagation` seconds."""
        assignment.until = self.now() + self.propagation

    def current(self) -> list[RoleAssignment]:
        """What resource management lists."""
        return [one for one in self.assignments if one.until is None]

    def allows(self, principal_id: str, action: str, resource: str) -> bool:
        """Whether resource management lets the principal do *action*; it hears of assignments at once."""
        held = (one for one in self.current() if one.principal_id == principal_id and one.covers(resource))
        return any(_allowed(action, ROLES[one.role][0], ROLES[one.role][1]) for one in held)

    def at_registry(self, principal_id: str, resource: str) -> list[RoleAssignment]:
        """The assignments that the registry *resource* knows of."""
        now = self.now()
        known = (one for one in self.assignments if one.from_ <= now and (one.until is None or now < one.until))
        return [one for one in known if one.principal_id == principal_id and one.covers(resource)]


def _allowed(action: str, patterns: Iterable[str], excepted: Iterable[str]) -> bool:
    def among(several: Iterable[str]) -> bool:
        return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in several)

    return among(patterns) and not among(excepted)


#: What a registry's token names, by the action that resource management names.
_CLASSIC = {
    f"{_REGISTRIES}/pull/read": ("pull", "metadata_read", "catalog"),
    f"{_REGISTRIES}/push/write": ("push", "metadata_write"),
    f"{_REGISTRIES}/artifacts/delete": ("delete",),
}
_BY_REPOSITORY = {
    f"{_REGISTRIES}/repositories/content/read": ("pull",),
    f"{_REGISTRIES}/repositories/content/write": ("push",),
    f"{_REGISTRIES}/repositories/content/delete": ("delete",),
    f"{_REGISTRIES}/repositories/metadata/read": ("metadata_read",),
    f"{_REGISTRIES}/repositories/metadata/write": ("metadata_write",),
    f"{_REGISTRIES}/repositories/metadata/delete": ("metadata_delete",),
    f"{_REGISTRIES}/catalog/read": ("catalog",),
}


def registry_actions(assignment: RoleAssignment, repository: str, *, abac: bool) -> set[str]:
    """What *assignment* lets its principal do in *repository*, empty for the catalog, of a registry in that mode.

    A registry in ABAC mode knows data actions only, a classic one the other ones only (Microsoft Learn, "ABAC-enabled").
    """
    actions, _, data = ROLES[assignment.role]
    table, patterns = (_BY_REPOSITORY, data) if abac else (_CLASSIC, actions)
    if not _condition_holds(assignment.condition, repository):
        return set()
    return {word for action, words in table.items() if _allowed(action, patterns, ()) for word in words}


_CONDITION = re.compile(r"repositories:name\]\s+(StringEquals|StringStartsWith)(?:IgnoreCase)?\s+'([^']*)'", re.IGNORECASE)


def _condition_holds(condition: str, repository: str) -> bool:
    """Whether a condition of version 2.0 lets *repository* in: any of the names or beginnings that it compares with."""
    if not condition:
        return True
    name = repository.lower()
    return any(
        name == value.lower() if kind.lower() == "stringequals" else name.startswith(value.lower())
        for kind, value in _CONDITION.findall(condition)
    )
