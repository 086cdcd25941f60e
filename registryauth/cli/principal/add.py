"""``registryauth principal add``."""

from __future__ import annotations

from typing import Annotated

import typer

from registryauth.cli.app import single
from registryauth.cli.options import AddressArgument, CaFile, CheckedRepository, Insecure, Misuse
from registryauth.stores.principal import KINDS


def add(
    registry: AddressArgument,
    client_id: Annotated[str, typer.Option("--client-id", "--account", "--username", metavar="ID", help="Client ID or user name.")],
    secret_stdin: Annotated[bool, typer.Option("--secret-stdin", help="Read the secret from standard input.")] = False,
    kind: Annotated[str, typer.Option("--kind", metavar="KIND", help=f"One of {', '.join(KINDS)}.")] = "service-principal",
    tenant: Annotated[str, typer.Option("--tenant", metavar="TENANT", help="Tenant of a service principal.")] = "",
    cloud: Annotated[str, typer.Option("--cloud", metavar="CLOUD", help="Its tenant's: azure, azure-china, azure-us-government …")] = "",
    owner: Annotated[str, typer.Option("--owner", metavar="OWNER", help="Who answers for it.")] = "",
    purpose: Annotated[str, typer.Option("--purpose", metavar="TEXT", help="What it is for.")] = "",
    label: Annotated[list[str] | None, typer.Option("--label", metavar="NAME=VALUE", help="A label; may be repeated.")] = None,
    need: Annotated[
        list[str] | None, typer.Option("--need", metavar="ACTION", help="What it must be able to do; pull unless said. May be repeated.")
    ] = None,
    expires: Annotated[str, typer.Option("--expires", metavar="DATE", help="When the secret dies: 2027-05-01, or 90d from now.")] = "",
    not_before: Annotated[str, typer.Option("--not-before", metavar="DATE", help="From when on the secret may be used.")] = "",
    default: Annotated[bool, typer.Option("--default", help="Make this the default of several accounts.")] = False,
    wildcard: Annotated[bool, typer.Option("--wildcard", help="REGISTRY is *.example.com, every host of a domain that is yours.")] = False,
    repository: CheckedRepository = "",
    realm: Annotated[str, typer.Option("--realm", metavar="URL", help="The registry's token server, where it is on another host.")] = "",
    no_verify: Annotated[bool, typer.Option("--no-verify", help="Store without asking the registry.")] = False,
    insecure: Insecure = False,
    ca_file: CaFile = "",
) -> None:
    """Verify a principal against its registry and register it. docker neither overwrites nor erases it."""
    from registryauth.cli.enroll import enroll
    from registryauth.cli.secrets import account_and_secret
    from registryauth.cli.session import Session
    from registryauth.principals.refusals import refuse_odd_labels, refuse_shared_wildcard, refuse_unknown_actions

    if kind not in KINDS:
        raise Misuse(f"--kind is one of {', '.join(KINDS)}")
    _check_cloud(cloud)
    labels, needed = _labels(label or []), _actions(need or [])
    refuse_odd_labels(labels)
    refuse_unknown_actions(needed)
    if wildcard != registry.startswith("*."):
        raise Misuse("--wildcard goes with *.example.com" if wildcard else "an address like *.example.com needs --wildcard")
    session = Session(ca_file=ca_file, insecure=insecure)
    address = session.address(registry, wildcard=wildcard)
    # Before anybody is asked to type a secret.
    refuse_shared_wildcard(address, insecure=insecure)
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
        not_before=not_before,
        notes={"tenant": tenant, "cloud": cloud, "owner": owner, "purpose": purpose},
        labels=labels,
        needed=needed,
        default=default,
    )


def _check_cloud(name: str) -> None:
    from registryauth.registries.providers import CLOUDS

    if name and name not in CLOUDS:
        raise Misuse(f"--cloud is one of {', '.join(CLOUDS)}")


def _labels(given: list[str]) -> dict[str, str]:
    if odd := [text for text in given if "=" not in text]:
        raise Misuse(f"--label is NAME=VALUE, and {odd[0]!a} has no =")
    return {name: value for name, _, value in (text.partition("=") for text in given)}


def _actions(given: list[str]) -> list[str]:
    """The actions in *given*, each perhaps several with commas between them, once each."""
    return list(dict.fromkeys(action.strip() for text in given for action in text.split(",")))


app = single(add)
