"""``registryauth principal enable``."""

from __future__ import annotations

from registryauth.cli.app import single
from registryauth.cli.options import Account, AddressArgument


def enable(registry: AddressArgument, account: Account = "") -> None:
    """Put a principal that was disabled back to use."""
    import time

    from registryauth._redact import printable
    from registryauth.cli.console import say
    from registryauth.cli.session import Session
    from registryauth.principals import enable as switched_on
    from registryauth.principals import find

    session = Session()
    address = session.address(registry, wildcard=True)
    with session.store() as store:
        record = switched_on(store, find(store, address, account).key, time.time())
    say(f"{printable(str(record.key))} is in use.")


app = single(enable)
