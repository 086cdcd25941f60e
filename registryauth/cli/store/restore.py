"""``registryauth store restore``."""

from __future__ import annotations

from typing import Annotated

import typer

from registryauth.cli.app import single


def restore(file: Annotated[str, typer.Argument(metavar="FILE", help="What `store backup` wrote.")]) -> None:
    """Put a backup into the place of the store. Every record in it is authenticated first, and the old store is kept beside it."""
    import time

    from registryauth._redact import printable
    from registryauth.cli.console import say
    from registryauth.cli.session import Session
    from registryauth.cli.store.local import behind
    from registryauth.stores import backup

    with Session().store() as store:
        local = behind(store)
        # The copy may have an older data key, from which the log's own key is derived.
        count, aside = store.rekeyed(lambda: backup.restore(local, file, time.time()))
        store.note("restored", count=count, detail=file)
        key = local.status()["key"]
    say(f"Restored {count} {'record' if count == 1 else 'records'} from {printable(file)}; the key is in: {key}.")
    if aside:
        say(f"The store that was there is kept as {aside}.")


app = single(restore)
