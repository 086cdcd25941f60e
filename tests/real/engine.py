"""Docker's engine, run as a process of the test: no network of its own, no rule in a firewall, nothing outside its directory."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

#: It is ready in 2 s; a machine under load gets this many seconds.
_PATIENCE = 60
_ALONE = ("--iptables=false", "--ip6tables=false", "--ip-forward=false", "--bridge=none", "--storage-driver=vfs")


@contextmanager
def docker_engine(program: str, directory: Path) -> Iterator[str]:
    """Run *program* in *directory*, whose path is short; what DOCKER_HOST has to be."""
    address = f"unix://{directory}/docker.sock"
    (directory / "daemon.json").write_text("{}")
    places = {"config-file": "daemon.json", "data-root": "data", "exec-root": "exec", "pidfile": "pid"}
    argv = [program, "--host", address, *_ALONE, *(f"--{name}={directory / place}" for name, place in places.items())]
    log = directory / "log"
    with log.open("wb") as sink:
        environ = {"PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin", "HOME": str(directory)}
        process = subprocess.Popen(argv, stdout=sink, stderr=sink, stdin=subprocess.DEVNULL, env=environ)
    try:
        _await(process, log)
        yield address
    finally:
        # It stops its containerd with it.
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while "API listen on" not in (said := log.read_text(errors="replace")):
        ended = process.poll() is not None
        if ended and (refused := re.search(r"(operation not permitted|permission denied)[^\n]*", said)):
            pytest.skip(f"dockerd may not run here: {refused[0][:200]}")
        if ended or time.monotonic() > deadline:
            raise AssertionError(f"dockerd did not come up\n{said[-4000:]}")
        time.sleep(0.05)
