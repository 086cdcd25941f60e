"""The pytest plugin that comes with this package: a registry and an Azure as fixtures.

pytest loads it by itself (entry point ``pytest11``), into the runs of those who use none of it, too: nothing of ours is
imported before a fixture is asked for. ``-p no:registryauth`` leaves it out.
"""

from __future__ import annotations

import pytest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from registryauth.testing.azure.simulator import AzureSimulator
    from registryauth.testing.served import ServedRegistry

# Its asserts explain themselves in the tests of a store, however this package was installed.
pytest.register_assert_rewrite("registryauth.testing.store_contract")


@pytest.fixture
def registry_simulator() -> Iterator[ServedRegistry]:
    """An empty registry with token authentication, of this test alone, at ``registry_simulator.address`` (plain http, loopback)."""
    from registryauth.testing.served import ServedRegistry

    with ServedRegistry.served() as registry:
        yield registry


@pytest.fixture
def azure_simulator() -> AzureSimulator:
    """An Azure of this test alone, with an empty subscription; its ``transport()``, ``serve()`` and ``proxy()`` lead into it."""
    from registryauth.testing.azure.simulator import AzureSimulator

    return AzureSimulator()
