"""``registryauth principal show``."""

from __future__ import annotations

from registryauth.cli.app import single
from registryauth.cli.options import Account, AddressArgument, Output, OutputOption


def show(registry: AddressArgument, account: Account = "", output: OutputOption = Output.TABLE) -> None:
    """Show everything known of a principal, but its secret. Or of each account at an address."""
    import time

    from registryauth.cli import console
    from registryauth.cli.principal.document import described, document
    from registryauth.cli.session import Session
    from registryauth.principals import find
    from registryauth.stores.last_used import LastUsed

    session = Session()
    address = session.address(registry, wildcard=True)
    with session.store() as store:
        found = [] if account else list(store.at(address))
        found = found or [find(store, address, account)]
    used, now = LastUsed.at_home(session.environ), time.time()
    documents = [document(record, now, used.when(record.key)) for record in found]
    rows = [row for record in found for row in described(record, now, used.when(record.key))]
    console.show(output, {"version": 1, "principals": documents}, ("WHAT", "VALUE"), rows)


app = single(show)
