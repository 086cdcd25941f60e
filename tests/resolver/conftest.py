from __future__ import annotations

import base64
import json
import os
import stat
import sys
from pathlib import Path

import pytest

from registryauth.config import load
from registryauth.resolver import Resolver
from registryauth.stores.memory import MemoryStore

CANARY = "canary-7f3a"


@pytest.fixture
def environ(home, tmp_path):
    """An environment with a home, a runtime directory and a PATH of its own, and nothing else."""
    for name in ("run", "bin"):
        (tmp_path / name).mkdir()
    return {"HOME": str(home), "XDG_RUNTIME_DIR": str(tmp_path / "run"), "PATH": str(tmp_path / "bin")}


@pytest.fixture
def basic():
    """The ``auth`` of a user name and password."""
    return lambda username, password=CANARY: {"auth": base64.b64encode(f"{username}:{password}".encode()).decode()}


@pytest.fixture
def write_json():
    """Write a document, a dict or raw bytes, and give its path."""

    def write(path: Path, content: object) -> str:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return str(path)

    return write


@pytest.fixture
def helper(tmp_path, environ):
    """Install a credential helper whose body is Python; every run leaves a line in the log that this returns."""

    def install(name: str, body: str, directory: Path | None = None) -> Path:
        log = tmp_path / f"{name}.log"
        program = (directory or tmp_path / "bin") / f"docker-credential-{name}"
        program.write_text(
            f"#!{sys.executable} -IS\nimport json, os, sys, time\nline = sys.stdin.read()\n"
            f"open({str(log)!r}, 'a').write(json.dumps([sys.argv[1:], line, dict(os.environ)]) + '\\n')\n{body}\n"
        )
        os.chmod(program, program.stat().st_mode | stat.S_IXUSR)
        return log

    return install


@pytest.fixture
def resolver(environ, tmp_path):
    """A resolver over *environ* as a user has it, with a store in memory."""

    def resolver(store=None, text="", **more):
        if text:
            path = tmp_path / "config.toml"
            path.write_text(text)
            environ["REGISTRYAUTH_CONFIG"] = str(path)
        config = load(environ, system_file=str(tmp_path / "absent"))
        return Resolver.from_config(config, environ, MemoryStore() if store is None else store, **more)

    return resolver
