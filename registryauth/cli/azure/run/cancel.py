"""``registryauth azure acr run cancel``."""

from __future__ import annotations

from registryauth.cli.app import single
from registryauth.cli.azure.registry_options import RegistryOption, Where
from registryauth.cli.azure.run.show import RunArgument


def cancel(run: RunArgument, registry: RegistryOption, where: Where) -> None:
    """Have a run end. One that is over stays as it is, and that is no error."""
    from registryauth.cli.azure.registry_options import builds_of
    from registryauth.cli.console import say
    from registryauth.cli.session import Session

    with builds_of(Session(ca_file=where.ca_file), registry, where) as builds:
        found = builds.run(run)
        if found.is_over:
            say(f"The run {found.id} is over: {found.status}.")
            return
        builds.cancel(found.id)
    say(f"The run {found.id} is being canceled.")


app = single(cancel)
