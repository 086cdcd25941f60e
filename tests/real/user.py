"""A user of the installed program: a home of their own, and the scripts beside this interpreter first on PATH."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .programs import run
from .servers import Server

SCRIPTS = Path(sys.executable).parent


class User:
    """Runs programs as a person or a script would. HOME is this test's own already; *extra* goes into every environment."""

    def __init__(self, home: Path, extra: Mapping[str, str] | None = None) -> None:
        self.home = home
        self.environ = {"PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}", "HOME": str(home), **(extra or {})}

    def run(
        self, *argv: str | os.PathLike[str], stdin: str = "", check: bool = True, timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run *argv*; what it printed is text."""
        done = run(argv, env=self.environ, stdin=stdin.encode(), check=check, timeout=timeout)
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())

    def registryauth(self, *argv: str | os.PathLike[str], stdin: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run our command."""
        return self.run(SCRIPTS / "registryauth", *argv, stdin=stdin, check=check)

    def raw(self, *argv: str) -> bytes:
        """What our command wrote to stdout, byte for byte."""
        return run([SCRIPTS / "registryauth", *argv], env=self.environ, timeout=60).stdout

    def helper(self, action: str, request: str = "", *, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Ask our docker credential helper, found on PATH as docker finds it."""
        return self.run("docker-credential-registryauth", action, stdin=request, check=check)

    def login(self, server: Server, *options: str | os.PathLike[str], password: str = "", check: bool = True) -> Any:
        """Log in to *server* with our command; the authority and the token server are named where it has them."""
        argv = ["login", server.host, "--username", server.username, "--password-stdin", *options]
        if server.ca_file:
            argv += ["--ca-file", server.ca_file]
        if server.realm and "--realm" not in options:
            argv += ["--realm", server.realm]
        return self.registryauth(*argv, stdin=f"{password or server.password}\n", check=check)

    def listed(self) -> list[dict[str, Any]]:
        """The registries that our store holds."""
        document = json.loads(self.registryauth("list", "--output", "json").stdout)
        registries: list[dict[str, Any]] = next(value for value in document.values() if isinstance(value, list))
        return registries

    def docker_config(self) -> dict[str, Any]:
        """Docker's configuration as it is on disk."""
        document: dict[str, Any] = json.loads((self.home / ".docker" / "config.json").read_text())
        return document
