"""``registryauth store rekey``."""

from __future__ import annotations

from typing import Annotated

import typer

from registryauth.cli.app import single
from registryauth.cli.options import Misuse

SOURCES = ("file", "keyring", "passphrase", "systemd", "environment")


def rekey(
    key: Annotated[str, typer.Option("--key", metavar="SOURCE", help=f"Move the key, too: {', '.join(SOURCES)}.")] = "",
) -> None:
    """Make a new data key and seal every secret anew. All at once or not at all."""
    from registryauth.cli.console import say
    from registryauth.cli.session import Session
    from registryauth.cli.store.local import behind

    if key and key not in SOURCES:
        raise Misuse(f"--key is one of {', '.join(SOURCES)}")
    with Session().store() as store:
        local = behind(store)
        before = local.status()
        label = store.rekeyed(lambda: local.rekey(key))
    say(f"Sealed {before['records']} {'record' if before['records'] == 1 else 'records'} anew; the key is in: {label}.")
    if label != before["key"]:
        say(f"Backups made before this open only with the old key, in: {before['key']}.")


app = single(rekey)
