"""``registryauth store check``."""

from __future__ import annotations

from typing import Annotated

import typer

from registryauth.cli.app import single
from registryauth.cli.options import Output, OutputOption


def check(
    repair: Annotated[bool, typer.Option("--repair", help="Keep the sound records, and set the damaged file aside.")] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Authenticate every record. Exit status 5 if one is damaged, unless it was repaired."""
    import time

    from registryauth.cli.console import say, show
    from registryauth.cli.session import Session
    from registryauth.cli.store.local import behind
    from registryauth.errors import StoreCorrupt
    from registryauth.stores import soundness

    with Session().store() as store:
        local = behind(store)
        found, aside = soundness.repair(local, time.time()) if repair else (soundness.check(local), "")
        store.note("checked", count=found.sound, detail=f"{len(found.damaged)} damaged" + (", repaired" if aside else ""))
        damaged = [{"address": each.address, "account": each.account, "what": each.what} for each in found.damaged]
        data = {"version": 1, "store": local.path, "sound": found.sound, "damaged": damaged, "kept_aside": aside or None}
        if damaged or output is not Output.TABLE:
            show(output, data, ("REGISTRY", "ACCOUNT", "DAMAGE"), [tuple(each.values()) for each in damaged])
    say(f"{found.sound} {'record is' if found.sound == 1 else 'records are'} authentic, {len(damaged)} damaged.")
    if aside:
        say(f"The store holds the authentic ones alone; the damaged file is kept as {aside}.")
    elif damaged:
        raise StoreCorrupt(
            f"the store {local.path} is damaged",
            hint="restore a backup (registryauth store restore FILE), or go on without what is damaged: registryauth store check --repair",
        )


app = single(check)
