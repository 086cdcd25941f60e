from __future__ import annotations

import pytest

from registryauth.client import Client
from registryauth.stores.memory import MemoryStore
from registryauth.testing import RegistrySimulator

CANARY = "canary-2b77"


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
def accounts():
    """The simulator's user names and passwords; what is changed here holds at once."""
    return {"me": CANARY, "reader": CANARY}


@pytest.fixture
def simulator(accounts):
    """A registry at every address, over https; tests change it before they use it."""
    return RegistrySimulator(accounts=accounts, rights={"me": ["pull", "push"], "reader": []})


@pytest.fixture
def opened(simulator):
    """What `verify` opens its clients with."""
    return lambda credentials: Client(credentials, transport=simulator.transport(), environ={})


@pytest.fixture
def sent(simulator):
    """Where a secret was sent: method, origin and path of each request that carried one in any form."""

    def sent(secret=CANARY):
        import base64
        from urllib.parse import quote_plus

        forms = {secret, quote_plus(secret)}
        found = []
        for request in simulator.requests:
            text = f"{request.url} {request.body.decode('latin-1')} {' '.join(v for _, v in request.headers)}"
            for word in request.header("authorization").split(" ")[1:]:
                text += base64.b64decode(word + "===", altchars=b"-_").decode("latin-1") if word.isalnum() or "=" in word else ""
            if any(form in text for form in forms):
                found.append(f"{request.method} {request.url.origin}{request.url.target.partition('?')[0]}")
        return found

    return sent


class OneOf(str):
    """A password of the simulator's that several are: what a registry takes while two secrets are valid."""

    __slots__ = ("accepted",)

    def __new__(cls, *accepted):
        made = super().__new__(cls, accepted[0])
        made.accepted = set(accepted)
        return made

    def __eq__(self, other):
        return other in self.accepted

    __hash__ = str.__hash__
