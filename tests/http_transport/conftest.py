"""Transports and authorities for the tests in this directory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from registryauth._http.direct import DirectTransport

from .certificates import Authority


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def transport() -> Iterator[DirectTransport]:
    """One that loses patience soon."""
    transport = DirectTransport(connect_timeout=5, read_timeout=5)
    yield transport
    transport.close()


@pytest.fixture
def hasty() -> Iterator[DirectTransport]:
    """One that loses patience at once."""
    transport = DirectTransport(connect_timeout=0.3, read_timeout=0.1)
    yield transport
    transport.close()
