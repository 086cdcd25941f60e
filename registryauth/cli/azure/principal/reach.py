"""What the verbs on service principals share: who signs in, where, and what a dry run shows of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from registryauth._value import Value
from registryauth.azure.access import Access, Way
from registryauth.azure.graph import Graph
from registryauth.azure.registry_names import RegistryNames
from registryauth.azure.registry_places import Place, find_places
from registryauth.azure.rehearsal import NEW_GUID, Planned, Rehearsal
from registryauth.azure.role_assignments import RoleAssignments
from registryauth.azure.wire import Wire, open_wire
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

    cloud: Annotated[str, typer.Option("--cloud", help="AzureCloud, AzureChinaCloud, AzureUSGovernment, or a cloud's management URL.")] = ""
    tenant: Annotated[str, typer.Option("--tenant", help="The tenant to sign in to, by its id or a domain of it.")] = ""
    subscription: Annotated[str, typer.Option("--subscription", help="Where a registry's name is looked up, and only there.")] = ""
    ca_file: CaFile = ""


class Azure(Value, hidden=("rehearsal",)):
    """One sign-in, and what is asked with it; *rehearsal* holds what a dry run did not send."""

    session: Session
    way: Way
    graph: Graph
    roles: RoleAssignments
    names: RegistryNames
    rehearsal: Rehearsal | None

    @property
    def planned(self) -> Sequence[Planned]:
        """What would have been sent."""
        return self.rehearsal.planned if self.rehearsal else ()

    def places(self, registries: Sequence[str]) -> tuple[Place, ...]:
        """The places that were named on the command line."""
        return find_places(self.way, self.names, registries, self.session.spelled)


@contextmanager
def reached(session: Session, reach: Reach, *, dry_run: bool, cloud: str = "", tenant: str = "") -> Iterator[Azure]:
    """The way into Azure; *cloud* and *tenant* are what is known of them where no flag says it."""
    rehearsals: list[Rehearsal] = []
    ways: list[Way] = []

    def open_() -> Wire:
        wire = open_wire(session.environ, session.ca_files())
        if not dry_run:
            return wire
        rehearsals.append(Rehearsal(wire.far, lambda: tuple(origin for way in ways for origin in (way.cloud.management, way.cloud.graph))))
        return Wire(rehearsals[0], wire.near)

    access = Access(session.config, session.environ, tell=console.insist, open_=open_)
    try:
        way = access.way(reach.cloud or cloud, reach.tenant or tenant)
        ways.append(way)
        yield Azure(
            session, way, Graph(way.graph), _roles(way, dry_run=dry_run), _names(session, way, reach), rehearsals[0] if dry_run else None
        )
    finally:
        access.close()


def _roles(way: Way, *, dry_run: bool) -> RoleAssignments:
    return RoleAssignments(way.management, new_name=lambda: NEW_GUID) if dry_run else RoleAssignments(way.management)


def _names(session: Session, way: Way, reach: Reach) -> RegistryNames:
    said = reach.subscription or session.config.azure_subscription or session.environ.get("AZURE_SUBSCRIPTION_ID", "")

    def own() -> str:
        # The CLI tells its own with its token.
        way.tokens.get(way.cloud.management_scope)
        return way.source.subscription

    return RegistryNames(way.management, said, own, only=bool(reach.subscription))


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
