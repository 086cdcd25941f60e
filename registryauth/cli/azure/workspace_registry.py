"""``registryauth azure workspace-registry``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from registryauth.cli.app import single
from registryauth.cli.options import Misuse, Output, OutputOption

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.azure.access import Access, Way
    from registryauth.azure.bindings import Bindings
    from registryauth.azure.container_registries import ContainerRegistry
    from registryauth.azure.resource_id import ResourceId
    from registryauth.azure.workspaces import Workspace


def workspace_registry(
    workspace: Annotated[
        str, typer.Argument(metavar="[WORKSPACE]", help="A workspace by its name in the configuration, its own name, or its resource id.")
    ] = "",
    subscription: Annotated[str, typer.Option("--subscription", metavar="ID", help="Its subscription.")] = "",
    resource_group: Annotated[str, typer.Option("--resource-group", "-g", metavar="NAME", help="Its resource group.")] = "",
    folder: Annotated[
        str, typer.Option("--folder", metavar="DIR", help="An Azure ML folder, with config.json, that is the workspace's.")
    ] = "",
    cloud: Annotated[str, typer.Option("--cloud", metavar="NAME", help="Its cloud: AzureCloud, AzureChinaCloud, AzureUSGovernment.")] = "",
    tenant: Annotated[str, typer.Option("--tenant", metavar="ID", help="The tenant to sign in to.")] = "",
    login_server: Annotated[bool, typer.Option("--login-server", help="Print the registry's login server and nothing else.")] = False,
    registry_id: Annotated[bool, typer.Option("--id", help="Print the registry's resource id and nothing else.")] = False,
    refresh: Annotated[bool, typer.Option("--refresh", help="Ask Azure anew about every configured workspace.")] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show the registry of an Azure ML workspace.

    As Azure has it; without WORKSPACE, those of the configured ones.

    Exit status 3 if the workspace has none yet: it gets one when a model is first trained or deployed there.
    """
    from registryauth.azure.access import Access
    from registryauth.azure.bindings import Bindings
    from registryauth.cli import console
    from registryauth.cli.session import Session

    if login_server and registry_id:
        raise Misuse("--login-server and --id both print one thing: choose one")
    if folder and (workspace or subscription or resource_group):
        raise Misuse("--folder says which workspace it is: leave out WORKSPACE, --subscription and --resource-group")
    if refresh and (workspace or folder):
        raise Misuse("--refresh is for all configured workspaces; of a single one Azure is always asked")
    session = Session()
    access = Access(session.config, session.environ, tell=console.insist)
    bindings = Bindings.at_home(access)
    try:
        only = bindings.names[0] if len(bindings.names) == 1 and (login_server or registry_id) else ""
        if not (workspace or folder or only):
            _show_all(bindings, output, refresh=refresh, single=login_server or registry_id)
            return
        wanted = _Wanted(workspace or only, subscription, resource_group, folder, cloud, tenant)
        if registry_id:
            print(_bound(access, bindings, wanted)[1])
            return
        found, registry = _looked_up(access, bindings, wanted)
    finally:
        access.close()
    if login_server:
        print(registry.login_server)
        return
    console.show(output, _document(found, registry), ("WHAT", "VALUE"), _rows(found, registry))


class _Wanted:
    """What was typed."""

    def __init__(self, workspace: str, subscription: str, group: str, folder: str, cloud: str, tenant: str) -> None:
        from registryauth.cli.console import say

        if workspace.strip() != workspace:
            say(f"note: there are blanks around {workspace!a}; they were left out")
        self.workspace, self.subscription, self.group = workspace.strip(), subscription, group
        self.folder, self.cloud, self.tenant = folder, cloud, tenant

    def configured(self, bindings: Bindings) -> str:
        """The configured workspace that is meant, empty where it is another."""
        return self.workspace if self.workspace in bindings.names and not (self.subscription or self.group) else ""


def _looked_up(access: Access, bindings: Bindings, wanted: _Wanted) -> tuple[Workspace, ContainerRegistry]:
    """The workspace and its registry; what was read of a configured one is remembered."""
    from registryauth.azure.bindings import registry_of
    from registryauth.azure.container_registries import read_registry

    found, bound, way = _bound(access, bindings, wanted)
    registry = registry_of(found, lambda: read_registry(way.management, bound, way.cloud))
    if name := wanted.configured(bindings):
        bindings.put(name, found, registry)
    return found, registry


