"""A registry simulator behind a socket, which knows where it listens and who may log in."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from registryauth.credentials import Basic
from registryauth.testing.registry_simulator import RegistrySimulator

_TESTER = "tester"


class ServedRegistry(RegistrySimulator):
    """What the fixture ``registry_simulator`` gives: `RegistrySimulator`, served at `address`, ``127.0.0.1:PORT``.

    *accounts* maps user names to passwords and stays live; it begins with that of `credential`, whose password is another one
    each time. `auth`, `features` and `blob_redirect` can be set anew, and faults injected, at any time.
    """

    def __init__(self) -> None:
        self.accounts = {_TESTER: secrets.token_urlsafe(16)}
        self.credential = Basic(_TESTER, self.accounts[_TESTER])
        self.address = ""
        super().__init__(accounts=self.accounts)

    @classmethod
    @contextmanager
    def served(cls) -> Iterator[ServedRegistry]:
        """One that listens on the loopback, over plain http, until the end of the ``with``."""
        registry = cls()
        with registry.serve() as registry.address:
            yield registry
