"""``registryauth principal remove``."""

from __future__ import annotations

from typing import Annotated

import typer

from registryauth.cli.app import single
from registryauth.cli.options import Account, AddressArgument, Misuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.stores.principal import Principal


def remove(
    registry: AddressArgument,
    account: Account = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove a principal with its secrets and all that is known. The registry's own account stays as it is."""
    from registryauth._redact import printable
    from registryauth.cli.console import say
    from registryauth.cli.session import Session
    from registryauth.principals import find
    from registryauth.principals import remove as removed
    from registryauth.stores.last_used import LastUsed

    session = Session()
    address = session.address(registry, wildcard=True)
    with session.store() as store:
        record = find(store, address, account)
        if not yes:
            _ask(record)
        removed(store, record)
    LastUsed.at_home(session.environ).forget(record.key)
    say(f"Removed {_named(record)}.")
    for consumer in record.consumers:
        say(f"What was given its secret still has it: {printable(consumer.target, 600)}")


def _named(record: Principal) -> str:
    from registryauth._redact import printable

    secrets = f"{len(record.slots)} secret{'s' if len(record.slots) > 1 else ''}"
    owner = f", owner {printable(record.owner, 80)}" if record.owner else ""
    return f"{printable(str(record.key))} ({record.kind}{owner}, {secrets})"


def _ask(record: Principal) -> None:
    import sys

    from registryauth.cli.console import is_terminal, say

    if not is_terminal(sys.stdin):
        raise Misuse(f"this would remove {_named(record)}, and there is no terminal to ask at: say --yes")
    if not typer.confirm(f"Remove {_named(record)}?", default=False, err=True):
        say("Nothing was removed.")
        raise typer.Exit(1)


app = single(remove)
