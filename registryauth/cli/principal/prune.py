"""``registryauth principal prune``."""

from __future__ import annotations

from typing import Annotated

import typer

from registryauth.cli.app import single
from registryauth.cli.options import Account, Misuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.principals import Retirement
    from registryauth.reference import Address
    from registryauth.stores import Principal, Store


def prune(
    registry: Annotated[str, typer.Argument(metavar="[REGISTRY[/PATH]]", help="Whose replaced secrets: myregistry.azurecr.io/team")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Those of every principal.")] = False,
    account: Account = "",
    force: Annotated[bool, typer.Option("--force", help="Remove a secret that is due though consumers still have it.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be removed, and remove nothing.")] = False,
) -> None:
    """Remove replaced secrets whose time has come; made for cron, and harmless to repeat.

    Exit status 7 if one stays because consumers were given it and have not been given the new one.
    """
    import time

    from registryauth.cli.console import say
    from registryauth.cli.session import Session
    from registryauth.principals import prune as pruned

    if bool(registry) == everything:
        raise Misuse("name a registry, or say --all")
    if everything and account:
        raise Misuse("--all is about every account: leave --account out")
    session = Session()
    with session.store() as store:
        records = store.list() if everything else _at(store, session.address(registry, wildcard=True), account)
        told = []
        for verdict in pruned(store, records, time.time(), force=force, dry_run=dry_run):
            _tell(verdict, dry_run=dry_run)
            told.append(verdict.state)
    if "removed" not in told and "held" not in told:
        say("Nothing is due.")
    if "held" in told:
        raise typer.Exit(7)


def _at(store: Store, address: Address, account: str) -> list[Principal]:
    from registryauth.principals import find

    there = [] if account else list(store.at(address))
    return there or [find(store, address, account)]


def _tell(verdict: Retirement, *, dry_run: bool) -> None:
    from registryauth._redact import printable
    from registryauth.cli.console import moment, say
    from registryauth.cli.principal.document import consumer_line

    what = f"secret {verdict.serial} of {printable(str(verdict.principal.key))}"
    if verdict.state == "kept":
        until = f"until {moment(verdict.remove_after)}" if verdict.remove_after else "for nobody said until when"
        say(f"Kept {what}, {until}.")
        return
    if verdict.state == "removed":
        say(f"Would remove {what}." if dry_run else f"Removed {what}.")
        return
    say(f"Kept {what}: it is due, but these still have it:")
    for consumer in verdict.consumers:
        say(f"  {printable(consumer_line(verdict.principal, consumer), 700)}")
    where = verdict.principal.address
    say(f"Give them the new one, or strike out what is gone: registryauth principal consumers {where} --forget TARGET; or --force.")


app = single(prune)
