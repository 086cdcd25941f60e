"""``registryauth azure principal revoke``."""

from __future__ import annotations

from typing import Annotated

import typer

from registryauth.cli.app import single
from registryauth.cli.azure.principal.reach import AppId, DryRun, Reach, Registries, Roles
from registryauth.cli.options import Misuse, Output, OutputOption

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.azure.registry_places import Place
    from registryauth.azure.service_principals import Remaining
    from registryauth.cli.azure.principal.reach import Azure


def revoke(
    app_id: AppId,
    registry: Registries,
    reach: Reach,
    role: Roles = None,
    everything: Annotated[bool, typer.Option("--all", help="Every role of a registry's that it has there.")] = False,
    dry_run: DryRun = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Take a role at a registry from a service principal. One that it does not have is fine.

    Only roles for registries are taken, and only at that very registry. What still lets it in is named: roles that it inherits from
    the resource group or subscription, or has through a group.
    """
    from registryauth.azure.registry_roles import WORDS, role_for
    from registryauth.azure.service_principals import gifts_held, principal_of, take
    from registryauth.cli.azure.principal.reach import place_document, reached, show_planned
    from registryauth.cli.console import say, show
    from registryauth.cli.session import Session

    if bool(role) == everything:
        raise Misuse("say which: --role pull, push or delete, or --all")
    for word in role or ():
        role_for(word, "classic")
    with reached(Session(ca_file=reach.ca_file), reach, dry_run=dry_run) as azure:
        places = azure.places(registry)
        principal = principal_of(azure.graph, app_id)
        words = role or []
        done = []
        for place in places:
            gifts = list(gifts_held(azure.roles, place, words or WORDS, principal.object_id))
            for gift in gifts:
                done.append(take(azure.roles, gift, principal.object_id))
                if not dry_run:
                    say(_SAID[done[-1].state].format(app=principal.app_id, gift=gift))
            if not gifts and not dry_run:
                what = "such role" if words else "role for registries"
                say(f"{principal.app_id} has no {what} at {place.registry.login_server}; nothing was changed.")
        left = {} if dry_run else {place: _still(azure, place, principal.object_id) for place in places}
    if dry_run:
        show_planned(azure.planned, output)
        return
    for place, several in left.items():
        for each in several:
            say(f"warning: it still gets into {place.registry.login_server}: {_why(place, each)}")
    if output is not Output.TABLE:
        revocations = [place_document(each.place) | {"role": each.role, "state": each.state} for each in done]
        still = [
            place_document(place.replace(repositories=one.repositories))
            | {"role": one.role, "scope": one.scope, "group": one.through or None, "condition": one.condition or None}
            for place, several in left.items()
            for one in several
        ]
        show(output, {"version": 1, "app_id": principal.app_id, "revocations": revocations, "remaining": still}, (), ())


def _still(azure: Azure, place: Place, principal_id: str) -> list[Remaining]:
    from registryauth.azure.service_principals import remaining

    return [role for role in remaining(azure.roles, place.registry, principal_id) if role.concerns(place)]


def _why(place: Place, role: Remaining) -> str:
    from registryauth._redact import printable

    here = role.scope.strip("/").lower() == str(place.registry.id).strip("/").lower()
    at = "there" if here else f"inherited from {printable(role.scope)}"
    through = f" through the group {printable(role.through, 60)}" if role.through else ""
    where = f", for {', '.join(role.repositories)} alone" if role.repositories else ", under a condition"
    condition = where if role.condition else ""
    return f"{printable(role.role, 80)}, {at}{through}{condition}"


_SAID = {
    "revoked": "Took from {app} the role {gift}.",
    "narrowed": "Took from {app} the role {gift}; it stays for other repositories.",
    "absent": "{app} does not have the role {gift}; nothing was changed.",
}

app = single(revoke)
