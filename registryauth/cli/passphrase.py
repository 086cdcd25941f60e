"""Asking a person for the passphrase of the store: at a terminal only, and once."""

from __future__ import annotations

import os
import sys

from registryauth.cli.console import is_terminal, say
from registryauth.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.stores.keys import Ask


def asker() -> Ask | None:
    """What asks a person for a passphrase, the same one only once; None where there is no terminal.

    Standard input may be a pipe with another secret: that is not read.
    """
    typed: dict[bool, str] = {}

    def once(new: bool) -> str:
        if new not in typed:
            typed[new] = ask(new)
        # A store that was made a moment ago opens with what it was made with.
        typed[False] = typed[new]
        return typed[new]

    return once if has_terminal() else None


def ask(new: bool) -> str:
    """What a person types, twice and the same for one that is *new*; raise `ConfigurationError` where the two differ."""
    import getpass

    if not new:
        return getpass.getpass("Passphrase of the credential store: ", stream=sys.stderr)
    typed = getpass.getpass("New passphrase for the credential store: ", stream=sys.stderr)
    if getpass.getpass("The same once more: ", stream=sys.stderr) != typed:
        raise ConfigurationError("the two passphrases differ", hint="nothing was changed; try again")
    say("Keep it somewhere safe: nobody can restore it, and without it the stored secrets are lost.")
    return typed


def has_terminal() -> bool:
    """Whether a person can be asked for a passphrase, which `getpass` does at the terminal itself."""
    if not any(map(is_terminal, (sys.stdin, sys.stderr))):
        return False
    if os.name != "posix":
        return is_terminal(sys.stdin)
    try:
        # Where `getpass` reads from; without it, it would take standard input, and show what is typed.
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return False
    return True
