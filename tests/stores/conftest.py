from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from registryauth.stores.encrypted import EncryptedStore

OpenStore = Callable[[], EncryptedStore]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """An empty directory of ours alone."""
    found = tmp_path / "place"
    found.mkdir(mode=0o700)
    return found


@pytest.fixture
def open_again(place: Path) -> OpenStore:
    """Opens the store of this test as a new process would: nothing remembered, its key in a file of another directory."""
    return lambda: EncryptedStore(str(place / "data" / "store.db"), key="file", key_file=str(place / "config" / "store.key"), environ={})


@pytest.fixture
def store(open_again: OpenStore) -> EncryptedStore:
    return open_again()
