"""Secrets from a person or a pipe, never from the command line, where every process can read them."""

from __future__ import annotations

import sys

import typer

from registryauth.cli.console import is_terminal
from registryauth.cli.options import Misuse
from registryauth.credentials import TOKEN_USERNAME
from registryauth.errors import ConfigurationError

#: Bytes; the longest that a store keeps.
_MAX_SECRET = 64 * 1024


def account_and_secret(username: str, *, from_stdin: bool, token_from_stdin: bool, option: str = "--password-stdin") -> tuple[str, str]:
    """The account and its secret, asked for where they were not given; raise a usage error where nobody is there to ask.

    *option* is the one that has the secret read from standard input.
    """
    if token_from_stdin:
        return username or TOKEN_USERNAME, read_secret("identity token")
    if from_stdin:
        if not username:
            raise Misuse(f"{option} needs --username")
        return username, read_secret("password")
    if not is_terminal(sys.stdin):
        wanted = option if username else f"--username with {option}"
        raise Misuse(f"there is no terminal to ask for the secret at: use {wanted}")
    import getpass

    username = username or typer.prompt("Username", err=True)
    return username, getpass.getpass("Password: ", stream=sys.stderr)


def next_secret(source: str) -> str:
    """The secret that *source* gives: ``stdin``, or ``prompt``, which asks for it twice and needs a terminal."""
    if source == "stdin":
        return read_secret("next secret")
    if not is_terminal(sys.stdin):
        raise Misuse("there is no terminal to ask for the next secret at: use --secret-stdin")
    import getpass

    given = getpass.getpass("Next secret: ", stream=sys.stderr)
    if given != getpass.getpass("Once more: ", stream=sys.stderr):
        raise Misuse("the two are not the same; nothing was changed")
    return given


def read_secret(what: str) -> str:
    """Standard input without the one line end that `echo` and editors put there; other white space belongs to the secret."""
    if is_terminal(sys.stdin):
        print(f"reading the {what} from standard input, and waiting for its end (Ctrl-D)", file=sys.stderr)
    given = sys.stdin.buffer.read(_MAX_SECRET + 3)
    for end in (b"\r\n", b"\n", b"\r"):
        if given.endswith(end):
            given = given.removesuffix(end)
            break
    if len(given) > _MAX_SECRET:
        raise ConfigurationError(f"the {what} on standard input is longer than {_MAX_SECRET} bytes", hint="is it the right file?")
    try:
        return given.decode("utf-8")
    except UnicodeDecodeError:
        # Raised without its cause, which would quote the secret.
        raise ConfigurationError(f"the {what} on standard input is not UTF-8", hint="is it the right file?") from None
