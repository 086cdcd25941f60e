"""The bench, with every way to the wire leading to it, and the command line."""

from __future__ import annotations

import io
import time
from types import SimpleNamespace

import pytest

from registryauth.azure import library, wire
from registryauth.cli import run

from .bench import Bench


@pytest.fixture
def bench(monkeypatch, tmp_path, home):
    made = Bench(monkeypatch, tmp_path)
    monkeypatch.setattr("registryauth.client.client.open_transport", lambda *_, **__: made.azure.transport())
    monkeypatch.setattr(wire, "open_transport", lambda *_, **__: made.azure.transport())
    monkeypatch.setattr("registryauth.diagnosis.Network", lambda: made.network)
    monkeypatch.setattr(library, "is_installed", lambda: False)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    return made


@pytest.fixture
def cli(capsysbinary, monkeypatch):
    """Run a command in this process: its status, and all that it wrote."""

    def cli(*argv, stdin=""):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        capsysbinary.readouterr()
        status = run(list(argv))
        out, err = (stream.decode() for stream in capsysbinary.readouterr())
        assert "Traceback" not in err
        return SimpleNamespace(status=status, said=out + err)

    return cli
