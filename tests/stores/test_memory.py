from __future__ import annotations

import pytest

from registryauth.stores.memory import MemoryStore
from registryauth.testing.store_contract import StoreContract, a_record


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore()


def test_a_closed_store_has_forgotten() -> None:
    store = MemoryStore()
    store.put(a_record("r.example"))
    store.close()
    assert store.list() == []
