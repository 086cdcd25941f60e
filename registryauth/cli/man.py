"""``registryauth man``."""

from __future__ import annotations

import sys

from registryauth.cli.app import single


def man() -> None:
    """Print the manual page. An installation also puts it where man looks for it; elsewhere, 'registryauth man | man -l -' shows it."""
    from registryauth.cli.app import command
    from registryauth.cli.manual import page

    sys.stdout.write(page(command()))


app = single(man)
