"""A failure asks nobody who cannot say more of it, and a secret goes nowhere but where it is good for something."""

from __future__ import annotations

import pytest

from . import provocations
from .bench import HOST
from .failure import COMMANDS, STORED


@pytest.fixture
def hosts(bench, cli):
    """Which hosts a command asks, after a provocation."""

    def hosts(provoke, command):
        provoke(bench)
        if command in STORED:
            bench.keep()
        cli(*bench.words(COMMANDS[command]), stdin=bench.typed)
        return {request.url.origin.host for request in bench.azure.requests}

    return hosts


OTHER_MATTERS = ["firewall", "throttled", "throttled_for_an_hour", "entra_token_as_password", "shape_of_token"]


@pytest.mark.parametrize("name", OTHER_MATTERS)
def test_what_is_no_matter_of_the_secret_does_not_send_it_to_entra(hosts, name):
    assert hosts(getattr(provocations, name), "login") == {HOST}


@pytest.mark.parametrize("name", ["wrong", "no_role"])
@pytest.mark.parametrize("command", ["manifest get", "pull"])
def test_what_is_used_all_day_asks_the_registry_alone(hosts, name, command):
    assert hosts(getattr(provocations, name), command) == {HOST}


@pytest.mark.parametrize("command", ["login", "principal verify"])
def test_a_refused_secret_is_shown_to_entra_once(bench, hosts, command):
    assert hosts(provocations.wrong, command) == {HOST, bench.azure.cloud.authority.host}
    assert sum(bench.azure.cloud.authority == request.url.origin for request in bench.azure.requests) == 1


def test_a_secret_goes_to_no_host_that_only_looks_like_a_registry(bench, hosts):
    assert hosts(provocations.look_alike, "login") == set()


def test_a_host_that_is_meant_is_taken_as_it_is(bench, cli):
    provocations.look_alike(bench)
    bench.configure(f'[registries."{bench.host}"]\ninsecure = false\n')
    done = cli(*bench.words(COMMANDS["login"]), stdin=bench.typed)
    assert "only looks like" not in done.said
    assert done.status == 6, "there is no such host"
