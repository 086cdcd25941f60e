"""``registryauth store backup``."""

from __future__ import annotations

from typing import Annotated

import typer

from registryauth.cli.app import single


def backup(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Where to, mode 0600.")],
    force: Annotated[bool, typer.Option("--force", help="Replace FILE if it exists.")] = False,
) -> None:
    """Copy the store, while others use it, all of it or nothing. The key is not in the copy, and not needed for it."""
    from registryauth._redact import printable
    from registryauth.cli.console import say
    from registryauth.cli.session import Session
    from registryauth.cli.store.local import behind
    from registryauth.stores import backup

    with Session().store() as store:
        local = behind(store)
        count = backup.backup(local, file, force=force)
        store.note("backed-up", count=count, detail=file)
        key = local.status()["key"]
    say(f"Wrote {printable(file)}: {count} {'record' if count == 1 else 'records'}, encrypted.")
    say(f"Its key is not in it, and without that it is worth nothing; the key is in: {key}.")


app = single(backup)
