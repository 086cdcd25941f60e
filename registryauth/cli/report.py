"""``registryauth report``."""

from __future__ import annotations

from typing import Annotated

import typer

from registryauth.cli.app import single
from registryauth.cli.options import CaFile, Misuse, Output, OutputOption

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from registryauth.cli.session import Session
    from registryauth.principals import Finding
    from registryauth.stores.audited import AuditedStore
    from registryauth.stores.principal import Key

#: Commands that are repeated below a table; more of them than these nobody reads there.
_NEXT = 5


def report(
    html: Annotated[
        str, typer.Option("--html", metavar="FILE", help="Write one self-contained page to FILE, mode 0600; - is stdout.")
    ] = "",
    expires_within: Annotated[str, typer.Option("--expires-within", metavar="SPAN", help="What counts as soon: 30d, 12h or 2w.")] = "30d",
    verify: Annotated[bool, typer.Option("--verify", help="Ask every registry first, as 'principal verify --all' does.")] = False,
    output: OutputOption = Output.TABLE,
    ca_file: CaFile = "",
) -> None:
    """Report on all principals, what needs attention first. Their rights, their dates, who holds their secrets.

    Without --verify no registry is asked: rights are as they were last seen. With --html no table is printed; --output json
    then prints the data that the page is made of.
    """
    import time

    from registryauth.cli.session import Session
    from registryauth.config.values import span
    from registryauth.report import document
    from registryauth.stores.last_used import LastUsed

    if html == "-" and output is not Output.TABLE:
        raise Misuse("--html - and --output both want standard output: give the page a file")
    if not (within := span(expires_within)):
        raise Misuse("--expires-within is longer than nothing: 30d, 12h or 2w")
    session = Session(ca_file=ca_file)
    with session.store() as store:
        asked = _ask(session, store) if verify else None
        records = store.list()
    data = document(records, LastUsed.at_home(session.environ).when, time.time(), within, asked)
    if html:
        _write(data, html)
    if not html or output is not Output.TABLE:
        _show(data, output)


def _ask(session: Session, store: AuditedStore) -> Mapping[Key, Sequence[Finding]]:
    """What every registry says now; it is kept in the records, too."""
    from registryauth.cli.principal.findings import Ledger
    from registryauth.principals import survey
    from registryauth.principals.diagnosed import diagnosed, entra_says

    ledger, ask = Ledger(session.config, store), entra_says(session.config, session.environ)
    records = [record for record in store.list() if not record.disabled_at]
    found: dict[Key, Sequence[Finding]] = {}
    for findings in survey(records, lambda registry: lambda credentials: session.client(credentials, registry.host)):
        explained = diagnosed(findings, ask)
        ledger.enter(explained)
        found[explained[0].principal.key] = explained
    return found


def _write(data: dict[str, Any], path: str) -> None:
    import sys

    from registryauth.cli.console import say
    from registryauth.report import page

    content = page(data).encode()
    if path == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    from registryauth._paths import write_private
    from registryauth._redact import printable
    from registryauth.errors import Error, StoreUnavailable

    try:
        write_private(path, content)
    except StoreUnavailable as error:
        # It is not the store that failed, and the exit status must not say so.
        raise Error(str(error), hint=error.hint) from error
    say(f"Wrote {printable(path)}. {_summary(data)}")


def _show(data: dict[str, Any], output: Output) -> None:
    from registryauth.cli.console import say, show

    rows = [(issue["what"], issue["address"], issue["account"], issue["detail"]) for issue in data["attention"]]
    if rows or output is not Output.TABLE:
        show(output, data, ("WHAT", "REGISTRY", "ACCOUNT", "WHY"), rows)
    if output is not Output.TABLE:
        return
    say(_summary(data))
    commands = list(dict.fromkeys(issue["command"] for issue in data["attention"] if issue["command"]))
    for command in commands[:_NEXT]:
        say(f"next: {command}")
    if len(commands) > _NEXT:
        say(f"and {len(commands) - _NEXT} more: --output json and --html have each")


def _summary(data: dict[str, Any]) -> str:
    """All figures in a sentence: ``12 principals, 4 registries: 1 expired, 2 over-privileged.``."""
    from registryauth.report.words import FIGURES, ONE

    figures = data["figures"]
    called = {name: ONE.get(name, words) if figures[name] == 1 else words for name, words in FIGURES.items()}
    said = [f"{figures[name]} {words.format(span=data['expires_within'])}" for name, words in called.items() if figures[name]]
    if not said:
        return "Nothing is registered yet: registryauth principal add REGISTRY"
    return f"{', '.join(said[:2])}{': ' if said[2:] else ''}{', '.join(said[2:])}."


app = single(report)
