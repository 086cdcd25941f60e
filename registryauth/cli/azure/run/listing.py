"""``registryauth azure acr run list``."""

from __future__ import annotations

from typing import Annotated

import typer

from registryauth.cli.app import single
from registryauth.cli.azure.registry_options import RegistryOption, Where
from registryauth.cli.options import Output, OutputOption


def list_(
    registry: RegistryOption,
    where: Where,
    top: Annotated[int, typer.Option("--top", metavar="N", min=1, max=1000, help="How many.")] = 15,
    output: OutputOption = Output.TABLE,
) -> None:
    """List the last runs, the latest first."""
    from registryauth.cli.azure.registry_options import builds_of
    from registryauth.cli.azure.watching import document
    from registryauth.cli.console import show
    from registryauth.cli.session import Session

    with builds_of(Session(ca_file=where.ca_file), registry, where) as builds:
        runs, host = list(builds.runs(top)), str(builds.registry.login_server)
    documents = [document(run, host) for run in runs]
    lines = [
        (said["run_id"], said["status"], said["created"] or "", ", ".join(f"{one['name']}:{one['tag']}" for one in said["images"]))
        for said in documents
    ]
    show(output, {"version": 1, "registry": host, "runs": documents}, ("RUN", "STATUS", "CREATED", "IMAGES"), lines)


app = single(list_)
