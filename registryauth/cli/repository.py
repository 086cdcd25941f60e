"""``registryauth repository``."""

from __future__ import annotations

from typing import Annotated

import typer

from registryauth.cli.app import group
from registryauth.cli.options import Output, OutputOption, Reach

app = group("List repositories.")


@app.callback()
def _group() -> None:
    """List repositories."""


@app.command("list")
def list_(
    registry: Annotated[str, typer.Argument(metavar="REGISTRY", help="A registry: myregistry.azurecr.io")],
    last: Annotated[str, typer.Option("--last", metavar="REPOSITORY", help="Begin after this repository.")] = "",
    output: OutputOption = Output.TABLE,
    *,
    access: Reach,
) -> None:
    """List the repositories of a registry, all pages of them. Not every registry tells, and few tell every account."""
    from registryauth.cli.console import show
    from registryauth.cli.options import Misuse
    from registryauth.cli.session import Session

    session = Session(ca_file=access.ca_file, insecure=access.insecure)
    address = session.address(registry)
    if address.path:
        raise Misuse("a registry lists its repositories as a whole: leave the path out")
    with session.resolver(account=access.account) as resolver, session.client(resolver, address.registry.host) as client:
        found = list(client.repositories(address.registry, last=last))
    data = {"version": 1, "registry": str(address.registry), "repositories": found}
    show(output, data, ("REPOSITORY",), [(name,) for name in found])
