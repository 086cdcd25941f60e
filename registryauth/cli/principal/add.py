"""``registryauth principal add``."""

from __future__ import annotations

from typing import Annotated

import typer

from registryauth.cli.app import single
from registryauth.cli.options import AddressArgument, CaFile, Insecure, Misuse
from registryauth.stores.principal import KINDS


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


app = single(add)
