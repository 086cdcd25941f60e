"""Lines for a POSIX shell that set the variables which our own environment source reads."""

from __future__ import annotations

import re
import shlex

from registryauth.credentials import Anonymous, RegistryToken, to_login
from registryauth.errors import CredentialError
from registryauth.exports.document import Document
from registryauth.resolver.environment import PASSWORD, REGISTRY, USERNAME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from registryauth.resolver import PullSecret


def export(secrets: Sequence[PullSecret]) -> Document:
    """``export`` lines for one registry, to be given to ``eval``; where no credential is needed, a line that unsets them.

    Raise `CredentialError` for more than one secret, for a registry token (a user name and password cannot
    say that it is one), and for a line break or NUL in a value.
    """
    if len(secrets) != 1:
        raise CredentialError(f"the environment holds one pull secret, not {len(secrets)}", hint="export each registry apart")
    credential = secrets[0].credential
    if isinstance(credential, Anonymous):
        # What an earlier export set must not stay and be taken for this one.
        return Document("text/x-shellscript", f"unset {REGISTRY} {USERNAME} {PASSWORD}\n", secret=False)
    if isinstance(credential, RegistryToken):
        raise CredentialError("a registry token cannot be told from a password in the environment", hint="use --format docker-config")
    username, password = to_login(credential)
    values = {REGISTRY: secrets[0].reference.registry.host, USERNAME: username, PASSWORD: password}
    for name, value in values.items():
        if not value or re.search(r"[\n\r\0]", value):
            fault = "a line break or NUL in it" if value else "nothing in it"
            raise CredentialError(f"the value for {name} has {fault} and cannot be exported", hint="use --format docker-config")
    lines = (f"export {name}={shlex.quote(value)}\n" for name, value in values.items())
    return Document("text/x-shellscript", "".join(lines), secret=True)
