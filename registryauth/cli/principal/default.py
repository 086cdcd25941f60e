"""``registryauth principal default``."""

from __future__ import annotations

from typing import Annotated

import typer

from registryauth.cli.app import single
from registryauth.cli.options import AddressArgument


def default(
    registry: AddressArgument,
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account to use where none is named.")],
) -> None:
    """Choose which of several accounts is used where none is named."""
    import time

    from registryauth._redact import printable
    from registryauth.cli.console import say
    from registryauth.cli.session import Session
    from registryauth.principals import find, prefer

    session = Session()
    address = session.address(registry, wildcard=True)
    with session.store() as store:
        record = prefer(store, find(store, address, account).key, time.time())
    say(f"{printable(record.account)} is the default account for {record.address}.")


app = single(default)
