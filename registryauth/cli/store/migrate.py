"""``registryauth store migrate``."""

from __future__ import annotations

from typing import Annotated

import typer

from registryauth.cli.app import single
from registryauth.cli.options import Misuse
from registryauth.config.keys import BACKENDS


def migrate(
    to: Annotated[str, typer.Option("--to", metavar="BACKEND", help=f"One of {', '.join(BACKENDS)}, set up in the configuration.")],
    force: Annotated[bool, typer.Option("--force", help="Replace other records that are there already.")] = False,
) -> None:
    """Copy every record to another backend, and read each back. Nothing is removed from the configured one."""
    from registryauth.azure import vault_token
    from registryauth.cli.console import say
    from registryauth.cli.session import Session
    from registryauth.stores import from_config, migration

    session = Session()
    if to not in BACKENDS or to == session.config.store_backend:
        raise Misuse(f"--to is one of {', '.join(each for each in BACKENDS if each != session.config.store_backend)}")
    with session.store() as source:
        chosen = session.config.replace(store_backend=to)
        target = from_config(chosen, session.environ, ask=session.ask, purpose="store migrate", azure_token=vault_token)
        try:
            done = migration.migrate(source, target, force=force)
        finally:
            target.close()
        source.note("migrated", count=done.copied, detail=f"{session.config.store_backend} to {to}")
    there = f", {done.there} {'was' if done.there == 1 else 'were'} there already" if done.there else ""
    say(f"Copied {done.copied} {'record' if done.copied == 1 else 'records'} to {to}{there}; each was read back.")
    say(f'To use it: backend = "{to}" under [store] in the configuration. The records here are still here.')


app = single(migrate)
