"""Azure ML workspaces as resource management knows them, and the container registry that each is bound to.

Source: azure-rest-api-specs, machinelearningservices 2025-12-01: ``Workspaces_Get``, ``Workspaces_ListBySubscription``,
``Workspaces_ListKeys``. A workspace has no registry until a model is first trained or deployed in it.
"""

from __future__ import annotations

import re

from registryauth._redact import printable
from registryauth._value import Value
from registryauth.azure.resource_id import ResourceId
from registryauth.errors import AzureError, ConfigurationError, WorkspaceHasNoRegistry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth._json import Node
    from registryauth.azure.rest import Rest
    from registryauth.config import WorkspaceSettings

WORKSPACES = "Microsoft.MachineLearningServices/workspaces"
REGISTRIES = "Microsoft.ContainerRegistry/registries"
API_VERSION = "2025-12-01"
#: azure-rest-api-specs, machinelearningservices: the pattern of ``workspaceName``.
_NAME = r"[a-zA-Z0-9][a-zA-Z0-9_-]{2,32}"
_GRAMMAR = "3 to 33 letters, digits, _ and -, no _ or - first"


class Workspace(Value):
    """A workspace as resource management has it. *registry* is None until something was trained or deployed.

    *isolated*: names of its images begin with the workspace's own *guid*. *build_compute* builds its images where the registry is
    behind a firewall, and is empty otherwise.
    """

    id: ResourceId
    registry: ResourceId | None
    guid: str = ""
    location: str = ""
    build_compute: str = ""
    isolated: bool = False


class AdminUser(Value, hidden=("passwords",)):
    """The admin user of a registry, with its *passwords*, of which there are two as a rule."""

    username: str
    passwords: tuple[str, ...]


def workspace_id(name: str, subscription: str = "", group: str = "") -> ResourceId:
    """The id of the workspace *name* in *group* of *subscription*, or of the one whose id *name* is.

    Raise `ConfigurationError` for what Azure cannot have, saying which part is wrong. Blanks around a name do not count.
    """
    name, subscription, group = name.strip(), subscription.strip(), group.strip()
    if "/" in name:
        found = ResourceId.parse(name, WORKSPACES)
    else:
        if not subscription or not group:
            missing = "subscription" if not subscription else "resource group"
            raise ConfigurationError(
                f"of the workspace {printable(name, 60)!a} the {missing} is not known",
                hint="give --subscription and --resource-group, or its id",
            )
        found = ResourceId.of(subscription, group, WORKSPACES, _checked(name))
    _checked(found.name)
    return found


def _checked(name: str) -> str:
    if not re.fullmatch(_NAME, name):
        raise ConfigurationError(f"{printable(name, 60)!a} is no name that a workspace can have", hint=_GRAMMAR)
    return name


def configured_id(table: str, settings: WorkspaceSettings) -> ResourceId:
    """The id of the workspace that *settings*, of the *table* in the configuration, mean; raise `ConfigurationError`."""
    try:
        if settings.folder:
            from registryauth.azure.azureml_folder import workspace_of_folder

            return workspace_of_folder(settings.folder)
        return workspace_id(settings.id or settings.name, settings.subscription, settings.resource_group)
    except ConfigurationError as error:
        where = f'[workspaces."{printable(table, 60)}"]'
        raise ConfigurationError(f"{where}: {error.message}", file=error.file, key=error.key, hint=error.hint) from None


def read_workspace(rest: Rest, id_: ResourceId) -> Workspace:
    """What resource management says of the workspace; raise `AzureError`, `TransportError`."""
    try:
        return _workspace(rest.get(id_.path, API_VERSION), id_)
    except AzureError as error:
        raise _explained(error, id_) from error


