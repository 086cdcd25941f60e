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
    keep_at_issuer: Annotated[
        bool, typer.Option("--keep-at-issuer", help="Remove them here alone: Entra is not asked, and goes on to take them.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be removed, and remove nothing.")] = False,
) -> None:
    """Remove replaced secrets whose time has come. Made for cron, and harmless to repeat.

    A service principal's secret whose key at Entra is known is removed there first, and nothing else of its application.

    Exit status 7 if one stays because consumers were given it and have not been given the new one, because another record
    has it in use, or because Entra could not be asked; if that is the only one, the status of what went wrong.
    """
    import time

    from registryauth.cli.console import say
    from registryauth.cli.principal.entra import entra_issuer
    from registryauth.cli.session import Session
    from registryauth.principals import prune as pruned

    if bool(registry) == everything:
        raise Misuse("name a registry, or say --all")
    if everything and account:
        raise Misuse("--all is about every account: leave --account out")
    session = Session()
    told: list[Retirement] = []
    with session.store() as store, entra_issuer(session) as issuer:
        records = store.list() if everything else _at(store, session.address(registry, wildcard=True), account)
        asked = None if keep_at_issuer else issuer
        for verdict in pruned(store, records, time.time(), force=force, dry_run=dry_run, issuer=asked):
            _tell(verdict, dry_run=dry_run)
            told.append(verdict)
    due = [verdict for verdict in told if verdict.state != "kept"]
    if not due:
        say("Nothing is due.")
    if any(verdict.state != "removed" for verdict in due):
        raise typer.Exit(due[0].error.exit_code if len(due) == 1 and due[0].error else 7)


def _at(store: Store, address: Address, account: str) -> list[Principal]:
    from registryauth.principals import find

    there = [] if account else list(store.at(address))
    return there or [find(store, address, account)]


def _tell(verdict: Retirement, *, dry_run: bool) -> None:
    from registryauth._redact import printable
    from registryauth.cli.console import moment, say

    what = f"secret {verdict.serial} of {printable(str(verdict.principal.key))}"
    if verdict.state == "kept":
        until = f"until {moment(verdict.remove_after)}" if verdict.remove_after else "for nobody said until when"
        say(f"Kept {what}, {until}.")
        return
    key = f"key {printable(verdict.key_id, 60)}"
    match verdict.state:
        case "removed":
            say(f"{'Would remove' if dry_run else 'Removed'} {what}{_at_issuer(verdict, key)}.")
        case "shared":
            others = ", ".join(printable(str(other), 200) for other in verdict.others)
            say(f"Kept {what}: it is due, but the same secret is in use as {others}, so its {key} has to stay at Entra.")
            say(f"Rotate that, too: registryauth principal rotate {verdict.others[0].address} --source entra; or --keep-at-issuer.")
        case "stuck":
            assert verdict.error is not None  # noqa: S101 - that is what it is stuck for
            say(f"Kept {what}: it is due, but its {key} could not be removed at Entra: {verdict.error.message}")
            hint = f"{verdict.error.hint}; " if verdict.error.hint else ""
            say(f"hint: {hint}--keep-at-issuer removes it here alone")
        case "held":
            _tell_consumers(verdict, what)


def _at_issuer(verdict: Retirement, key: str) -> str:
    """What becomes of the secret at Entra, behind what becomes of it here."""
    from registryauth._redact import printable

    if not verdict.key_id:
        return ""
    application = f"of the application {printable(verdict.principal.account, 60)}"
    return {
        "removed": f", and its {key} at Entra",
        "gone": f"; its {key} was gone at Entra already",
        "due": f", and its {key} {application} at Entra",
    }.get(verdict.at_issuer, f"; its {key} stays at its issuer")


def _tell_consumers(verdict: Retirement, what: str) -> None:
    from registryauth._redact import printable
    from registryauth.cli.console import say
    from registryauth.cli.principal.document import consumer_line

    say(f"Kept {what}: it is due, but these still have it:")
    for consumer in verdict.consumers:
        say(f"  {printable(consumer_line(verdict.principal, consumer), 700)}")
    where = verdict.principal.address
    say(f"Give them the new one, or strike out what is gone: registryauth principal consumers {where} --forget TARGET; or --force.")


app = single(prune)
