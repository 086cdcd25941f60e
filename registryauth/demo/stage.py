"""Where a tour plays: a home and a working directory of its own, in which our programs run."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from registryauth._value import Value
from registryauth.errors import Error

#: Seconds; a command takes less than one.
_TIMEOUT = 60
#: What to do about what a tour found wrong with us.
OURS = "this is a fault of ours: please report it"
#: Nothing else of a person's environment has a part in a tour.
_KEPT = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "PYTHONPATH")


class Step(Value):
    """What was done: a *title*, the *command* as a user types it, and its *output* with secrets left out."""

    title: str
    command: str
    output: str


class Said(Value):
    """What a command, *typed* like that, wrote: *data* to standard output, *talk* to standard error."""

    typed: str
    data: bytes
    talk: str = ""

    @property
    def text(self) -> str:
        """Standard output as text."""
        return self.data.decode(errors="replace").rstrip()


@contextmanager
def staged(environment: Mapping[str, str] | None = None) -> Iterator[Stage]:
    """A new stage, gone at the end with all that is on it; *environment* is added to that of the commands."""
    with tempfile.TemporaryDirectory(prefix="registryauth-demo-") as place:
        yield Stage(place, environment or {})


class Stage:
    """Runs our own programs. *home* is their home directory, *here* the one they are run in."""

    def __init__(self, place: str, environment: Mapping[str, str]) -> None:
        self.home, self.here = os.path.join(place, "home"), os.path.join(place, "here")
        os.mkdir(self.home)
        os.mkdir(self.here)
        kept = {name: value for name, value in os.environ.items() if name in _KEPT}
        # Where our commands are installed; a person who types them has it on PATH.
        kept["PATH"] = os.pathsep.join(filter(None, (os.path.dirname(sys.executable), kept.get("PATH", ""))))
        # A key file, so that the tour never touches the person's own keyring. Unbuffered, so that talk and data come in their order.
        ours = {"HOME": self.home, "REGISTRYAUTH_STORE_KEY": "file", "PYTHONUNBUFFERED": "1", "COLUMNS": "120"}
        self._environ = kept | ours | dict(environment)

    def show(self, title: str, *argv: str, stdin: bytes = b"", typed: str = "", status: int = 0) -> Step:
        """Run ``registryauth`` with *argv*, and give the step with all that it shows on a terminal.

        *typed* is how a person types it, where that has more than *argv*; *status* is how it has to end. Raise `Error` where it does not.
        """
        said = self._run("registryauth", argv, stdin, status, subprocess.STDOUT)
        return Step(title, typed or said.typed, f"{said.text}\n(exit status {status})" if status else said.text)

    def run(self, *argv: str, stdin: bytes = b"") -> Said:
        """Run ``registryauth`` with *argv*; raise `Error` where it fails."""
        return self._run("registryauth", argv, stdin, 0, subprocess.PIPE)

    def helper(self, *argv: str, stdin: bytes) -> Said:
        """Run docker's helper with *argv*; raise `Error` where it fails."""
        return self._run("registryauth.docker_helper", argv, stdin, 0, subprocess.PIPE)

    def write(self, title: str, path: str, content: str, typed: str = "") -> Step:
        """The step of a file that a person would write in an editor; *typed* is how they look at it, ``cat`` unless said."""
        self.put(path, content)
        return Step(title, typed or f"cat {path}", content.rstrip())

    def put(self, path: str, content: str) -> None:
        """Write a file, *path* from `here`."""
        full = os.path.join(self.here, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write(content)

    def read(self, name: str) -> str:
        """The file of that *name* in `here`."""
        with open(os.path.join(self.here, name), encoding="utf-8") as file:
            return file.read()

    def _run(self, module: str, argv: tuple[str, ...], stdin: bytes, status: int, stderr: int) -> Said:
        # In the stage's own directory: of the one that a person happens to be in, python -m would import what lies there.
        command, typed = [sys.executable, "-m", module, *argv], " ".join((module, *argv))
        try:
            done = subprocess.run(
                command, input=stdin, env=self._environ, cwd=self.here, stdout=subprocess.PIPE, stderr=stderr, timeout=_TIMEOUT, check=False
            )
        except subprocess.TimeoutExpired:
            raise Error(f"'{typed}' did not end within {_TIMEOUT} seconds", hint="is this machine very busy?") from None
        said = Said(typed, done.stdout, (done.stderr or b"").decode(errors="replace").rstrip())
        if done.returncode != status:
            raise Error(f"'{typed}' ended with {done.returncode}: {said.talk or said.text}", hint=OURS)
        return said