def find_workspace(rest: Rest, subscription: str, name: str) -> ResourceId:
    """The id of the one workspace of *subscription* that is called *name*; raise `AzureError` (404) for none, and for several."""
    wanted = _checked(name.strip()).lower()
    # An id of the right shape, so that a slip in the subscription is told from a workspace that is not there.
    subscription = ResourceId.of(subscription.strip(), "any", WORKSPACES, "any").subscription
    path = f"/subscriptions/{subscription}/providers/{WORKSPACES}"
    listed = [ResourceId.parse(each.field("id").text(), WORKSPACES) for each in rest.pages(path, API_VERSION)]
    found = [each for each in listed if each.name.lower() == wanted]
    if len(found) == 1:
        return found[0]
    if found:
        groups = ", ".join(each.group for each in found)
        raise AzureError(f"{len(found)} workspaces are called {printable(name, 60)}", hint=f"give --resource-group: {groups}")
    raise AzureError(
        f"subscription {subscription} has no workspace {printable(name, 60)} that you may see",
        status=404,
        hint=_near(name, [each.name for each in listed]) or "az ml workspace list; or it is in another subscription or tenant",
    )


def bound_registry(workspace: Workspace) -> ResourceId:
    """The id of its registry; raise `WorkspaceHasNoRegistry` where there is none yet."""
    if workspace.registry is None:
        raise no_registry(workspace.id)
    return workspace.registry


def no_registry(id_: ResourceId) -> WorkspaceHasNoRegistry:
    """The error of a workspace that has no registry yet."""
    return WorkspaceHasNoRegistry(
        f"the workspace {id_.name} has no container registry yet",
        status=404,
        hint="Azure makes one when a model is first trained or deployed there; or bind one that you have:"
        f" az ml workspace update --name {id_.name} --resource-group {id_.group}"
        " --container-registry REGISTRY_ID --update-dependent-resources",
    )


def admin_user(rest: Rest, id_: ResourceId) -> AdminUser | None:
    """The admin user of the workspace's registry, as the workspace remembers it; None where it has none.

    What else the answer holds, keys of storage and telemetry, is not read. Raise `AzureError`, `TransportError`.
    """
    try:
        answer = rest.call("POST", f"{id_.path}/listKeys", API_VERSION).document
    except AzureError as error:
        raise _explained(error, id_, " of its keys: to list them takes workspaces/listKeys/action, which is no reader's") from error
    held = answer.field("containerRegistryCredentials")
    username = held.field("username").text()
    # An element may come without a value; two names are documented, and neither of them is relied on.
    passwords = tuple(filter(None, (each.field("value").text() for each in held.field("passwords").items())))
    return AdminUser(username, passwords) if username and passwords else None


def _workspace(document: Node, id_: ResourceId) -> Workspace:
    properties = document.field("properties")
    if not properties:
        # A page that is JSON and none of Azure's; that nothing is said of a registry would be taken for "none".
        raise AzureError(f"the answer for workspace {id_.name} has no properties", hint="is a proxy or portal in the way?")
    named = properties.field("containerRegistry").text().strip()
    try:
        registry = ResourceId.parse(named, REGISTRIES) if named else None
    except ConfigurationError as error:
        raise AzureError(f"the workspace {id_.name} names no registry that there can be: {error.message}", hint=error.hint) from None
    return Workspace(
        id_,
        registry,
        properties.field("workspaceId").text(),
        document.field("location").text(),
        properties.field("imageBuildCompute").text(),
        properties.field("enableDataIsolation").value is True,
    )


def _explained(error: AzureError, id_: ResourceId, of: str = "") -> AzureError:
    """*error* in terms of the workspace, where what Azure said leaves open which name is wrong."""
    what = f"workspace {id_.name} (resource group {id_.group}, subscription {id_.subscription})"
    match error.status, error.code:
        case 404, "SubscriptionNotFound":
            message, hint = (
                f"there is no subscription {id_.subscription} that you may see",
                "az account list; is it of another tenant or cloud?",
            )
        case 404, "ResourceGroupNotFound":
            message, hint = f"there is no resource group {id_.group} in subscription {id_.subscription}", "az group list --query '[].name'"
        case 404, _:
            message, hint = f"there is no {what}", "check the name; az ml workspace list --query '[].[name, resourceGroup]'"
        case 403, _:
            message = f"{what} refuses a look{of}" if of else f"you may not look at {what}"
            hint = "Reader on the workspace is enough for its registry's name; the owner of the workspace gives it"
            hint = "without --allow-admin-user (allow_admin_user) you sign in as yourself, and need AcrPull only" if of else hint
        case _:
            return error
    return AzureError(message, status=error.status, code=error.code, correlation_id=error.correlation_id, hint=hint)


def _near(name: str, names: list[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, names, 1)
    return f"did you mean {near[0]}?" if near else ""
