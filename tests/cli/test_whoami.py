from __future__ import annotations

import json

import pytest

from registryauth.testing import RegistrySimulator

from .conftest import CANARY


@pytest.fixture
def registry():
    return RegistrySimulator(auth="token", accounts={"me": CANARY})


@pytest.fixture
def host(registry):
    with registry.serve() as host:
        yield host


def test_it_says_who_one_is_why_and_that_the_registry_takes_it(cli, keep, host):
    keep(host, dates={"expires_at": 4_102_444_800})
    done = cli("whoami", f"{host}/team/model", "--output", "json")
    assert (done.status, done.err) == (0, "")
    assert json.loads(done.out) == {
        "version": 1,
        "address": f"{host}/team/model",
        "identity": "account me",
        "source": "store",
        "detail": f"team/model is covered by the entry for {host}, account me",
        "accepted": True,
        "expires_at": "2100-01-01T00:00:00Z",
    }
    table = cli("whoami", host).out
    assert "the registry  takes it" in table
    assert CANARY not in table + done.out


def test_a_refused_secret_is_status_4_and_one_attempt(cli, keep, registry, host):
    keep(host, secret="old " + CANARY)
    done = cli("whoami", host)
    assert (done.status, done.out) == (4, "")
    assert "incorrect username or password" in done.err
    assert CANARY not in done.err
    assert sum(request.url.target.startswith("/token") for request in registry.requests) == 1


def test_nobody_is_status_3_and_nothing_is_asked(cli, keep, registry, host):
    keep(f"{host}/team")
    done = cli("whoami", host)
    assert (done.status, done.out) == (3, "")
    assert f"hint: registryauth login {host}" in done.err
    assert registry.requests == []


def test_a_registry_that_asks_nobody_proves_nothing(cli, keep):
    with RegistrySimulator(auth="none").serve() as host:
        keep(host)
        done = cli("whoami", host, "--output", "json")
    assert done.status == 0
    assert json.loads(done.out)["accepted"] is None
