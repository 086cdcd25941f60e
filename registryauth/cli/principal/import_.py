"""``registryauth principal import``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from registryauth.cli.app import single
from registryauth.cli.options import CaFile, Misuse, Output, OutputOption

_DONE = {"add": "added", "replace": "replaced", "leave": "left"}
#: What is told of single entries; with 10,000 of them the rest is in --output json.
_MOST_LINES = 20


def import_(
    file: Annotated[str, typer.Argument(metavar="FILE", help="What to import; - is standard input.")],
    form: Annotated[
        str,
        typer.Option(
            "--from", metavar="FORM", help="auto, docker, containers, csv, toml, azureml, registryauth (another store) or bundle."
        ),
    ] = "auto",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read and check everything, write nothing, and list what would be done.")
    ] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Give what is registered already the secrets of FILE.")] = False,
    skip_existing: Annotated[bool, typer.Option("--skip-existing", help="Leave what is registered already as it is.")] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Ask every registry first; write nothing unless all take their secrets.")
    ] = False,
    with_helpers: Annotated[
        bool, typer.Option("--with-helpers", help="Have the credential helpers that a docker file names hand over what they keep.")
    ] = False,
    made_by: Annotated[
        str, typer.Option("--made-by", metavar="WHO", help="admin or login: docker may overwrite and erase what a login made.")
    ] = "",
    key_file: Annotated[str, typer.Option("--key-file", metavar="KEY", help="The key file of another store.")] = "",
    output: OutputOption = Output.TABLE,
    ca_file: CaFile = "",
) -> None:
    """Register many principals at once: all that FILE holds, or none.

    A fault anywhere in FILE is named with its line, and nothing is written. Registries are not asked unless --verify says so.
    """
    import time

    from registryauth._redact import printable
    from registryauth.cli.console import say
    from registryauth.cli.session import Session
    from registryauth.errors import CredentialNotFound
    from registryauth.principals.importing import LEAVE, REFUSE, REPLACE, carry_out, plan, verify_all
    from registryauth.principals.sources import FORMS

    if form not in FORMS:
        raise Misuse(f"--from is one of {', '.join(FORMS)}")
    if made_by not in ("", "admin", "login"):
        raise Misuse("--made-by is admin or login")
    if replace and skip_existing:
        raise Misuse("--replace and --skip-existing exclude each other")
    session, now = Session(ca_file=ca_file), time.time()
    reading = _read(session, file, form, made_by, now, with_helpers=with_helpers, key_file=key_file)
    for skipped in reading.skipped[:_MOST_LINES]:
        say(f"skipped {skipped.place}: {skipped.reason}")
    if not reading.candidates:
        raise CredentialNotFound(f"{printable(file)} holds no credential that could be imported", hint="is it the right file?")
    with session.store() as store:
        steps = plan(store, reading.candidates, existing=REPLACE if replace else LEAVE if skip_existing else REFUSE, now=now)
        if verify:
            steps = verify_all(steps, lambda principal: _opener(session, ca_file, principal), now)
        if not dry_run:
            written = carry_out(store, steps)
            store.note("imported", count=len(written), detail=reading.form)
    if dry_run or output is not Output.TABLE:
        _show(output, steps, reading, dry_run=dry_run)
    _tell(file, steps, reading, dry_run=dry_run, verify=verify)


def _read(session: Any, file: str, form: str, made_by: str, now: float, *, with_helpers: bool, key_file: str) -> Any:  # noqa: ANN401 - Session and Reading, imported when they are needed
    import os

    from registryauth._redact import printable
    from registryauth.cli.console import say
    from registryauth.cli.passphrase import has_terminal
    from registryauth.cli.principal.bundle_passphrase import bundle_passphrase
    from registryauth.principals.candidate import Rules
    from registryauth.principals.docker_files import Helpers
    from registryauth.principals.sources import Keys, read

    if os.path.realpath(file) == os.path.realpath(session.config.store_path):
        raise Misuse("that is the store into which it would be imported")
    keys = Keys(
        lambda: bundle_passphrase(new=False, environ=session.environ),
        os.path.abspath(key_file) if key_file else session.config.store_key_file,
        session.environ,
        (lambda _: _ask(file)) if has_terminal() else None,
    )
    registries = session.config.registries
    rules = Rules(
        now,
        made_by,
        session.spelled,
        {host: said.realm for host, said in registries.items() if said.realm},
        [host for host, said in registries.items() if said.insecure],
    )
    reading = read(file, rules, keys, form=form, helpers=Helpers(with_helpers, session.environ))
    if reading.others:
        say(f"warning: other users can read {printable(file)}, which holds secrets: chmod 600 it, and renew those that somebody may know")
    return reading


def _ask(file: str) -> str:
    import getpass
    import sys

    return getpass.getpass(f"Passphrase of the store {file!a}: ", stream=sys.stderr)


def _opener(session: Any, ca_file: str, principal: Any) -> Any:  # noqa: ANN401 - Session, Principal, and what `verify` opens clients with
    from registryauth.cli.session import Session

    host = principal.address.registry.host
    own = Session(session.environ, ca_file=ca_file, insecure=principal.insecure)
    return lambda credentials: own.client(credentials, host)


def _show(output: Output, steps: Any, reading: Any, *, dry_run: bool) -> None:  # noqa: ANN401 - Steps and Reading
    from registryauth.cli.console import moment, show

    rows = [
        (step.action, str(p.address), p.account, p.kind, p.owner, moment(p.slots[0].expires_at)[:10])
        for step in steps
        for p in (step.principal,)
    ]
    data = {
        "version": 1,
        "form": reading.form,
        "dry_run": dry_run,
        **{name: sum(step.action == action for step in steps) for action, name in _DONE.items()},
        "principals": [
            {"action": step.action, "address": str(step.principal.address), "account": step.principal.account, "kind": step.principal.kind}
            for step in steps
        ],
        "skipped": [{"place": skipped.place, "reason": skipped.reason} for skipped in reading.skipped],
    }
    show(output, data, ("ACTION", "REGISTRY", "ACCOUNT", "KIND", "OWNER", "EXPIRES"), rows)


def _tell(file: str, steps: Any, reading: Any, *, dry_run: bool, verify: bool) -> None:  # noqa: ANN401 - Steps and Reading
    from registryauth._redact import printable
    from registryauth.cli.console import say

    counts = {action: sum(step.action == action for step in steps) for action in _DONE}
    written = counts["add"] + counts["replace"]
    left = f", {counts['leave']} left as they are" if counts["leave"] else ""
    skipped = f", {len(reading.skipped)} skipped" if reading.skipped else ""
    how = f"{counts['add']} new, {counts['replace']} replaced{left}{skipped}"
    say(f"{'Would import' if dry_run else 'Imported'} {_many(written)} from {printable(file)} ({reading.form}): {how}.")
    if dry_run:
        return
    asked = sum(step.principal.verified_at > 0 for step in steps if step.action != "leave") if verify else 0
    if asked < written:
        which = "No registry was asked" if not verify else f"{asked} of them are verified"
        say(f"{which}: 'registryauth principal verify --all' asks each.")
    if reading.mode is None:
        return
    if reading.form in ("csv", "toml"):
        say(f"{printable(file)} still holds the secrets in plain text: delete it.")
    elif reading.form == "azureml":
        say(f"{printable(file)} still holds the secret in plain text: take it out; 'registryauth resolve --format' writes it.")
    else:
        say(f"{printable(file)} still holds the secrets unencrypted: the logout of the tool that wrote it removes them.")


def _many(count: int) -> str:
    return "1 principal" if count == 1 else f"{count} principals"


app = single(import_)
