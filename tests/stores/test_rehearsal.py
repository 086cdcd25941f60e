from __future__ import annotations

import pytest

from registryauth.errors import StoreLocked
from registryauth.reference import Address
from registryauth.stores import Principal, Slot, open_store
from registryauth.stores.rehearsal import rehearse


@pytest.fixture
def store(tmp_path):
    with_key = open_store(str(tmp_path / "store.db"), "file", str(tmp_path / "key"), {})
    yield with_key
    with_key.close()


def put(store):
    return store.put(Principal(Address.parse("host.example"), "me", (Slot("x"),)))


def test_nothing_of_it_stays(store, tmp_path):
    record = put(store)
    before = (tmp_path / "store.db").read_bytes()
    assert rehearse(store)
    assert (tmp_path / "store.db").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["key", "store.db"]
    assert store.list() == [record]
    assert store.put(record).revision == record.revision + 1


def test_no_store_is_made_for_it(store, tmp_path):
    assert not rehearse(store)
    assert list(tmp_path.iterdir()) == []


def test_without_the_key_nothing_is_tried(store, tmp_path):
    put(store)
    store.close()
    (tmp_path / "key").unlink()
    with pytest.raises(StoreLocked):
        rehearse(store)
