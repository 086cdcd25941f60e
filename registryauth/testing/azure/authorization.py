"""Role definitions and role assignments.

Sources: azure-rest-api-specs, authorization 2022-04-01 (GetRoleDefinitionByName.json, RoleAssignments_Create.json); Microsoft Learn
"Troubleshoot Azure RBAC" (codes and texts).
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from registryauth._http.messages import Response
from registryauth.testing import answers, asked
from registryauth.testing.azure.calls import Call
from registryauth.testing.azure.directory import new_id
from registryauth.testing.azure.refusals import ServiceRefusal
from registryauth.testing.azure.roles import ROLES, RoleAssignment

if TYPE_CHECKING:
    from registryauth.testing.azure.simulator import AzureSimulator

_ROUTE = re.compile(
    r"(?P<scope>.*)/providers/Microsoft\.Authorization/(?P<what>roleDefinitions|roleAssignments)(?:/(?P<name>[^/]+))?", re.IGNORECASE
)
_GUID = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"


class Authorization:
    """Answers below ``/providers/Microsoft.Authorization``."""

    def __init__(self, azure: AzureSimulator) -> None:
        self.azure = azure

    def answer(self, call: Call) -> Response | list[Any] | None:
        """The answer, a list to be paged, or None where *call* is for somebody else."""
        found = _ROUTE.fullmatch(call.path)
        if not found:
            return None
        if found["what"].lower() == "roledefinitions":
            return self._definitions(call, found["scope"], found["name"])
        if found["name"] is None:
            return self._list(call, found["scope"])
        return self._assignment(call, found["scope"], found["name"])

    def _definitions(self, call: Call, scope: str, name: str | None) -> Response | list[Any]:
        call.require("Microsoft.Authorization/roleDefinitions/read", scope)
        roles, subscription = self.azure.roles, self.azure.subscription
        if name:
            role = roles.name_of(name)
            if role is None:
                raise ServiceRefusal(404, "RoleDefinitionDoesNotExist", f"The specified role definition with ID '{name}' does not exist.")
            return answers.document(call.request, 200, roles.definition(role, subscription))
        wanted = re.search(r"roleName\s+eq\s+'([^']*)'", asked.parameter(call.request, "$filter"), re.IGNORECASE)
        several = [role for role in ROLES if wanted is None or role.lower() == wanted[1].lower()]
        return [roles.definition(role, subscription) for role in several]

    def _list(self, call: Call, scope: str) -> list[Any]:
        """Those at *scope*, above it and below it; ``atScope()`` leaves out what lies below."""
        call.require("Microsoft.Authorization/roleAssignments/read", scope)
        condition = asked.parameter(call.request, "$filter")
        who = re.search(r"(?:principalId\s+eq\s+|assignedTo\()'([^']*)'", condition, re.IGNORECASE)
        found = [one for one in self.azure.roles.current() if who is None or one.principal_id == who[1].lower()]
        at_scope = "atscope()" in condition.lower()
        near = [one for one in found if one.covers(scope) or (not at_scope and one.scope.lower().startswith(scope.lower()))]
        return [self._shown(one) for one in near]

    def _assignment(self, call: Call, scope: str, name: str) -> Response:
        found = next((one for one in self.azure.roles.current() if one.name == name.lower() and one.scope.lower() == scope.lower()), None)
        match call.method:
            case "PUT":
                return self._create(call, scope, name, found)
            case "DELETE":
                call.require("Microsoft.Authorization/roleAssignments/delete", scope)
                if found is None:
                    return answers.empty(call.request, 204)
                self.azure.roles.end(found)
                return answers.document(call.request, 200, self._shown(found))
        call.require("Microsoft.Authorization/roleAssignments/read", scope)
        if found is None:
            raise ServiceRefusal(404, "RoleAssignmentNotFound", f"The role assignment '{name}' is not found.")
        return answers.document(call.request, 200, self._shown(found))

    def _create(self, call: Call, scope: str, name: str, found: RoleAssignment | None) -> Response:
        call.require("Microsoft.Authorization/roleAssignments/write", scope)
        if not re.fullmatch(_GUID, name):
            message = f"The role assignment ID '{name}' is not valid. The role assignment ID must be a GUID."
            raise ServiceRefusal(400, "InvalidRoleAssignmentId", message)
        wanted = call.body().get("properties") or {}
        role = self.azure.roles.name_of(str(wanted.get("roleDefinitionId", "")))
        if role is None:
            message = f"The specified role definition with ID '{wanted.get('roleDefinitionId')}' does not exist."
            raise ServiceRefusal(400, "RoleDefinitionDoesNotExist", message)
        principal_id, condition = str(wanted.get("principalId", "")).lower(), wanted.get("condition") or ""
        self._check_principal(principal_id, wanted.get("principalType"))
        if condition and wanted.get("conditionVersion") != "2.0":
            raise ServiceRefusal(400, "BadRequestFormat", "conditionVersion must be 2.0 where there is a condition.")
        same = (role, principal_id, scope.lower())
        now = self.azure.now()
        if found:
            return self._change(call, found, same, condition)
        # Whatever its condition is (hashicorp/terraform-provider-azurerm#24045).
        if any((one.role, one.principal_id, one.scope.lower()) == same for one in self.azure.roles.current()):
            raise ServiceRefusal(409, "RoleAssignmentExists", "The role assignment already exists.")
        kind = wanted.get("principalType") or "ServicePrincipal"
        made = RoleAssignment(role, principal_id, scope, kind, now + self.azure.roles.propagation, condition, name.lower(), now)
        return answers.document(call.request, 201, self._shown(self.azure.roles.add(made)))

    def _change(self, call: Call, found: RoleAssignment, same: tuple[str, str, str], condition: str) -> Response:
        """The same assignment under another condition, which is all that may change (Microsoft Learn "Edit a condition", REST API)."""
        if (found.role, found.principal_id, found.scope.lower()) != same:
            message = "Tenant ID, application ID, principal ID, and scope are not allowed to be updated."
            raise ServiceRefusal(400, "RoleAssignmentUpdateNotPermitted", message)
        if condition != found.condition:
            known_from = self.azure.now() + self.azure.roles.propagation
            self.azure.roles.end(found)
            found = self.azure.roles.add(replace(found, condition=condition, from_=known_from, until=None))
        return answers.document(call.request, 200, self._shown(found))

    def _check_principal(self, principal_id: str, kind: str | None) -> None:
        """A principal that is new is unknown here for a while; naming its type has it taken on trust."""
        principal = self.azure.principal(principal_id)
        if principal and (kind or principal.known_at <= self.azure.now()):
            return
        raise ServiceRefusal(
            400,
            "PrincipalNotFound",
            f"Principal {principal_id} does not exist in the directory {self.azure.home.id}. Check that you have the correct principal "
            "ID. If you are creating this principal and then immediately assigning a role, this error might be related to a replication "
            "delay. In this case, set the role assignment principalType property to a value, such as ServicePrincipal, User, or Group.  "
            "See https://aka.ms/docs-principaltype",
        )

    def _shown(self, one: RoleAssignment) -> dict[str, Any]:
        at = datetime.fromtimestamp(one.created_at, UTC).strftime("%Y-%m-%dT%H:%M:%S.1234567Z")
        guid = self.azure.roles.ids[one.role]
        return {
            "properties": {
                "roleDefinitionId": f"/subscriptions/{self.azure.subscription}/providers/Microsoft.Authorization/roleDefinitions/{guid}",
                "principalId": one.principal_id,
                "principalType": one.principal_type,
                "scope": one.scope,
                "condition": one.condition or None,
                "conditionVersion": "2.0" if one.condition else None,
                "createdOn": at,
                "updatedOn": at,
                "createdBy": new_id(),
                "updatedBy": None,
                "delegatedManagedIdentityResourceId": None,
                "description": None,
            },
            "id": one.id,
            "type": "Microsoft.Authorization/roleAssignments",
            "name": one.name,
        }
