"""Asking somebody else's ``docker-credential-NAME``.

Protocol: docker/docker-credential-helpers, ``credentials/credentials.go`` and ``client/client.go``.
"""

from __future__ import annotations

import os
import re
import sys

from registryauth._child import ACTIVE, child_environment, run
from registryauth._child import find_program as on_path
from registryauth._json import Node, load_json
from registryauth._redact import printable
from registryauth.credentials import Credential, from_login
from registryauth.errors import SourceFailed
from registryauth.resolver.auths import address_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

OURS = "registryauth"
PREFIX = "docker-credential-"
#: `credentials.errCredentialsNotFound`: a helper that has nothing says exactly this.
NOT_FOUND = "credentials not found in native keychain"

#: Seconds; a helper that asks a person or a cloud may take a while, a hanging D-Bus takes for ever.
TIMEOUT = 30.0
#: An answer holds one secret; the longest tokens in use have 4 KiB, and 64 KiB is docker's own line limit.
MAX_ANSWER = 64 * 1024


def find_program(name: str, environ: Mapping[str, str]) -> str | None:
    """The absolute path of ``docker-credential-NAME`` on PATH; None if it is not there.

    An empty or relative entry of PATH, which would let the current directory plant a program, does not
    count. Raise `SourceFailed` for a name that is no plain word.
    """
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,100}", name):
        raise SourceFailed("the name of a credential helper has other characters than A-Z a-z 0-9 . _ -", hint="correct the configuration")
    return on_path(PREFIX + name, environ)


def reason_to_skip(name: str, environ: Mapping[str, str]) -> str:
    """Why the helper *name* must not be asked, empty if it may: it is we, or it is a helper that is asking us."""
    if name == OURS:
        return f"the helper {OURS} is our own, whose store was asked already"
    if environ.get(ACTIVE):
        return f"a credential helper is asking already ({ACTIVE} is set), so no other is asked"
    program = find_program(name, environ)
    if program and _is_ours(os.path.realpath(program), environ):
        return f"the helper {name} is our own by another name, whose store was asked already"
    return ""


def _is_ours(program: str, environ: Mapping[str, str]) -> bool:
    installed = {os.path.join(os.path.dirname(sys.executable), PREFIX + OURS), find_program(OURS, environ)}
    return os.path.basename(program) == PREFIX + OURS or program in {os.path.realpath(path) for path in installed if path}


def ask_helper(name: str, server: str, environ: Mapping[str, str], *, timeout: float = TIMEOUT) -> Credential | None:
    """What the helper *name* holds for *server*; None if it has nothing.

    Takes at most *timeout* seconds. Raise `SourceFailed`, without a word of the helper's output, if it is
    not there, fails, hangs, answers too much or something else, or for another registry.
    """
    program = find_program(name, environ)
    if program is None:
        raise _failed(name, "is not on PATH", "install it, or remove it from the configuration that names it")
    status, answer = _run([program, "get"], server, environ, timeout, name)
    if status:
        if answer.decode("utf-8", "replace").strip() == NOT_FOUND:
            return None
        raise _failed(name, f"ended with status {status}", f"run it to see why: printf %s {server} | {PREFIX}{name} get")
    what = f"the answer of {PREFIX}{name}"
    document = Node(load_json(answer, what, MAX_ANSWER, error=SourceFailed), what, error=SourceFailed)
    echoed, username, secret = (document.field(key).text() for key in ("ServerURL", "Username", "Secret"))
    if not username and not secret:
        return None
    if not username:
        raise _failed(name, "gave a secret without a user name", "report it to its maker")
    asked, answered = address_of(server), address_of(echoed)
    if asked and answered and asked.registry != answered.registry:
        raise _failed(name, f"was asked for {asked.registry} and answered for another registry", "report it to its maker")
    return from_login(username, secret)


def list_helper(name: str, environ: Mapping[str, str], *, timeout: float = TIMEOUT) -> tuple[str, ...]:
    """The server keys for which the helper *name* keeps something, as it spells them; raise as `ask_helper` does."""
    program = find_program(name, environ)
    if program is None:
        raise _failed(name, "is not on PATH", "install it, or remove it from the configuration that names it")
    # docker/docker-credential-helpers, client.List: a word that nobody reads.
    status, answer = _run([program, "list"], "unused", environ, timeout, name)
    if status:
        raise _failed(name, f"ended with status {status}", f"run it to see why: {PREFIX}{name} list")
    what = f"the answer of {PREFIX}{name}"
    document = Node(load_json(answer, what, MAX_ANSWER, error=SourceFailed), what, error=SourceFailed)
    return tuple(server for server, _ in document.fields())


def _failed(name: str, complaint: str, hint: str) -> SourceFailed:
    return SourceFailed(f"the credential helper {PREFIX}{printable(name, 100)} {complaint}", hint=hint)


def _run(command: list[str], line: str, environ: Mapping[str, str], timeout: float, name: str) -> tuple[int, bytes]:
    """Exit status and stdout; stderr is dropped, for what a failing helper says there may hold the secret."""

    def failed(complaint: str, hint: str) -> SourceFailed:
        return _failed(name, complaint, hint)

    done = run(command, child_environment(environ), failed, timeout=timeout, limit=MAX_ANSWER, line=line)
    return done.status, done.output
