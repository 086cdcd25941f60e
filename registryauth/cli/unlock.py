"""``registryauth unlock``."""

from __future__ import annotations

from typing import Annotated

import typer

from registryauth.cli.app import single


def unlock(
    span: Annotated[str, typer.Option("--for", metavar="TIME", help="For how long: 30m, 8h; at most 24h.")] = "1h",
) -> None:
    """Give the store's passphrase once, for a while.

    Programs of this user, docker's helper included, use the store until then without it.
    """
    from registryauth.cli.console import moment, say
    from registryauth.cli.options import Misuse
    from registryauth.cli.session import Session
    from registryauth.cli.store.local import behind
    from registryauth.config.values import span as seconds_of
    from registryauth.stores.unlocked import MAX

    seconds = seconds_of(span)
    if not 0 < seconds <= MAX:
        raise Misuse(f"--for is at least 1s and at most {MAX // 3600}h")
    with Session().store() as store:
        local = behind(store)
        until = local.keep_unlocked(seconds)
        if not until:
            say(f"There is nothing to unlock: the store's key comes from the {local.status()['key']}.")
            return
        store.note("unlocked", detail=f"until {moment(until)}")
    say(f"Unlocked until {moment(until)}; 'registryauth lock' ends it at once.")


app = single(unlock)
