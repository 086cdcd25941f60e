from __future__ import annotations

import json
import os

import pytest


@pytest.fixture
def environ(home, tmp_path):
    """A home, a runtime directory, and a PATH on which our helper is."""
    program = tmp_path / "bin/docker-credential-registryauth"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return {"HOME": str(home), "XDG_RUNTIME_DIR": str(tmp_path / "run"), "PATH": os.path.dirname(program)}


@pytest.fixture
def write():
    """Write a document as docker does, or raw bytes; give the path."""

    def write(path, content):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content, indent="\t").encode())
        return path

    return write
