"""``registryauth principal consumers``."""

from __future__ import annotations

from typing import Annotated

import typer

from registryauth.cli.app import single
from registryauth.cli.options import Account, AddressArgument, Output, OutputOption


def consumers(
    registry: AddressArgument,
    account: Account = "",
    forget: Annotated[
        list[str] | None, typer.Option("--forget", metavar="TARGET", help="Strike out a consumer that is gone. May be repeated.")
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """List who was given a principal's secret, and which of them."""
    import time

    from registryauth._redact import printable
    from registryauth.cli.console import moment, say, show
    from registryauth.cli.principal.document import consumer_document
    from registryauth.cli.session import Session
    from registryauth.principals import find, forget_consumer
    from registryauth.principals.consumers import held

    session = Session()
    address = session.address(registry, wildcard=True)
    with session.store() as store:
        record = find(store, address, account)
        for target in forget or ():
            record = forget_consumer(store, record.key, target, time.time())
            say(f"Forgot {printable(target, 600)}.")
    rows = [(c.target, c.format, str(c.serial), held(record, c), moment(c.written_at)) for c in record.consumers]
    data = {
        "version": 1,
        "address": str(record.address),
        "account": record.account,
        "consumers": [consumer_document(record, consumer) for consumer in record.consumers],
    }
    if not record.consumers:
        say(f"Nothing is known to have been given a secret of {printable(str(record.key))}.")
    if record.consumers or output is not Output.TABLE:
        show(output, data, ("TARGET", "FORMAT", "SECRET", "WHICH IS", "WRITTEN"), rows)


app = single(consumers)
