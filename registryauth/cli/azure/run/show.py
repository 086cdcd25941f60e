"""``registryauth azure acr run show``."""

from __future__ import annotations

from typing import Annotated

import typer

from registryauth.cli.app import single
from registryauth.cli.azure.registry_options import RegistryOption, Where
from registryauth.cli.options import Output, OutputOption

RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="The run's id: cda")]


def show(run: RunArgument, registry: RegistryOption, where: Where, output: OutputOption = Output.TABLE) -> None:
    """Show how a run stands or ended; exit status 0 however that was."""
    from registryauth.cli import console
    from registryauth.cli.azure.registry_options import builds_of
    from registryauth.cli.azure.watching import document, rows
    from registryauth.cli.session import Session

    with builds_of(Session(ca_file=where.ca_file), registry, where) as builds:
        found, host = builds.run(run), str(builds.registry.login_server)
    console.show(output, document(found, host), ("WHAT", "VALUE"), rows(found, host))


app = single(show)
