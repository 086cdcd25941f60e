"""Azure ML workspaces in resource management.

Sources: azure-rest-api-specs, machinelearningservices 2024-10-01 and 2025-12-01 (Workspace/get.json, Workspace/listKeys.json,
Workspace/resyncKeys.json, WorkspaceConnection/create.json, listSecrets.json).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from registryauth._http.messages import Response
from registryauth.testing import answers
from registryauth.testing.azure.calls import Call, absent
from registryauth.testing.azure.directory import new_id
from registryauth.testing.azure.refusals import ServiceRefusal

if TYPE_CHECKING:
    from registryauth.testing.azure.registry import AzureRegistry
    from registryauth.testing.azure.simulator import AzureSimulator

_TYPE = "Microsoft.MachineLearningServices/workspaces"


class Workspace:
    """One workspace; *registry* is None until a model is first trained or deployed.

    *keys* are the registry's admin passwords as the workspace knows them: those of the time of the last `resync`.
    """

    type = _TYPE

    def __init__(self, azure: AzureSimulator, name: str, group: str, registry: AzureRegistry | None, location: str) -> None:
        self.azure = azure
        self.name = name
        self.group = group
        self.location = location
        self.registry = registry
        self.workspace_id = new_id()
        self.connections: dict[str, dict[str, Any]] = {}
        self.keys: dict[str, str] = {}
        #: None has an answer without credentials leave the field out; the service's own choice is not known.
        self.shows_empty_credentials = True
        self.resync()

    @property
    def id(self) -> str:
        """Its resource id."""
        return f"/subscriptions/{self.azure.subscription}/resourceGroups/{self.group}/providers/{_TYPE}/{self.name}"

    def train(self) -> AzureRegistry:
        """Do what makes the workspace have a registry, and give that one: Azure ML makes it with its admin user on."""
        if self.registry is None:
            self.registry = self.azure.registry(f"cr{new_id().replace('-', '')[:20]}", group=self.group, admin=True, sku="Standard")
            self.resync()
        return self.registry

    def resync(self) -> None:
        """Read the registry's passwords anew (``az ml workspace sync-keys``)."""
        self.keys = dict(self.registry.admin_passwords) if self.registry and self.registry.admin_enabled else {}


class Workspaces:
    """Answers below ``/providers/Microsoft.MachineLearningServices``."""

    def __init__(self, azure: AzureSimulator) -> None:
        self.azure = azure

    def answer(self, call: Call, group: str, parts: list[str]) -> Response | list[Any]:
        """The answer, or a list to be paged."""
        kind, *rest = parts
        if kind.lower() != "workspaces":
            raise ServiceRefusal(404, "InvalidResourceType", f"The resource type '{kind}' could not be found in the namespace.")
        if not rest:
            call.require_group(group)
            held = [one for one in self.azure.workspaces if group.lower() in ("", one.group.lower())]
            return [_shown(one, call.version) for one in held if call.may(f"{_TYPE}/read", one.id)]
        return self._one(call, group, rest[0], rest[1:])

    def _one(self, call: Call, group: str, name: str, rest: list[str]) -> Response | list[Any]:
        verb = rest[0].lower() if rest else ""
        action = {"": "read", "listkeys": "listKeys/action", "resynckeys": "resyncKeys/action", "connections": "connections/read"}.get(verb)
        if action is None:
            raise ServiceRefusal(404, "InvalidResourceType", f"The resource type '{rest[0]}' could not be found in the namespace.")
        if verb == "connections" and call.method in ("PUT", "DELETE"):
            action = f"connections/{'write' if call.method == 'PUT' else 'delete'}"
        where = f"/subscriptions/{self.azure.subscription}/resourceGroups/{group}/providers/{_TYPE}/{name}"
        call.require(f"{_TYPE}/{action}", where)
        call.require_group(group)
        found = next((one for one in self.azure.workspaces if (one.group.lower(), one.name.lower()) == (group.lower(), name.lower())), None)
        if found is None:
            raise absent(_TYPE, name, group)
        match verb, call.method:
            case "", "GET":
                return answers.document(call.request, 200, _shown(found, call.version))
            case "listkeys", "POST":
                return answers.document(call.request, 200, _keys(found, call.version))
            case "resynckeys", "POST":
                found.resync()
                return answers.empty(call.request, 200)
            case "connections", _:
                return _connections(call, found, rest[1:])
        raise ServiceRefusal(405, "MethodNotAllowed", f"The method {call.method} is not allowed here.")


