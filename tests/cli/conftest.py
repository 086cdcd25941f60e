from __future__ import annotations

import base64
import io
import json
import os
import sys
from types import SimpleNamespace
from urllib.parse import quote_plus

import pytest

from registryauth.cli import run
from registryauth.reference import Address
from registryauth.stores import Principal, Slot, open_store
from registryauth.testing import RegistrySimulator

CANARY = "canary-d417"


@pytest.fixture
def cli(capsysbinary, monkeypatch):
    """Run a command in this process: its status, what it wrote to stdout, as text and as bytes, and to stderr."""

    def cli(*argv, stdin=b""):
        given = stdin if isinstance(stdin, bytes) else stdin.encode()
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(given)))
        capsysbinary.readouterr()
        status = run([os.fspath(arg) for arg in argv])
        out, err = capsysbinary.readouterr()
        assert b"Traceback" not in err
        shown, said = (stream.decode("utf-8", "surrogateescape") for stream in (out, err))
        return SimpleNamespace(status=status, out=shown, raw=out, err=said)

    return cli


@pytest.fixture
def load(cli):
    """The JSON that a command prints."""

    def load(*argv):
        done = cli(*argv, "--output", "json")
        assert done.status == 0, done.err
        return json.loads(done.out)

    return load


@pytest.fixture
def accounts():
    """The simulator's user names and passwords; what is changed here holds at once."""
    return {"me": CANARY, "reader": CANARY}


@pytest.fixture
def simulator(accounts):
    return RegistrySimulator(accounts=accounts, rights={"me": ["pull", "push"], "reader": []})


@pytest.fixture
def online(monkeypatch, simulator):
    """Every address leads to the simulator, over https; gives it."""
    monkeypatch.setattr("registryauth.client.client.open_transport", lambda *_, **__: simulator.transport())
    return simulator


@pytest.fixture
def sent(simulator):
    """Where a secret was sent to: method, origin and path of each request that carried one in any form."""

    def sent(secret=CANARY):
        return [
            f"{request.method} {request.url.origin}{request.url.target.partition('?')[0]}"
            for request in simulator.requests
            if any(form in _everything(request) for form in (secret, quote_plus(secret)))
        ]

    return sent


def _everything(request):
    """A request as text, with what its Authorization says when it is base64."""
    scheme, _, value = request.header("authorization").partition(" ")
    decoded = base64.b64decode(value + "===").decode("latin-1") if scheme.lower() == "basic" else ""
    return f"{request.url} {request.headers} {request.body.decode('latin-1')} {decoded}"


@pytest.fixture
def kept(home):
    """The records in the configured store."""

    def kept():
        store = open_store(environ=os.environ)
        try:
            return store.list()
        finally:
            store.close()

    return kept


@pytest.fixture
def keep(home):
    """Put a record into the configured store."""

    def keep(address, account="me", secret=CANARY, **said):
        store = open_store(environ=os.environ)
        slot = Slot(secret, **said.pop("dates", {}))
        store.put(Principal(Address.parse(address, known=(address,), wildcard=True), account, (slot,), **said))
        store.close()

    return keep


@pytest.fixture
def terminal(monkeypatch):
    """Standard output is a terminal."""

    def terminal():
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)

    return terminal
