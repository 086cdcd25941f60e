"""Debian's docker-registry, started on a free port and stopped by its own process id.

The configuration that the package installs is never used: it listens on every interface and its htpasswd
path is a directory, so that each login ends in 400.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .token_server import TokenServer

#: It is ready in 20 ms; a machine under load gets this many seconds.
_PATIENCE = 15

_REQUEST = re.compile(r'http\.request\.id=(?P<id>\S+) .*?http\.request\.method=(?P<method>\S+) .*?http\.request\.uri="?(?P<uri>[^" ]+)')


@dataclass
class Server:
    """A running registry. *ca_file* is what to trust it by, and its directory is a cert-dir; empty *realm*: none."""

    host: str
    log: Path
    username: str = ""
    password: str = field(default="", repr=False)
    ca_file: Path | None = None
    realm: str = ""
    token_server: TokenServer | None = None

    @property
    def url(self) -> str:
        """``https://host`` or ``http://host``."""
        return f"{'https' if self.ca_file else 'http'}://{self.host}"

    @property
    def requests(self) -> list[str]:
        """``METHOD /target`` of every request so far, as the registry logged it; a refused one is logged before it is answered."""
        seen: dict[str, str] = {}
        for line in self.log.read_text(errors="replace").splitlines():
            if found := _REQUEST.search(line):
                seen.setdefault(found["id"], f"{found['method']} {found['uri']}")
        return list(seen.values())


@contextmanager
def docker_registry(program: str, directory: Path, settings: dict[str, Any], **described: Any) -> Iterator[Server]:
    """Run *program* in *directory* with *settings* over an in-memory storage; *described* goes into the `Server`."""
    http = {"addr": "127.0.0.1:0", "secret": "of no importance", **settings.get("http", {})}
    base = {"version": 0.1, "log": {"accesslog": {"disabled": True}}, "storage": {"inmemory": {}}}
    configuration = directory / "config.yml"
    # JSON is YAML.
    configuration.write_text(json.dumps({**base, **settings, "http": http}))
    log = directory / "docker-registry.log"
    with log.open("wb") as sink:
        environment = {"PATH": os.environ["PATH"], "HOME": str(directory), "OTEL_TRACES_EXPORTER": "none"}
        process = subprocess.Popen([program, "serve", configuration], stdout=sink, stderr=sink, stdin=subprocess.DEVNULL, env=environment)
    try:
        yield Server(host=_host(process, log), log=log, **described)
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _host(process: subprocess.Popen[bytes], log: Path) -> str:
    """The address in the line that the registry logs once its socket listens."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if listening := re.search(r"listening on (127\.0\.0\.1:[0-9]+)", log.read_text(errors="replace")):
            return listening[1]
        if process.poll() is not None:
            raise AssertionError(f"docker-registry ended with {process.returncode}\n{log.read_text(errors='replace')}")
        time.sleep(0.005)
    raise AssertionError(f"docker-registry was not ready after {_PATIENCE} s\n{log.read_text(errors='replace')}")