def _bound(access: Access, bindings: Bindings, wanted: _Wanted) -> tuple[Workspace, ResourceId, Way]:
    """The workspace, and the id of its registry by the workspace's own word: the registry is not asked, and may be closed to us."""
    from registryauth.azure.workspaces import bound_registry, configured_id, read_workspace
    from registryauth.errors import WorkspaceHasNoRegistry

    name = wanted.configured(bindings)
    settings = access.config.workspaces[name] if name else None
    way = access.way(wanted.cloud or (settings.cloud if settings else ""), wanted.tenant or (settings.tenant if settings else ""))
    found = read_workspace(way.management, configured_id(name, settings) if settings else _id(way, wanted))
    try:
        return found, bound_registry(found), way
    except WorkspaceHasNoRegistry:
        if name:
            bindings.put(name, found, None)
        raise


def _id(way: Way, wanted: _Wanted) -> Any:  # noqa: ANN401 - ResourceId, not imported here
    from registryauth.azure.azureml_folder import workspace_of_folder
    from registryauth.azure.workspaces import find_workspace, workspace_id

    if wanted.folder:
        return workspace_of_folder(wanted.folder)
    subscription = wanted.subscription or way.subscription
    if subscription and not wanted.group and "/" not in wanted.workspace:
        return find_workspace(way.management, subscription, wanted.workspace)
    return workspace_id(wanted.workspace, subscription, wanted.group)


def _show_all(bindings: Bindings, output: Output, *, refresh: bool, single: bool) -> None:
    from registryauth.cli import console

    if not bindings.names or single:
        which = f"{len(bindings.names)} are configured" if bindings.names else "none is configured"
        raise Misuse(f"which workspace? {which}: give its name, its id, or --folder")
    held = [bindings.get(name, refresh=refresh) for name in bindings.names]
    rows = [(each.workspace, each.host or "(none yet)", console.moment(each.looked_up_at), each.stale) for each in held]
    data = {
        "version": 1,
        "workspaces": [
            {
                "name": each.workspace,
                "id": each.workspace_id,
                "registry_id": each.registry_id or None,
                "login_server": each.host or None,
                "looked_up_at": console.moment(each.looked_up_at),
                "stale": each.stale or None,
            }
            for each in held
        ],
    }
    # What could not be asked anew is rare.
    width = 4 if any(each.stale for each in held) else 3
    console.show(output, data, ("WORKSPACE", "LOGIN SERVER", "LOOKED UP", "WHY NOT SINCE")[:width], [row[:width] for row in rows])


def _rows(workspace: Workspace, registry: ContainerRegistry) -> list[tuple[str, str]]:
    return [
        ("workspace", str(workspace.id)),
        ("registry", str(registry.id)),
        ("login server", str(registry.login_server)),
        ("admin user", "on: its password may push and delete" if registry.admin_enabled else "off"),
        ("anonymous pull", "on: anybody may pull every image" if registry.anonymous_pull else "off"),
        ("roles", registry.roles),
        ("network", registry.network),
        *([("Entra tokens", "for registries only, none for resource management")] if not registry.arm_audience else []),
        *([("image builds", f"on the compute {workspace.build_compute}")] if workspace.build_compute else []),
        *([("image names", f"begin with the workspace's own id, {workspace.guid}")] if workspace.isolated else []),
        *([("state", registry.state)] if registry.state not in ("", "Succeeded") else []),
    ]


def _document(workspace: Workspace, registry: ContainerRegistry) -> dict[str, Any]:
    return {
        "version": 1,
        "workspace": {
            "id": str(workspace.id),
            "name": workspace.id.name,
            "resource_group": workspace.id.group,
            "subscription": workspace.id.subscription,
            "workspace_id": workspace.guid or None,
            "location": workspace.location or None,
            "image_build_compute": workspace.build_compute or None,
            "data_isolation": workspace.isolated,
        },
        "registry": {
            "id": str(registry.id),
            "name": registry.id.name,
            "resource_group": registry.id.group,
            "subscription": registry.id.subscription,
            "login_server": str(registry.login_server),
            "sku": registry.sku or None,
            "location": registry.location or None,
            "state": registry.state or None,
            "admin_user_enabled": registry.admin_enabled,
            "anonymous_pull_enabled": registry.anonymous_pull,
            "role_mode": registry.mode,
            "roles": registry.roles,
            "arm_audience_accepted": registry.arm_audience,
            "network": registry.network,
            "data_endpoints": list(registry.data_hosts),
        },
    }


app = single(workspace_registry)
