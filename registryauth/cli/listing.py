"""``registryauth list``."""

from __future__ import annotations

from registryauth.cli.app import single
from registryauth.cli.options import Output, OutputOption


def listing(output: OutputOption = Output.TABLE) -> None:
    """List what is stored: registries and accounts. Dates and owners are in 'registryauth principal list'."""
    from registryauth.cli.console import moment, say, show
    from registryauth.cli.session import Session

    with Session().store() as store:
        records = store.list()
    data = {
        "version": 1,
        "registries": [
            {"address": str(r.address), "account": r.account, "kind": r.kind, "verified_at": moment(r.verified_at) or None} for r in records
        ],
    }
    rows = [(str(r.address), r.account, r.kind, moment(r.verified_at) or "unverified") for r in records]
    show(output, data, ("REGISTRY", "ACCOUNT", "KIND", "VERIFIED"), rows)
    if not records:
        say("Nothing is stored yet: registryauth login REGISTRY")


app = single(listing)
