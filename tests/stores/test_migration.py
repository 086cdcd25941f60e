"""Every record from one store to another, and nothing lost on the way."""

from __future__ import annotations

import pytest

from registryauth.errors import Conflict, StoreError
from registryauth.reference import Address
from registryauth.stores.memory import MemoryStore
from registryauth.stores.migration import Migrated, migrate
from registryauth.testing.store_contract import a_record


@pytest.fixture
def source():
    found = MemoryStore()
    found.put(a_record("r.example/a", "deploy", "one", "two"))
    found.put(a_record("r.example/b"))
    return found


def contents(store):
    return [record.replace(revision=0) for record in store.list()]


def test_every_record_is_copied_whole_and_stays(source, store):
    before = source.list()
    assert migrate(source, store) == Migrated(2, 0)
    assert contents(store) == contents(source)
    assert source.list() == before


def test_what_was_interrupted_can_be_done_again(source, store):
    migrate(source, store)
    source.put(a_record("new.example"))
    assert migrate(source, store) == Migrated(1, 2)
    assert contents(store) == contents(source)


def test_another_record_in_the_way_stops_it_before_anything_is_written(source, store):
    there = store.put(a_record("r.example/b", "deploy", "another secret"))
    with pytest.raises(Conflict, match=r"deploy at r\.example/b") as caught:
        migrate(source, store)
    assert "--force" in caught.value.hint
    assert "another secret" not in str(caught.value)
    assert store.list() == [there]
    assert migrate(source, store, force=True) == Migrated(2, 0)
    assert contents(store) == contents(source)


def test_of_many_in_the_way_only_some_are_named(source, store):
    for number in range(9):
        source.put(a_record(f"r.example/n{number}"))
        store.put(a_record(f"r.example/n{number}", "deploy", "other"))
    with pytest.raises(Conflict, match="and 4 more"):
        migrate(source, store)


def test_a_record_that_changes_at_the_target_meanwhile_is_not_lost(source):
    class Busy(MemoryStore):
        def exact(self, key):
            found = super().exact(key)
            if found is None and not self._counter:
                super().put(a_record("r.example/a", "deploy", "of somebody else"))
            return found

    busy = Busy()
    with pytest.raises(Conflict):
        migrate(source, busy)
    assert busy.get(Address.parse("r.example/a")).slots[0].secret == "of somebody else"


def test_a_target_without_conditions_gets_none(source):
    class Simple(MemoryStore):
        conditional = False

        def put(self, principal, if_revision=None):
            assert if_revision is None
            return super().put(principal)

    simple = Simple()
    migrate(source, simple)
    assert contents(simple) == contents(source)


@pytest.mark.parametrize("spoil", [lambda record: record.replace(owner="x"), lambda _: None])
def test_a_record_that_does_not_come_back_is_told(source, spoil):
    class Spoiling(MemoryStore):
        def exact(self, key):
            found = super().exact(key)
            return spoil(found) if found else None

    with pytest.raises(StoreError, match="does not come back") as caught:
        migrate(source, Spoiling())
    assert caught.value.hint
    assert len(source.list()) == 2
