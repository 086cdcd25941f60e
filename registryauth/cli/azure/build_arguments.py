"""Build arguments from a command line; those that are secret from anywhere else."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence

from registryauth._redact import printable
from registryauth.azure.build_request import Argument
from registryauth.cli.console import is_terminal, say
from registryauth.cli.options import Misuse
from registryauth.errors import ConfigurationError

#: Bytes of a value: a key has some thousand.
_MAX_VALUE = 64 * 1024
_NAME = r"[A-Za-z_][A-Za-z0-9_.-]{0,200}"
_TELLTALE = r"(?i).*(?:pass(?:word|wd)?|secret|token|api_?key|access_?key|credential)s?"


def arguments(plain: Sequence[str], secret: Sequence[str], environ: Mapping[str, str]) -> tuple[Argument, ...]:
    """The arguments of ``--build-arg`` and ``--secret-build-arg``, the last of a name; raise a usage error for what is none."""
    found = {one.name: one for one in (*(_plain(text, environ) for text in plain), *(_secret(text, environ) for text in secret))}
    return tuple(found.values())


def _plain(text: str, environ: Mapping[str, str]) -> Argument:
    name, given, value = text.partition("=")
    _check(name, "--build-arg")
    if not given:
        if name not in environ:
            raise Misuse(f"--build-arg {name}: give it a value, {name}=VALUE, or set the environment variable")
        value = environ[name]
    if re.fullmatch(_TELLTALE, name):
        say(f"warning: --build-arg {name} is shown in the log; --secret-build-arg {name} would not be")
    # What is no text is refused here (`cli.run` says so), as JSON would let it through.
    value.encode()
    return Argument(name, value)


def _secret(text: str, environ: Mapping[str, str]) -> Argument:
    name, given, source = text.partition("=")
    _check(name, "--secret-build-arg")
    if given:
        if not source.startswith("@"):
            raise Misuse(
                f"--secret-build-arg {name}=…: a command line is no place for a secret; set the variable {name}, or give {name}=@FILE"
            )
        return Argument(name, _file(source[1:], name), secret=True)
    value = environ.get(name) or _asked(name)
    if len(value.encode()) > _MAX_VALUE:
        raise ConfigurationError(f"the value of {name} is longer than {_MAX_VALUE} bytes", hint="is it the right variable?")
    return Argument(name, value, secret=True)


def _check(name: str, option: str) -> None:
    if not re.fullmatch(_NAME, name):
        # It may be a value that was meant for another option.
        raise Misuse(f"{option} takes a name of letters, digits and _ first; what was given is none")


def _file(path: str, name: str) -> str:
    try:
        with open(path, "rb") as file:
            content = file.read(_MAX_VALUE + 3)
    except OSError as error:
        raise ConfigurationError(f"cannot read the value of {name} from {printable(path, 200)}: {error.strerror}") from error
    content = content.removesuffix(b"\n").removesuffix(b"\r")
    if len(content) > _MAX_VALUE:
        raise ConfigurationError(
            f"the value of {name} in {printable(path, 200)} is longer than {_MAX_VALUE} bytes", hint="is it the right file?"
        )
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        # Raised without its cause, which would quote the secret.
        raise ConfigurationError(f"the value of {name} in {printable(path, 200)} is not UTF-8", hint="is it the right file?") from None


def _asked(name: str) -> str:
    if not is_terminal(sys.stdin):
        raise Misuse(f"--secret-build-arg {name}: set the environment variable {name}, or give {name}=@FILE")
    import getpass

    return getpass.getpass(f"{name}: ", stream=sys.stderr)
