"""``registryauth store passphrase``."""

from __future__ import annotations

from typing import Annotated

import typer

from registryauth.cli.app import single


def passphrase(
    new_stdin: Annotated[bool, typer.Option("--new-passphrase-stdin", help="Read the new passphrase from standard input.")] = False,
) -> None:
    """Change the passphrase. The secrets are not sealed anew: `store rekey` does that."""
    from registryauth.cli import passphrase as terminal
    from registryauth.cli.console import say
    from registryauth.cli.secrets import read_secret
    from registryauth.cli.session import Session
    from registryauth.cli.store.local import behind
    from registryauth.errors import StoreLocked

    session = Session()

    def new(_: bool) -> str:
        if new_stdin:
            return read_secret("new passphrase")
        if session.ask is None:
            raise StoreLocked("there is no terminal to ask for the new passphrase at", hint="use --new-passphrase-stdin")
        return terminal.ask(new=True)

    with session.store() as store:
        behind(store).change_passphrase(new)
        # The log's own key stays as it is.
        store.note("rekeyed", detail="another passphrase")
    say("The passphrase is changed. Backups made before this still open with the old one.")


app = single(passphrase)
