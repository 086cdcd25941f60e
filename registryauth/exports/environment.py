"""Lines for a shell that set the variables which our own environment source reads.

Quoting: POSIX shell, fish (only backslash and single quote are special in single quotes) and PowerShell (a single quote is
doubled; it takes typographic ones for quotes, too).
"""

from __future__ import annotations

import re
import shlex

from registryauth.credentials import Anonymous, RegistryToken, to_login
from registryauth.errors import CredentialError
from registryauth.exports.document import Document
from registryauth.exports.options import PLAIN, Options
from registryauth.resolver.environment import PASSWORD, REGISTRY, USERNAME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from registryauth.resolver import PullSecret


def export(secrets: Sequence[PullSecret], _: Options = PLAIN) -> Document:
    """``export`` lines for one registry, to be given to ``eval``; where no credential is needed, a line that unsets them.

    Raise `CredentialError` for more than one secret, for a registry token (a user name and password cannot
    say that it is one), and for a line break or NUL in a value.
    """
    return _lines(secrets, lambda name, value: f"export {name}={shlex.quote(value)}", f"unset {REGISTRY} {USERNAME} {PASSWORD}")


def export_fish(secrets: Sequence[PullSecret], _: Options = PLAIN) -> Document:
    """The same for fish, to be given to ``source``."""
    quoted = str.maketrans({"\\": "\\\\", "'": "\\'"})
    return _lines(
        secrets,
        lambda name, value: f"set -gx {name} '{value.translate(quoted)}'",
        f"set -e {REGISTRY}; set -e {USERNAME}; set -e {PASSWORD}",
    )


def export_powershell(secrets: Sequence[PullSecret], _: Options = PLAIN) -> Document:
    """The same for PowerShell, to be given to ``Invoke-Expression``."""
    names = ", ".join(f"Env:{name}" for name in (REGISTRY, USERNAME, PASSWORD))
    quoted = str.maketrans({quote: quote * 2 for quote in "'\u2018\u2019\u201a\u201b"})
    return _lines(
        secrets, lambda name, value: f"$env:{name} = '{value.translate(quoted)}'", f"Remove-Item {names} -ErrorAction SilentlyContinue"
    )


def _lines(secrets: Sequence[PullSecret], line: Callable[[str, str], str], unset: str) -> Document:
    if len(secrets) != 1:
        raise CredentialError(f"the environment holds one pull secret, not {len(secrets)}", hint="export each registry apart")
    credential = secrets[0].credential
    if isinstance(credential, Anonymous):
        # What an earlier export set must not stay and be taken for this one.
        return Document("text/plain", f"{unset}\n", secret=False)
    if isinstance(credential, RegistryToken):
        raise CredentialError("a registry token cannot be told from a password in the environment", hint="use --format docker-config")
    username, password = to_login(credential)
    # A path is honoured there: `registryauth.resolver.environment`.
    values = {REGISTRY: str(secrets[0].address), USERNAME: username, PASSWORD: password}
    for name, value in values.items():
        if not value or re.search(r"[\n\r\0]", value):
            fault = "a line break or NUL in it" if value else "nothing in it"
            raise CredentialError(f"the value for {name} has {fault} and cannot be exported", hint="use --format docker-config")
    return Document("text/plain", "".join(f"{line(name, value)}\n" for name, value in values.items()), secret=True)
