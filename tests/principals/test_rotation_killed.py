from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from registryauth.client import Client
from registryauth.principals import rotate
from registryauth.reference import Address, Repository
from registryauth.stores import Key, Principal, Slot, open_store
from registryauth.testing import RegistrySimulator

from .conftest import OneOf

SCRIPT = Path(__file__).with_name("rotating.py")
OLD, NEW = "old-71aa", "new-2b77"


@pytest.fixture
def host():
    with RegistrySimulator(accounts={"me": OneOf(OLD, NEW)}).serve() as host:
        yield host


@pytest.fixture
def store(monkeypatch):
    monkeypatch.setenv("REGISTRYAUTH_STORE_KEY", "file")
    store = open_store(environ=os.environ)
    yield store
    store.close()


@pytest.mark.parametrize(
    ("at", "when", "left"),
    [
        (1, "before", [OLD]),
        (1, "after", [OLD, NEW]),
        (0, "asking", [OLD, NEW]),
        (2, "before", [OLD, NEW]),
        (2, "after", [NEW, OLD]),
    ],
)
def test_a_rotation_killed_at_any_step_leaves_a_secret_that_works_and_can_be_given_again(store, host, at, when, left):
    key = Key(Address.parse(host), "me")
    store.put(Principal(key.address, "me", (Slot(OLD, serial=1),), owner="ml"))
    done = subprocess.run([sys.executable, SCRIPT, host, NEW, str(at), when], env=os.environ, capture_output=True, timeout=60)
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, b""), done.stderr
    record = store.exact(key)
    assert [slot.secret for slot in record.slots] == left
    with Client(lambda _: record.candidates(time.time())[:1], environ={}) as client:
        client.ping(Repository.parse(f"{host}/team/model"))
    again = rotate(store, key, lambda _: Slot(NEW), lambda credentials: Client(credentials, environ={}))
    assert [(slot.secret, slot.serial) for slot in again.principal.slots] == [(NEW, 2), (OLD, 1)]
    assert (again.principal.owner, again.already) == ("ml", left[0] == NEW)


def test_a_rotation_that_nobody_kills_ends(store, host):
    """That the processes above were ended by us."""
    store.put(Principal(Address.parse(host), "me", (Slot(OLD, serial=1),)))
    done = subprocess.run([sys.executable, SCRIPT, host, NEW, "0", "never"], env=os.environ, capture_output=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, b"rotated\n"), done.stderr
