"""``registryauth azure principal revoke``."""

from __future__ import annotations

from typing import Annotated

import typer

from registryauth.cli.app import single
from registryauth.cli.azure.principal.reach import AppId, DryRun, Reach, Registries, Roles
from registryauth.cli.options import Misuse, Output, OutputOption

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from registryauth.azure.registry_places import Place
    from registryauth.azure.service_principals import Gift, Remaining
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
    """Take a role at a registry from a service principal; one that it does not have is fine.

    Only roles for registries are taken, and only at that very registry. What still lets it in is named: roles that it inherits from
    the resource group or subscription, or has through a group.
    """
    from registryauth.azure.registry_roles import WORDS, role_for
    from registryauth.azure.service_principals import principal_of, remaining, take
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
            gifts = list(_gifts(azure, place, words or list(WORDS), principal.object_id))
            for gift in gifts:
                done.append(take(azure.roles, gift, principal.object_id))
                if not dry_run:
                    say(_SAID[done[-1].state].format(app=principal.app_id, gift=gift))
            if not gifts and not dry_run:
                what = "such role" if words else "role for registries"
                say(f"{principal.app_id} has no {what} at {place.registry.login_server}; nothing was changed.")
        left = {} if dry_run else {place: remaining(azure.roles, place.registry, principal.object_id) for place in places}
    if dry_run:
        show_planned(azure.planned, output)
        return
    narrowed = {(each.place, each.role) for each in done if each.state == "narrowed"}
    for place, several in left.items():
        for each in several:
            if _is_here(place, each) and (place, each.role) in narrowed:
                continue
            say(f"warning: it still gets into {place.registry.login_server}: {_why(place, each)}")
    if output is not Output.TABLE:
        revocations = [place_document(each.place) | {"role": each.role, "state": each.state} for each in done]
        still = [
            place_document(place.replace(repositories=())) | {"role": one.role, "scope": one.scope, "group": one.through or None}
            for place, several in left.items()
            for one in several
        ]
        show(output, {"version": 1, "app_id": principal.app_id, "revocations": revocations, "remaining": still}, (), ())


def _gifts(azure: Azure, place: Place, words: list[str], principal_id: str) -> Iterator[Gift]:
    """Its own roles at that very registry that *words* mean, of either mode: one from before the mode was changed is still there."""
    from registryauth.azure.registry_roles import ROLES
    from registryauth.azure.service_principals import Gift

    known = ((word, role) for roles in ROLES.values() for word, role in roles.items())
    # One without conditions is for the whole registry, and in a registry with repositories of no effect.
    meant = {role.name: role for word, role in known if word in words and (role.data_actions or not place.repositories)}
    for each in azure.roles.of(place.registry.id, principal_id):
        if each.principal_id == principal_id.lower() and each.is_at(place.registry.id):
            definition = azure.roles.definition_of(each)
            if definition.name in meant:
                yield Gift(place, meant[definition.name], definition)


def _why(place: Place, role: Remaining) -> str:
    from registryauth._redact import printable

    at = "there" if _is_here(place, role) else f"inherited from {printable(role.scope)}"
    through = f" through the group {printable(role.through, 60)}" if role.through else ""
    condition = ", under a condition" if role.condition else ""
    return f"{printable(role.role, 80)}, {at}{through}{condition}"


def _is_here(place: Place, role: Remaining) -> bool:
    return role.scope.strip("/").lower() == str(place.registry.id).strip("/").lower()


_SAID = {
    "revoked": "Took from {app} the role {gift}.",
    "narrowed": "Took from {app} the role {gift}; it stays for other repositories.",
    "absent": "{app} does not have the role {gift}; nothing was changed.",
}

app = single(revoke)
