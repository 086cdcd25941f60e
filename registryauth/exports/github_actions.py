"""Outputs of a step of GitHub Actions, masked first: ``eval "$(registryauth resolve … --format github-actions)"``.

Source: docs.github.com "Workflow commands": ``::add-mask::VALUE`` with ``%`` and line ends escaped, ``NAME=VALUE`` appended to
the file that ``GITHUB_OUTPUT`` names.
"""

from __future__ import annotations

import base64
import shlex

from registryauth.exports.document import Document
from registryauth.exports.logins import nobody, one_login
from registryauth.exports.options import PLAIN, Options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from registryauth.resolver import PullSecret


def export(secrets: Sequence[PullSecret], _: Options = PLAIN) -> Document:
    """Lines for a POSIX shell: masks for the password and for what docker makes of it, then the outputs registry, username, password."""
    login = one_login(secrets, "a step's outputs")
    if login is None:
        return Document("text/plain", f"echo {shlex.quote(nobody(secrets))}\n", secret=False)
    hidden = (login.password, base64.b64encode(f"{login.username}:{login.password}".encode()).decode("ascii"))
    masks = [f"printf '%s\\n' {shlex.quote('::add-mask::' + value.replace('%', '%25'))}" for value in hidden]
    outputs = (f"{name}={value}" for name, value in (("registry", login.host), ("username", login.username), ("password", login.password)))
    written = f"printf '%s\\n' {' '.join(map(shlex.quote, outputs))} >> \"${{GITHUB_OUTPUT:?is set by GitHub Actions}}\""
    return Document("text/plain", "\n".join([*masks, written]) + "\n", secret=True)
