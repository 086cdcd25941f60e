"""``registryauth principal``: what an admin registers."""

from __future__ import annotations

from typing import Annotated

import typer

from registryauth.cli.app import group
from registryauth.cli.options import AddressArgument, CaFile, Insecure, Misuse, Output, OutputOption
from registryauth.stores.principal import KINDS

app = group("Register service principals and other accounts, with what an admin wants to know of them.")


@app.command()
def add(
    registry: AddressArgument,
    client_id: Annotated[str, typer.Option("--client-id", "--username", help="Client ID or user name.")],
    secret_stdin: Annotated[bool, typer.Option("--secret-stdin", help="Read the secret from standard input.")] = False,
    kind: Annotated[str, typer.Option("--kind", help=f"One of {', '.join(KINDS)}.")] = "service-principal",
    tenant: Annotated[str, typer.Option("--tenant", help="Tenant of a service principal.")] = "",
    owner: Annotated[str, typer.Option("--owner", help="Who answers for it.")] = "",
    purpose: Annotated[str, typer.Option("--purpose", help="What it is for.")] = "",
    expires: Annotated[str, typer.Option("--expires", metavar="DATE", help="When the secret dies: 2027-05-01, or 90d from now.")] = "",
    repository: Annotated[
        str, typer.Option("--repository", metavar="PATH", help="Check the right to pull from this repository, too.")
    ] = "",
    realm: Annotated[str, typer.Option("--realm", metavar="URL", help="The registry's token server, where it is on another host.")] = "",
    no_verify: Annotated[bool, typer.Option("--no-verify", help="Store without asking the registry.")] = False,
    insecure: Insecure = False,
    ca_file: CaFile = "",
) -> None:
    """Verify a principal against its registry and register it. docker neither overwrites nor erases it."""
    from registryauth.cli.enroll import enroll
    from registryauth.cli.secrets import account_and_secret
    from registryauth.cli.session import Session

    if kind not in KINDS:
        raise Misuse(f"--kind is one of {', '.join(KINDS)}")
    session = Session(ca_file=ca_file, insecure=insecure)
    address = session.address(registry)
    account, secret = account_and_secret(client_id, from_stdin=secret_stdin, token_from_stdin=False, option="--secret-stdin")
    enroll(
        session,
        address,
        account,
        secret,
        made_by="admin",
        kind=kind,
        repository=repository,
        realm=realm,
        verify=not no_verify,
        insecure=insecure,
        expires=expires,
        notes={"tenant": tenant, "owner": owner, "purpose": purpose},
    )


@app.command("list")
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
