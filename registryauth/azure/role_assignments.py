"""Roles in resource management: looked up by name, given to a principal at a registry, listed, taken away.

Sources: azure-rest-api-specs, authorization 2022-04-01 (``RoleDefinitions_List``, ``RoleAssignments_Create``,
``RoleAssignments_ListForScope``); Microsoft Learn "Troubleshoot Azure RBAC" and "Add or edit Azure role assignment conditions using the
REST API". A principal has a role at a scope once, whatever its condition is: more repositories are a change of that condition.
"""

from __future__ import annotations

import uuid
from fnmatch import fnmatchcase
from urllib.parse import quote

from registryauth._redact import printable
from registryauth._value import Value
from registryauth.errors import AzureError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from registryauth._json import Node
    from registryauth.azure.resource_id import ResourceId
    from registryauth.azure.rest import Rest

API_VERSION = "2022-04-01"
_PROVIDER = "providers/Microsoft.Authorization"
_REGISTRIES = "Microsoft.ContainerRegistry/registries"
#: What lets somebody at a registry's images, in either mode (Microsoft Learn "Azure Container Registry roles").
_CLASSIC = (f"{_REGISTRIES}/pull/read", f"{_REGISTRIES}/push/write", f"{_REGISTRIES}/artifacts/delete")
_ABAC = tuple(f"{_REGISTRIES}/repositories/content/{what}" for what in ("read", "write", "delete"))
_WHO_MAY = "Owner, User Access Administrator or Role Based Access Control Administrator"


class RoleDefinition(Value):
    """A role: its *id*, its *name*, and what it allows, with what is taken from that again."""

    id: str
    name: str
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()

    def gives_access(self, mode: str) -> bool:
        """Whether it lets somebody at the images of a registry of that *mode*."""
        if mode == "abac":
            return any(_allowed(each, self.data_actions, self.not_data_actions) for each in _ABAC)
        return any(_allowed(each, self.actions, self.not_actions) for each in _CLASSIC)


class RoleAssignment(Value):
    """A role, by the id of its definition, of the principal *principal_id* at *scope*, a resource or what it lies in.

    *created* is when it was given, as resource management writes it; empty where that is not said.
    """

    name: str
    scope: str
    role_id: str
    principal_id: str
    condition: str = ""
    created: str = ""

    @property
    def path(self) -> str:
        """Where resource management has it."""
        return f"{quote(self.scope.rstrip('/'), safe='/()')}/{_PROVIDER}/roleAssignments/{quote(self.name, safe='')}"

    def is_at(self, id_: ResourceId) -> bool:
        """Whether it is at that very resource, and not above it."""
        return self.scope.strip("/").lower() == str(id_).strip("/").lower()


