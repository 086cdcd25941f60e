"""Which registry a verb of image builds is about, and the way to its builds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from registryauth.cli.groups import Group
from registryauth.cli.options import CaFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.azure.access import Way
    from registryauth.azure.builds import Builds
    from registryauth.azure.container_registries import ContainerRegistry
    from registryauth.cli.session import Session

RegistryOption = Annotated[
    str, typer.Option("--registry", "-r", metavar="NAME", help="The registry: its name, login server or resource id.", show_default=False)
]


class Where(Group):
    """How a registry is found in resource management, and as whom."""

    subscription: Annotated[str, typer.Option("--subscription", metavar="ID", help="Where the name is looked up, and only there.")] = ""
    tenant: Annotated[str, typer.Option("--tenant", metavar="ID", help="The tenant to sign in to.")] = ""
    cloud: Annotated[str, typer.Option("--cloud", metavar="NAME", help="AzureCloud, AzureChinaCloud, AzureUSGovernment.")] = ""
    ca_file: CaFile = ""


@contextmanager
def builds_of(session: Session, name: str, where: Where) -> Iterator[Builds]:
    """The builds of the registry *name*."""
    from registryauth.azure.access import Access
    from registryauth.azure.builds import Builds
    from registryauth.azure.wire import open_wire
    from registryauth.cli.console import insist

    access = Access(session.config, session.environ, tell=insist, open_=lambda: open_wire(session.environ, session.ca_files()))
    try:
        way = access.way(where.cloud, where.tenant)
        yield Builds(way.management, way.far, _found(way, name.strip(), where), clock=time.time, sleep=time.sleep)
    finally:
        access.close()


def _found(way: Way, name: str, where: Where) -> ContainerRegistry:
    from registryauth._redact import printable
    from registryauth.azure.container_registries import read_registry
    from registryauth.azure.registry_names import RegistryNames
    from registryauth.azure.resource_id import ResourceId
    from registryauth.azure.workspaces import REGISTRIES
    from registryauth.errors import AzureError

    if name.startswith("/"):
        return read_registry(way.management, ResourceId.parse(name, REGISTRIES), way.cloud)

    # Of a login server the first part is the name, but for the hash of a domain name label.
    short = name.partition(".")[0].partition("-")[0] if "." in name else name
    id_ = RegistryNames.of(way, where.subscription).find(short)
    found = id_ and read_registry(way.management, id_, way.cloud)
    if not found or ("." in name and found.login_server.host != name.lower()):
        where_not = "that subscription" if where.subscription else "any subscription that you may see"
        raise AzureError(
            f"there is no registry {printable(name, 100)} in {where_not}",
            status=404,
            hint="az acr list --query [].name; to build, Reader and Container Registry Tasks Contributor are needed on it",
        )
    return found
