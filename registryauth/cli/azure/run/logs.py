"""``registryauth azure acr run logs``."""

from __future__ import annotations

import sys

from registryauth.cli.app import single
from registryauth.cli.azure.registry_options import RegistryOption, Where
from registryauth.cli.azure.run.show import RunArgument


def logs(run: RunArgument, registry: RegistryOption, where: Where) -> None:
    """Print the log of a run, to its end if it is under way. Exit status 1 if it did not succeed.

    It is 141 where the reader of the log, such as head, goes away before the run has ended.
    """
    from registryauth.azure.build_request import MAX_TIMEOUT
    from registryauth.cli.azure.registry_options import builds_of
    from registryauth.cli.azure.watching import Watch, until_the_end
    from registryauth.cli.session import Session

    with builds_of(Session(ca_file=where.ca_file), registry, where) as builds:
        watch = Watch(builds, sys.stdout, MAX_TIMEOUT)
        with until_the_end():
            found = watch.follow(builds.run(run))
        watch.check(found)


app = single(logs)