class RoleAssignments:
    """Gives and takes roles through *management*; *new_name* names what is made.

    Every method raises `AzureError`, which says what role is lacking, and what the transport raises.
    """

    def __init__(self, management: Rest, *, new_name: Callable[[], str] = lambda: str(uuid.uuid4())) -> None:
        self._rest, self._new_name = management, new_name
        self._definitions: dict[str, RoleDefinition] = {}

    def definition(self, at: ResourceId, name: str) -> RoleDefinition:
        """The built-in role that is called *name*."""
        condition = quote(f"roleName eq '{name}'", safe="")
        for entry in self._pages(f"{at.path}/{_PROVIDER}/roleDefinitions?$filter={condition}", at):
            found = _definition(entry)
            # Custom roles may be added under names of ours in other tenants.
            if found.name.lower() == name.lower() and entry.field("properties").field("type").text() in ("", "BuiltInRole"):
                return found
        raise AzureError(
            f"resource management knows no built-in role {printable(name, 80)}",
            status=404,
            hint="in some clouds the roles for repositories are not there yet: az role definition list --name NAME",
        )

    def definition_of(self, assignment: RoleAssignment) -> RoleDefinition:
        """The role that was assigned; asked for once."""
        key = assignment.role_id.lower()
        if key not in self._definitions:
            path = quote(assignment.role_id, safe="/()")
            self._definitions[key] = _definition(self._rest.get(path, API_VERSION))
        return self._definitions[key]

    def of(self, at: ResourceId, principal_id: str) -> tuple[RoleAssignment, ...]:
        """What the principal has at the registry and above it, by itself or through a group."""
        condition = quote(f"atScope() and assignedTo('{principal_id}')", safe="")
        entries = self._pages(f"{at.path}/{_PROVIDER}/roleAssignments?$filter={condition}", at)
        return tuple(_assignment(each) for each in entries)

    def assign(self, at: ResourceId, role: RoleDefinition, principal_id: str, condition: str = "") -> RoleAssignment:
        """Give a service principal *role* at the registry; `AzureError` with code ``RoleAssignmentExists`` where it has it."""
        return self._put(at, RoleAssignment(self._new_name(), str(at), role.id, principal_id, condition))

    def change(self, at: ResourceId, assignment: RoleAssignment, condition: str) -> RoleAssignment:
        """Let *condition* stand in place of the one that *assignment* has; nothing else of one can be changed."""
        return self._put(at, assignment.replace(condition=condition))

    def end(self, at: ResourceId, assignment: RoleAssignment) -> None:
        """Take *assignment* away; one that is gone is fine."""
        try:
            self._rest.call("DELETE", assignment.path, API_VERSION)
        except AzureError as error:
            if error.status != 404:
                raise _explained(error, at, "take roles away at", "delete") from error

    def _put(self, at: ResourceId, wanted: RoleAssignment) -> RoleAssignment:
        properties = {"roleDefinitionId": wanted.role_id, "principalId": wanted.principal_id, "principalType": "ServicePrincipal"}
        if wanted.condition:
            properties |= {"condition": wanted.condition, "conditionVersion": "2.0"}
        try:
            return _assignment(self._rest.call("PUT", wanted.path, API_VERSION, {"properties": properties}).document)
        except AzureError as error:
            raise _explained(error, at, "give roles at", "write") from error

    def _pages(self, path: str, at: ResourceId) -> list[Node]:
        try:
            return list(self._rest.pages(path, API_VERSION))
        except AzureError as error:
            raise _explained(error, at, "look at the roles of", "read") from error


def _allowed(action: str, patterns: tuple[str, ...], excepted: tuple[str, ...]) -> bool:
    def among(several: tuple[str, ...]) -> bool:
        return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in several)

    return among(patterns) and not among(excepted)


def _definition(document: Node) -> RoleDefinition:
    properties = document.field("properties")
    id_, name = document.field("id").text(), properties.field("roleName").text()
    if not id_ or not name:
        raise AzureError(f"{document.what}: a role without id and name", hint="is a proxy or portal in the way?")
    found: dict[str, list[str]] = {kind: [] for kind in ("actions", "notActions", "dataActions", "notDataActions")}
    for permission in properties.field("permissions").items():
        for kind, listed in found.items():
            listed += [each.text() for each in permission.field(kind).items()]
    return RoleDefinition(id_, name, *(tuple(listed) for listed in found.values()))


def _assignment(document: Node) -> RoleAssignment:
    properties = document.field("properties")
    role, principal, scope = (properties.field(each).text() for each in ("roleDefinitionId", "principalId", "scope"))
    name = document.field("name").text()
    if not role or not principal or not scope or not name:
        raise AzureError(
            f"{document.what}: a role assignment without role, principal, scope or name", hint="is a proxy or portal in the way?"
        )
    condition, created = properties.field("condition").text(), properties.field("createdOn").text()
    return RoleAssignment(name, scope, role, principal.lower(), condition, created)


def _explained(error: AzureError, at: ResourceId, what: str, action: str) -> AzureError:
    match error.status, error.code:
        case 403, _:
            message = f"you may not {what} the registry {at.name}"
            hint = f"it takes Microsoft.Authorization/roleAssignments/{action} there: {_WHO_MAY} of the registry or what it lies in"
            if action == "read":
                hint = "it takes Reader on the registry"
        case _, "RoleAssignmentLimitExceeded":
            message = f"the subscription {at.subscription} has as many role assignments as one can have"
            hint = "remove those that nobody needs: az role assignment list --all"
        case _, "RoleAssignmentUpdateNotPermitted":
            message, hint = error.message, "its condition can be changed, nothing else: revoke it, and grant it anew"
        case _:
            return error
    return AzureError(message, status=error.status, code=error.code, correlation_id=error.correlation_id, hint=hint)
