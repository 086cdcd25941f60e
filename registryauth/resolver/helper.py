"""Asking somebody else's ``docker-credential-NAME``.

Protocol: docker/docker-credential-helpers, ``credentials/credentials.go`` and ``client/client.go``.
"""

from __future__ import annotations

import os
import re
import sys
import time

from registryauth._json import Node, load_json
from registryauth._redact import printable
from registryauth.credentials import Credential, from_login
from registryauth.errors import SourceFailed
from registryauth.resolver.auths import address_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping

OURS = "registryauth"
PREFIX = "docker-credential-"
#: Set in every child, so that a helper that calls us does not make us call a helper again.
ACTIVE = "REGISTRYAUTH_ACTIVE"
#: `credentials.errCredentialsNotFound`: a helper that has nothing says exactly this.
NOT_FOUND = "credentials not found in native keychain"

#: Seconds; a helper that asks a person or a cloud may take a while, a hanging D-Bus takes for ever.
TIMEOUT = 30.0
#: An answer holds one secret; the longest tokens in use have 4 KiB, and 64 KiB is docker's own line limit.
MAX_ANSWER = 64 * 1024

# What a child may know of our own settings: where they are, never what they protect.
_PASSED_ON = ("REGISTRYAUTH_CONFIG", "REGISTRYAUTH_STORE_PATH")
_KEPT_BACK = ("DOCKER_AUTH_CONFIG",)


def find_program(name: str, environ: Mapping[str, str]) -> str | None:
    """The absolute path of ``docker-credential-NAME`` on PATH; None if it is not there.

    An empty or relative entry of PATH, which would let the current directory plant a program, does not
    count. Raise `SourceFailed` for a name that is no plain word.
    """
    import shutil

    if not re.fullmatch(r"[A-Za-z0-9._-]{1,100}", name):
        raise SourceFailed("the name of a credential helper has other characters than A-Z a-z 0-9 . _ -", hint="correct the configuration")
    directories = [entry for entry in environ.get("PATH", "").split(os.pathsep) if os.path.isabs(entry)]
    found = shutil.which(PREFIX + name, path=os.pathsep.join(directories)) if directories else None
    return found if found and os.path.isabs(found) else None


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
    status, answer = _run([program, "get"], server, _child_environment(environ), timeout, name)
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


def _child_environment(environ: Mapping[str, str]) -> dict[str, str]:
    kept = {k: v for k, v in environ.items() if k not in _KEPT_BACK and (not k.startswith("REGISTRYAUTH_") or k in _PASSED_ON)}
    return kept | {ACTIVE: "1"}


def _failed(name: str, complaint: str, hint: str) -> SourceFailed:
    return SourceFailed(f"the credential helper {PREFIX}{printable(name, 100)} {complaint}", hint=hint)


def _run(command: list[str], line: str, environ: dict[str, str], timeout: float, name: str) -> tuple[int, bytes]:
    """Exit status and stdout; stderr is dropped, for what a failing helper says there may hold the secret."""
    import subprocess

    deadline = time.monotonic() + timeout
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environ, bufsize=0, cwd="/"
        )
    except OSError as error:
        raise _failed(name, f"cannot be run: {os.strerror(error.errno or 0)}", "check that it is a program for this machine") from None
    with process:
        try:
            _say(process, line)
            answer = _listen(process, deadline, name)
            return process.wait(max(0.0, deadline - time.monotonic())), answer
        except subprocess.TimeoutExpired:
            raise _too_slow(name) from None
        finally:
            if process.poll() is None:
                process.kill()


def _say(process: subprocess.Popen[bytes], line: str) -> None:
    """Give it the server's key: no newline, and short enough for a pipe to take it at once."""
    if process.stdin is None:
        return
    try:
        process.stdin.write(line.encode("ascii"))
        process.stdin.close()
    except BrokenPipeError:
        # It did not want to know; its answer and status say more.
        pass


def _listen(process: subprocess.Popen[bytes], deadline: float, name: str) -> bytes:
    import selectors

    if process.stdout is None:
        return b""
    parts: list[bytes] = []
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise _too_slow(name)
            part = os.read(process.stdout.fileno(), MAX_ANSWER)
            if not part:
                return b"".join(parts)
            parts.append(part)
            if sum(map(len, parts)) > MAX_ANSWER:
                raise _failed(name, f"answered more than {MAX_ANSWER} bytes", "report it to its maker")


def _too_slow(name: str) -> SourceFailed:
    return _failed(name, "did not answer in time", "it may wait for a locked keychain or a person; unlock it and try again")
