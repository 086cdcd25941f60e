"""An Azure with one tenant, one application and one registry, and the ways to ask it."""

from __future__ import annotations

import pytest

from registryauth.testing.azure import AzureSimulator

from .asking import Asking


class Clock:
    def __init__(self):
        self.now = 1_700_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def azure(clock):
    return AzureSimulator(clock=clock)


@pytest.fixture
def tenant(azure):
    return azure.tenant("contoso")


@pytest.fixture
def app(tenant):
    return tenant.app("deploy")


@pytest.fixture
def registry(azure):
    registry = azure.registry("myregistry")
    registry.images.add_image("team/app", "v1", (b"a layer",))
    registry.images.add_image("other", "v1")
    return registry


@pytest.fixture
def ask(azure):
    return Asking(azure)
