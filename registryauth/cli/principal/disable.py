"""``registryauth principal disable``."""

from __future__ import annotations

from registryauth.cli.app import single
from registryauth.cli.options import Account, AddressArgument


def disable(registry: AddressArgument, account: Account = "") -> None:
    """Switch a principal off. It stays stored, and is handed to nobody until it is enabled."""
    import time

    from registryauth._redact import printable
    from registryauth.cli.console import moment, say
    from registryauth.cli.session import Session
    from registryauth.principals import disable as switched_off
    from registryauth.principals import find

    session = Session()
    address = session.address(registry, wildcard=True)
    with session.store() as store:
        record = switched_off(store, find(store, address, account).key, time.time())
    say(f"{printable(str(record.key))} is disabled since {moment(record.disabled_at)}.")
    if record.consumers:
        say(f"What was given its secret still has it: registryauth principal consumers {record.address}")


app = single(disable)
