from __future__ import annotations

import pytest

from registryauth.testing import RegistrySimulator

from .images import repository_of


@pytest.fixture
def simulator():
    return RegistrySimulator(auth="none")


@pytest.fixture
def repository(simulator):
    return repository_of(simulator)
