"""What the verbs on service principals share: who signs in, where, and what a dry run shows of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Annotated, Any

import typer

from registryauth._value import Value
from registryauth.azure.access import Access, Way
from registryauth.azure.graph import Graph
from registryauth.azure.registry_names import RegistryNames
from registryauth.azure.registry_places import Place, find_places
from registryauth.azure.rehearsal import NEW_GUID, Planned
from registryauth.azure.role_assignments import RoleAssignments
from registryauth.azure.wire import open_wire
from registryauth.cli import console
from registryauth.cli.groups import Group
from registryauth.cli.options import CaFile, Output
from registryauth.cli.session import Session

Registries = Annotated[
    list[str],
    typer.Option(
        "--registry",
        metavar="NAME[/REPOSITORY]",
        help="A registry by its name, login server or resource id; in ABAC mode a repository of it, or PREFIX/*. May be repeated.",
    ),
]
Roles = Annotated[list[str] | None, typer.Option("--role", metavar="ROLE", help="pull, push or delete. May be repeated.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show each request that would change anything, and send none.")]
AppId = Annotated[str, typer.Argument(metavar="APP_ID", help="The client id of its application.")]


class Reach(Group):
    """Who signs in, and where registries are looked up."""

    cloud: Annotated[
        str, typer.Option("--cloud", metavar="NAME", help="AzureCloud, AzureChinaCloud, AzureUSGovernment, or a cloud's management URL.")
    ] = ""
    tenant: Annotated[str, typer.Option("--tenant", metavar="ID", help="The tenant to sign in to, by its id or a domain of it.")] = ""
    subscription: Annotated[
        str, typer.Option("--subscription", metavar="ID", help="Where a registry's name is looked up, and only there.")
    ] = ""
    ca_file: CaFile = ""


class Azure(Value, hidden=("planned",)):
    """One sign-in, and what is asked with it; *planned* is what a dry run did not send."""

    session: Session
    way: Way
    graph: Graph
    roles: RoleAssignments
    names: RegistryNames
    planned: Sequence[Planned]

    def places(self, registries: Sequence[str]) -> tuple[Place, ...]:
        """The places that were named on the command line."""
        return find_places(self.way, self.names, registries, self.session.spelled)


@contextmanager
def reached(session: Session, reach: Reach, *, dry_run: bool, cloud: str = "", tenant: str = "") -> Iterator[Azure]:
    """The way into Azure; *cloud* and *tenant* are what is known of them where no flag says it."""
    open_ = partial(open_wire, session.environ, session.ca_files())
    access = Access(session.config, session.environ, tell=console.insist, open_=open_, dry_run=dry_run)
    try:
        way = access.way(reach.cloud or cloud, reach.tenant or tenant)
        names = RegistryNames.of(way, reach.subscription)
        yield Azure(session, way, Graph(way.graph), _roles(way, dry_run=dry_run), names, access.planned)
    finally:
        access.close()


def _roles(way: Way, *, dry_run: bool) -> RoleAssignments:
    return RoleAssignments(way.management, new_name=lambda: NEW_GUID) if dry_run else RoleAssignments(way.management)


def show_planned(planned: Sequence[Planned], output: Output) -> None:
    """Print what would have been sent."""
    if output is not Output.TABLE:
        requests = [{"method": each.method, "url": each.url, "body": each.body} for each in planned]
        console.show(output, {"version": 1, "dry_run": True, "requests": requests}, (), ())
        return
    for each in planned:
        print(f"{each.method} {each.url}")
        if each.body is not None:
            print(json.dumps(each.body, indent=2))
    console.say("Nothing was changed: this is what would be sent." if planned else "Nothing would be changed.")


def place_document(place: Place) -> dict[str, Any]:
    """*place* for programs."""
    return {"registry": str(place.registry.login_server), "registry_id": str(place.registry.id), "repositories": list(place.repositories)}