def _shown(workspace: Workspace, version: str) -> dict[str, Any]:
    azure = workspace.azure
    near = f"/subscriptions/{azure.subscription}/resourceGroups/{workspace.group}/providers"
    return {
        "id": workspace.id,
        "name": workspace.name,
        "type": _TYPE,
        "location": workspace.location,
        "tags": {},
        "etag": None,
        "identity": {"type": "SystemAssigned", "principalId": workspace.workspace_id, "tenantId": azure.home.id},
        "sku": {"name": "Basic", "tier": "Basic"},
        "properties": {
            "friendlyName": workspace.name,
            "workspaceId": workspace.workspace_id,
            "storageAccount": f"{near}/Microsoft.Storage/storageAccounts/{workspace.name.lower()}storage",
            "keyVault": f"{near}/Microsoft.KeyVault/vaults/{workspace.name}-vault",
            "applicationInsights": f"{near}/microsoft.insights/components/{workspace.name}-insights",
            "containerRegistry": workspace.registry.id if workspace.registry else None,
            "imageBuildCompute": None,
            "enableDataIsolation": False,
            "primaryUserAssignedIdentity": None,
            "provisioningState": "Succeeded",
            "publicNetworkAccess": "Enabled",
            "v1LegacyMode": False,
            **({"managedNetwork": None} if version >= "2023-04-01" else {}),
        },
    }


def _keys(workspace: Workspace, version: str) -> dict[str, Any]:
    """``listKeys``: 2025-12-01 renamed ``userStorageResourceId``; without an admin user there are no credentials."""
    credentials: dict[str, Any] | None = None
    if workspace.registry and workspace.keys:
        passwords = [{"name": name, "value": value} for name, value in workspace.keys.items()]
        credentials = {"location": None, "username": workspace.registry.name, "passwords": passwords}
    storage = "userStorageArmId" if version >= "2025-12-01" else "userStorageResourceId"
    answer = {
        "userStorageKey": "simulated-storage-key",
        storage: f"{workspace.id.partition('/providers/')[0]}/providers/Microsoft.Storage/storageAccounts/s",
        "appInsightsInstrumentationKey": "simulated-insights-key",
        "notebookAccessKeys": {"primaryAccessKey": None, "secondaryAccessKey": None},
    }
    if credentials or workspace.shows_empty_credentials:
        answer["containerRegistryCredentials"] = credentials or {}
    return answer


def _connections(call: Call, workspace: Workspace, rest: list[str]) -> Response | list[Any]:
    if not rest:
        return [_connection(workspace, name) for name in workspace.connections]
    name = rest[0]
    if call.method == "PUT":
        properties = call.body().get("properties") or {}
        if missing := [field for field in ("category", "target", "authType") if not properties.get(field)]:
            raise ServiceRefusal(400, "UserError", f"The property '{missing[0]}' is required.")
        workspace.connections[name] = properties
        return answers.document(call.request, 200, _connection(workspace, name))
    if name not in workspace.connections:
        raise ServiceRefusal(404, "UserError", f"Connection {name} can't be found in this workspace")
    if call.method == "DELETE":
        del workspace.connections[name]
        return answers.empty(call.request, 200)
    if rest[1:] and rest[1].lower() == "listsecrets":
        call.require(f"{_TYPE}/connections/listsecrets/action", workspace.id)
        return answers.document(call.request, 200, _connection(workspace, name, secrets=True))
    return answers.document(call.request, 200, _connection(workspace, name))


def _connection(workspace: Workspace, name: str, *, secrets: bool = False) -> dict[str, Any]:
    kept = workspace.connections[name]
    shown = kept if secrets else {**kept, "credentials": None}
    kind = f"{_TYPE}/connections"
    return {"id": f"{workspace.id}/connections/{name}", "name": name, "type": kind, "properties": shown}
