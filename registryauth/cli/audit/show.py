"""``registryauth audit show``."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from registryauth.audit.event import EVENTS, moment
from registryauth.cli.app import single
from registryauth.cli.options import Misuse, Output, OutputOption


def show(
    since: Annotated[str, typer.Option("--since", metavar="TIME", help="Only later ones: 7d, 12h, or 2027-05-01.")] = "",
    registry: Annotated[str, typer.Option("--registry", metavar="REGISTRY[/PATH]", help="Only of this registry or path.")] = "",
    account: Annotated[str, typer.Option("--account", metavar="ACCOUNT", help="Only of this account.")] = "",
    event: Annotated[str, typer.Option("--event", metavar="EVENT", help=f"Only of one kind: {', '.join(EVENTS)}.")] = "",
    last: Annotated[int, typer.Option("--last", metavar="N", min=1, max=100_000, help="At most so many, the latest.")] = 1000,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show who read or changed which credential, the latest last. What is shown is not checked: that is what verify does."""
    from registryauth.audit.recent import Wanted, recent
    from registryauth.cli.console import say
    from registryauth.cli.console import show as print_out
    from registryauth.cli.session import Session

    if event and event not in EVENTS:
        raise Misuse(f"--event is one of {', '.join(EVENTS)}")
    session = Session()
    file = session.config.audit_file
    address = str(session.address(registry, wildcard=True)) if registry else ""
    wanted = Wanted(moment(_from(since, time.time())) if since else "", address, account, event)
    events, complete = recent(file, wanted, last)
    if not complete:
        say(f"Earlier ones are in {file}, too; --since, --registry, --account and --event narrow, --last widens.")
    rows = [
        (
            each["time"][:19] + "Z",
            each["event"] if each["result"] == "ok" else f"{each['event']} {each['result']}",
            each["address"] or (f"{each['count']} record{'s' if each['count'] > 1 else ''}" if each["count"] else ""),
            each["account"],
            each["purpose"],
            f"{each['user'] or each['uid']}",
            each["program"],
        )
        for each in events
    ]
    data = {"version": 1, "file": file, "complete": complete, "events": events}
    print_out(output, data, ("TIME", "EVENT", "REGISTRY", "ACCOUNT", "PURPOSE", "USER", "PROGRAM"), rows)


def _from(text: str, now: float) -> float:
    import re

    from registryauth.config.values import span
    from registryauth.principals.dates import parse_moment

    return now - span(text) if re.fullmatch("[0-9]+[a-z]", text) else parse_moment(text, now, past=True)


app = single(show)
