from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from registryauth.audit.event import Event
from registryauth.audit.log import Log
from registryauth.audit.verification import verify

KEY = b"k" * 32


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the log is: in a directory that is not there yet."""
    return tmp_path / "state" / "audit.log"


@pytest.fixture
def log(path: Path) -> Log:
    """A log whose clock goes on by a second with every line."""
    seconds = itertools.count(1_800_000_000)
    return Log(str(path), clock=lambda: next(seconds))


@pytest.fixture
def write(log: Log):
    """Writes one event for each of the accounts named, under KEY unless told otherwise."""

    def write(*accounts, key=KEY):
        return log.append([Event("read", "r.example", account) for account in accounts], key)

    return write


@pytest.fixture
def lines(path: Path):
    """What each line says."""
    return lambda: [json.loads(line) for line in path.read_bytes().splitlines()]


@pytest.fixture
def check(path: Path):
    """The verdict on the log, or on files, under KEY unless told otherwise."""
    return lambda *files, key=KEY: verify([str(file) for file in files or (path,)], key)


@pytest.fixture
def faults(check):
    """The lines at fault and what is wrong with them."""
    return lambda *files: [(place.line, place.what) for place in check(*files).faults.named]
