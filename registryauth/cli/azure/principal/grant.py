"""``registryauth azure principal grant``."""

from __future__ import annotations

from registryauth.cli.app import single
from registryauth.cli.azure.principal.reach import AppId, DryRun, Reach, Registries, Roles
from registryauth.cli.options import Output, OutputOption


def grant(
    app_id: AppId, registry: Registries, reach: Reach, role: Roles = None, dry_run: DryRun = False, output: OutputOption = Output.TABLE
) -> None:
    """Give a service principal a role at a registry. To pull, unless said; harmless to repeat.

    The role is the one that counts in the registry's mode; a repository of a registry in ABAC mode becomes the role's condition.
    """
    from functools import partial

    from registryauth.azure.patience import Patience, is_unheard_of
    from registryauth.azure.service_principals import give, plan, principal_of
    from registryauth.cli.azure.principal.reach import place_document, reached, show_planned
    from registryauth.cli.console import say, show
    from registryauth.cli.session import Session

    with reached(Session(ca_file=reach.ca_file), reach, dry_run=dry_run) as azure:
        places = azure.places(registry)
        principal = principal_of(azure.graph, app_id)
        # One that was made a moment ago may be unknown.
        done, patience = [], Patience(60.0)
        for gift in plan(azure.roles, places, role or ["pull"]):
            done.append(
                patience.until("resource management hears of it", partial(give, azure.roles, gift, principal.object_id), is_unheard_of)
            )
            if not dry_run:
                say(_SAID[done[-1].state].format(gift=gift, app=principal.app_id))
    if dry_run:
        show_planned(azure.planned, output)
    elif output is not Output.TABLE:
        grants = [place_document(each.gift.place) | {"role": each.gift.role.name, "state": each.state} for each in done]
        show(output, {"version": 1, "app_id": principal.app_id, "object_id": principal.object_id, "grants": grants}, (), ())
    elif any(each.state in ("given", "widened") for each in done):
        say("A registry hears of a role within ten minutes.")


_SAID = {
    "given": "Gave {app} the role {gift}.",
    "widened": "Gave {app} the role {gift}, beside what its condition allowed already.",
    "already": "{app} has the role {gift} already; nothing was changed.",
    "wider": "{app} has the role {gift.role.name} at the whole of {gift.place.registry.login_server} already; nothing was changed.",
}

app = single(grant)
