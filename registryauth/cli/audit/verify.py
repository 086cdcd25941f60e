"""``registryauth audit verify``."""

from __future__ import annotations

from typing import Annotated

import typer

from registryauth.cli.app import single
from registryauth.cli.options import Output, OutputOption

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.audit.verification import Places, Verdict

#: Lines of a kind that the table names; JSON and YAML name a hundred.
_NAMED = 10


def verify(
    files: Annotated[
        list[str] | None, typer.Argument(metavar="[FILE]...", help="Files that a rotation put aside, the oldest first, and the log.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 7 also for lines that bear no MAC or are torn.")] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Check that nothing was changed in the log, removed or inserted.

    Exit status 7 if something was.

    Whether the end was cut off is not in the file: compare the last number and MAC with those that you know, or with syslog's copy.
    """
    from registryauth.audit.verification import verify as check
    from registryauth.cli.console import show
    from registryauth.cli.session import Session
    from registryauth.errors import ConfigurationError

    session = Session()
    if not (checked := files or [session.config.audit_file])[0]:
        raise ConfigurationError("no home directory is known, so there is no audit log", hint="set HOME, or REGISTRYAUTH_AUDIT_FILE")
    with session.store() as store:
        verdict = check(checked, store.chain_key())
    bad = bool(verdict.faults or (strict and (verdict.open or verdict.torn)))
    data = {
        "version": 1,
        "files": checked,
        "whole": not verdict.faults,
        "lines": verdict.lines,
        "authentic": verdict.authentic,
        "carried": verdict.carried,
        "unauthenticated": _described(verdict.open),
        "torn": _described(verdict.torn),
        "faults": _described(verdict.faults),
        "begins_with_first_line": verdict.begun,
        "last": {"sequence": verdict.last_sequence, "time": verdict.last_time, "mac": verdict.last_mac or None},
    }
    show(output, data, ("WHAT", "VALUE"), _rows(verdict, many=len(checked) > 1))
    if bad:
        raise typer.Exit(7)


def _described(places: Places) -> dict[str, object]:
    return {"count": places.count, "lines": [{"file": each.file, "line": each.line, "what": each.what} for each in places.named]}


def _rows(verdict: Verdict, *, many: bool) -> list[tuple[str, str]]:
    rows = [
        ("the chain", "is broken" if verdict.faults else "is whole"),
        ("begins", "with the log's first line" if verdict.begun else "after an earlier file, which was not checked"),
        ("lines", str(verdict.lines)),
        ("authentic", str(verdict.authentic)),
    ]
    if verdict.carried:
        rows.append(("under an earlier key", f"{verdict.carried}, checked when the key was changed"))
    if verdict.open:
        rows.append(("unauthenticated", _named(verdict.open, many=many)))
    if verdict.torn:
        rows.append(("torn, or not ours", _named(verdict.torn, many=many)))
    rows += [(f"line {each.line}" + (f" of {each.file}" if many else ""), each.what) for each in verdict.faults.named[:_NAMED]]
    if (more := verdict.faults.count - _NAMED) > 0:
        rows.append(("and more", f"{more} line{'' if more == 1 else 's'}"))
    return [*rows, ("last line", f"number {verdict.last_sequence} of {verdict.last_time or '?'}"), ("its MAC", verdict.last_mac or "none")]


def _named(places: Places, *, many: bool) -> str:
    """How many, and where the first of them are."""
    where = ", ".join(f"{each.file}:{each.line}" if many else str(each.line) for each in places.named[:_NAMED])
    more = ", …" if places.count > _NAMED else ""
    return f"{places.count} (line{'s' if places.count > 1 else ''} {where}{more})"


app = single(verify)
