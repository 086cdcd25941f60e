"""Where a bundle's passphrase comes from: a variable, or a person at a terminal; never the command line."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from registryauth.cli.options import Misuse
from registryauth.cli.passphrase import has_terminal
from registryauth.errors import ConfigurationError

VARIABLE = "REGISTRYAUTH_BUNDLE_PASSPHRASE"


def bundle_passphrase(*, new: bool, environ: Mapping[str, str] = os.environ) -> str:
    """The passphrase of a bundle; a *new* one is asked for twice. Raise a usage error where nobody is there to ask."""
    if given := environ.get(VARIABLE):
        return given
    if not has_terminal():
        raise Misuse(f"there is no terminal to ask for the bundle's passphrase at: set {VARIABLE}")
    import getpass

    given = getpass.getpass("New passphrase for the bundle: " if new else "Passphrase of the bundle: ", stream=sys.stderr)
    if new and getpass.getpass("The same once more: ", stream=sys.stderr) != given:
        raise ConfigurationError("the two passphrases differ", hint="nothing was written; try again")
    return given
