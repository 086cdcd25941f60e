"""Whether another program will find ours, and what to do where it will not."""

from __future__ import annotations

import os
import shlex
import sys

from registryauth._child import find_program
from registryauth._redact import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

HELPER = "docker-credential-registryauth"
PROVIDER = "registryauth-credential-provider"


def installed(name: str, executable: str = sys.executable) -> str:
    """Our program *name* where this installation has it, beside the interpreter *executable*; empty if it is not there."""
    path = os.path.join(os.path.dirname(executable), name)
    return path if os.access(path, os.X_OK) else ""


def about_path(environ: Mapping[str, str], executable: str = sys.executable) -> tuple[str, ...]:
    """What stands in the way of a client that is started from here, or from elsewhere, to our helper; mostly nothing."""
    found = find_program(HELPER, environ)
    if found is None:
        return (f"{HELPER} is not on PATH, so nothing else can call it: {_remedy(installed(HELPER, executable), environ)}",)
    active = environ.get("VIRTUAL_ENV", "")
    if active and os.path.dirname(found) == os.path.join(os.path.abspath(active), "bin"):
        where = f"the virtual environment {printable(active)}"
        return (f"{HELPER} is on PATH only while {where} is active; for every other shell: {_remedy(found, environ)}",)
    return ()


def _remedy(program: str, environ: Mapping[str, str]) -> str:
    """How *program*, which pipx, uv or a virtual environment put somewhere, comes to be found."""
    if not program:
        return "install registryauth again"
    home = environ.get("HOME", "")
    usual = os.path.join(home, ".local/bin")
    if home and usual in environ.get("PATH", "").split(os.pathsep):
        return f"ln -s {shlex.quote(program)} {shlex.quote(usual)}/"
    return f"ln -s {shlex.quote(program)} /usr/local/bin/, or add {shlex.quote(os.path.dirname(program))} to PATH in your profile"
