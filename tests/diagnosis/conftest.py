"""A chain in which every link holds, for tests to break one of."""

from __future__ import annotations

import time

import pytest

from registryauth.client import Client
from registryauth.config import load
from registryauth.diagnosis import Blotter, Tools, Walk, examine
from registryauth.diagnosis.network import Certificate, Found, Handshake
from registryauth.errors import TransportError
from registryauth.reference import Address, Reference
from registryauth.resolver import Resolver
from registryauth.stores import Principal, Slot
from registryauth.stores.memory import MemoryStore
from registryauth.testing import RegistrySimulator

HOST = "registry.example.com"
CANARY = "canary-5e3a-secret"


class Line:
    def getpeername(self):
        return ("192.0.2.1", 443)

    def close(self):
        pass


class FakeNetwork:
    """Everything is found and believed, but for what is in *lost*, *refusing* or *unbelieved*, by host."""

    def __init__(self):
        self.found = {}
        self.lost, self.refusing, self.unbelieved = set(), set(), {}
        self.days, self.age = 90, 80
        self.asked = []

    def addresses(self, host, port):
        self.asked.append(host)
        if host in self.lost:
            raise TransportError(f"{host} cannot be found: Name or service not known", hint="is the name right?")
        return self.found.get(host, Found(("192.0.2.1",), host))

    def connect(self, origin, proxy):
        if origin.hostname in self.refusing:
            raise TransportError(f"{origin} refuses connections", hint="nothing listens there: is the port right, and the server up?")
        return Line()

    def handshake(self, origin, proxy, trust):
        if origin.hostname in self.unbelieved:
            raise self.unbelieved[origin.hostname]
        return Handshake("TLSv1.3", self.certificate(origin.hostname))

    def shown(self, origin, proxy):
        return self.certificate(origin.hostname)

    def certificate(self, host):
        return Certificate(
            f"CN={host}", "CN=an authority", (host,), int(time.time() - self.age * 86400), int(time.time() + self.days * 86400 + 60)
        )


@pytest.fixture
def network():
    return FakeNetwork()


@pytest.fixture
def simulator():
    simulator = RegistrySimulator(accounts={"me": CANARY, "reader": CANARY}, rights={"me": ["pull"], "reader": []})
    amd = simulator.add_image("team/model", "amd", [b"a layer"], "linux/amd64")
    simulator.add_index("team/model", "v1", {"linux/amd64": amd})
    return simulator


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
def keep(store):
    def keep(secret=CANARY, account="me", address=HOST, second="", dates=None, **said):
        slots = (Slot(secret, serial=2 if second else 1, **(dates or {})), *((Slot(second, serial=1),) if second else ()))
        store.put(Principal(Address.parse(address), account, slots, **said))

    return keep


@pytest.fixture
def walk(simulator, network, store, home):
    """``walk(text, …)``: the diagnosis of *text*; each step is also in the dictionary that comes with it."""
    opened = []

    def nowhere(*_):
        return None

    def walk(text=f"{HOST}/team/model:v1", *, platform=None, environ=None, insecure=False, account=None, meaning=None, standing=nowhere):
        environ = {"HOME": str(home), **(environ or {})}

        def open_client(credentials, host):
            allowed = [host] if insecure else []
            opened.append(simulator.transport())
            return Client(credentials, transport=opened[-1], environ={}, sleep=lambda _: None, insecure=allowed)

        with Resolver.from_config(load(environ), environ, store, account=account) as resolver:
            tools = Tools(
                resolver, open_client, Reference.parse, network, lambda _: _nobody(), environ, lambda _: insecure,
                time.time, time.perf_counter, Blotter(), lambda _: meaning, standing,
            )  # fmt: skip
            found = examine(Walk(text, tools, platform))
        assert all(transport.closed for transport in opened)
        return found

    return walk


def _nobody():
    from registryauth._http.tls import Trust

    return Trust()


def broken_at(found, name):
    """That *found* is broken at exactly the step *name*: what was before it holds, what is after it was not looked at; gives the step."""
    at = [step.name for step in found.steps].index(name)
    assert [(s.name, s.outcome, s.detail) for s in found.steps[:at] if s.outcome not in ("ok", "warning")] == []
    assert found.steps[at].outcome == "broken", found.steps[at]
    assert {step.outcome for step in found.steps[at + 1 :]} <= {"skipped"}
    assert (found.outcome, found.exit_code, found.broken) == ("broken", 7, found.steps[at])
    return found.steps[at]
