"""A rotated secret, end to end: store, resolver, client, and a registry that already refuses the old one."""

from __future__ import annotations

import base64

import pytest

from registryauth.client import Client
from registryauth.errors import Error, TokenRefused
from registryauth.reference import Address
from registryauth.resolver import Resolver
from registryauth.stores import Principal, Slot
from registryauth.stores.memory import MemoryStore
from registryauth.testing import RegistrySimulator

OLD, NEW = "old-canary-1d", "new-canary-2e"


@pytest.fixture
def store():
    store = MemoryStore()
    store.put(Principal(Address.parse("r.example/team"), "robot", (Slot(OLD, serial=1), Slot(NEW, serial=1))))
    store.put(Principal(Address.parse("r.example"), "person", (Slot("of-another-account"),)))
    return store


@pytest.fixture
def accounts():
    """What the registry takes; a change holds at once."""
    return {"robot": NEW, "person": "of-another-account"}


@pytest.fixture(params=["token", "basic"])
def simulator(request, accounts):
    simulator = RegistrySimulator(auth=request.param, accounts=accounts)
    simulator.add_image("team/app", "v1", [b"a layer"])
    return simulator


@pytest.fixture
def tried(simulator):
    """The user names and passwords that were sent, in order."""

    def tried():
        sent = [request.header("authorization") for request in simulator.requests]
        return [base64.b64decode(value.partition(" ")[2]).decode() for value in sent if value.startswith("Basic ")]

    return tried


@pytest.fixture
def fetch(environ, store, simulator):
    """Fetch a manifest with what is stored; the clock stands still."""

    def fetch():
        with (
            Resolver.from_config(environ=environ, store=store, clock=lambda: 1000.0) as resolver,
            Client(resolver, transport=simulator.transport(), sleep=lambda _: None) as client,
        ):
            return client.repository("r.example/team/app").manifest("v1")

    return fetch


def test_where_the_first_is_refused_the_second_gets_in_one_attempt_each(fetch, tried):
    assert fetch().layers
    assert tried()[:2] == [f"robot:{OLD}", f"robot:{NEW}"]
    assert tried().count(f"robot:{OLD}") == 1


def test_where_the_first_is_taken_the_second_is_never_sent(fetch, tried, accounts):
    accounts["robot"] = OLD
    assert fetch().layers
    assert set(tried()) == {f"robot:{OLD}"}


def test_where_both_are_refused_no_other_account_is_tried(fetch, tried, accounts):
    accounts["robot"] = "something else"
    with pytest.raises(Error) as caught:
        fetch()
    assert tried() == [f"robot:{OLD}", f"robot:{NEW}"]
    assert caught.value.exit_code == 4


@pytest.mark.parametrize("dates", [{"expires_at": 1000}, {"not_before": 1001}])
def test_a_second_one_outside_of_its_dates_is_not_sent(fetch, tried, store, dates):
    store.put(Principal(Address.parse("r.example/team"), "robot", (Slot(OLD, serial=1), Slot(NEW, serial=1, **dates))))
    with pytest.raises(Error):
        fetch()
    assert tried() == [f"robot:{OLD}"]


@pytest.mark.parametrize("status", [403, 429])
def test_neither_a_403_nor_a_429_of_the_token_server_brings_it(environ, store, status):
    from registryauth._http.messages import Response

    simulator = RegistrySimulator(accounts={"robot": NEW})
    passwords = []

    class Refusing:
        def send(self, request):
            if request.url.target.startswith("/token"):
                passwords.append(base64.b64decode(request.header("authorization").partition(" ")[2]).decode())
                return Response.of(status, (), request.url, b"")
            return simulator.handle(request)

        def close(self):
            pass

    with (
        Resolver.from_config(environ=environ, store=store, clock=lambda: 1000.0) as resolver,
        Client(resolver, transport=Refusing(), sleep=lambda _: None) as client,
        pytest.raises(TokenRefused),
    ):
        client.repository("r.example/team/app").manifest("v1")
    assert set(passwords) == {f"robot:{OLD}"}
