"""What every test runs under: a home of its own, and no foreign program unless --real asks for them."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import pytest

#: Whatever a developer's shell or a CI runner sets and our code, keyring, httpx or a container client reads.
_FOREIGN = {
    "REGISTRY_AUTH_FILE", "DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY", "PYTHON_KEYRING_BACKEND", "CREDENTIALS_DIRECTORY",
    "NETRC", "VIRTUAL_ENV", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "TTY_COMPATIBLE", "TTY_INTERACTIVE",
}  # fmt: skip
_FOREIGN_PREFIXES = ("XDG_", "REGISTRYAUTH_", "DOCKER_", "CONTAINERS_", "SSL_CERT_", "KEYRING_PROPERTY_", "AZURE_", "VAULT_", "BAO_")

# Other work on the same machine makes single examples slow; a deadline would only measure that.
hypothesis.settings.register_profile("shared machine", deadline=None)
hypothesis.settings.load_profile("shared machine")

# Its asserts explain themselves, too, when they fail; here, before any test imports it.
pytest.register_assert_rewrite("registryauth.testing.store_contract")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--real", action="store_true", help="also run the tests that need servers and clients we did not write")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--real"):
        return
    for item in items:
        if item.get_closest_marker("real"):
            item.add_marker(pytest.mark.skip(reason="needs --real"))


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty directory that this test has as HOME; apart from tmp_path, so that a test may list that."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def _own_environment(home: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the user's is read, nothing of it is written."""
    for name in list(os.environ):
        if name in _FOREIGN or name.startswith(_FOREIGN_PREFIXES) or name.upper().endswith("_PROXY"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    # Unset, this one does not fall back to HOME: containers' tools would write below /run.
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
