"""Foreign programs: found, or the test is skipped by their name; run, or the failure shows what they said."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Collection, Mapping, Sequence

import pytest


def find_program(name: str, required: Collection[str] = ()) -> str:
    """The path of *name*; skip the test if it is not installed, fail it if it is *required*."""
    if path := shutil.which(name):
        return path
    if name in required:
        pytest.fail(f"{name} is not installed, and REGISTRYAUTH_REQUIRE names it", pytrace=False)
    pytest.skip(f"{name} is not installed")


def run(
    argv: Sequence[str | os.PathLike[str]],
    *,
    env: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    timeout: float = 30,
    check: bool = True,
) -> subprocess.CompletedProcess[bytes]:
    """Run *argv* to its end, *env* added to this test's environment; with *check*, failure is an AssertionError with all it printed."""
    try:
        done = subprocess.run(argv, env={**os.environ, **(env or {})}, input=stdin, capture_output=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired as expired:
        raise AssertionError(f"{_name(argv)} took longer than {timeout} s\n{_said(expired.stdout, expired.stderr)}") from None
    if check and done.returncode:
        raise AssertionError(f"{_name(argv)} ended with {done.returncode}\n{_said(done.stdout, done.stderr)}")
    return done


def _name(argv: Sequence[str | os.PathLike[str]]) -> str:
    return " ".join(os.path.basename(part) for part in argv[:2])


def _said(stdout: bytes | None, stderr: bytes | None) -> str:
    return f"stdout: {(stdout or b'').decode(errors='replace')}\nstderr: {(stderr or b'').decode(errors='replace')}"
