"""``registryauth principal list``."""

from __future__ import annotations

from registryauth.cli.app import single
from registryauth.cli.options import Output, OutputOption


def list_(output: OutputOption = Output.TABLE) -> None:
    """List what is registered, with dates and owners."""
    from registryauth.cli.console import moment, show
    from registryauth.cli.session import Session

    with Session().store() as store:
        records = store.list()
    principals = [
        {
            "address": str(r.address),
            "account": r.account,
            "kind": r.kind,
            "made_by": r.made_by,
            "tenant": r.tenant,
            "owner": r.owner,
            "purpose": r.purpose,
            "realm": r.realm,
            "insecure": r.insecure,
            "created_at": moment(r.created_at) or None,
            "verified_at": moment(r.verified_at) or None,
            "expires_at": moment(r.slots[0].expires_at) or None,
            "revision": r.revision,
        }
        for r in records
    ]
    rows = [
        (str(r.address), r.account, r.kind, r.owner, moment(r.slots[0].expires_at)[:10], moment(r.verified_at)[:10] or "never", r.made_by)
        for r in records
    ]
    show(
        output,
        {"version": 1, "principals": principals},
        ("REGISTRY", "ACCOUNT", "KIND", "OWNER", "EXPIRES", "VERIFIED", "MADE BY"),
        rows,
    )


app = single(list_)
