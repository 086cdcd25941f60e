from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registryauth.errors import CredentialNotFound
from registryauth.principals import forget_consumer, note_consumer
from registryauth.principals.consumers import MAX_CONSUMERS, MAX_TARGET, behind, on_replaced, target_name
from registryauth.reference import Address
from registryauth.stores import Consumer, Key, Principal, Slot
from registryauth.stores.limits import refuse_unstorable

KEY = Key(Address.parse("registry.example"), "me")


@pytest.fixture(autouse=True)
def _kept(store):
    store.put(Principal(KEY.address, "me", (Slot("two", serial=2), Slot("one", serial=1, remove_after=5))))


def test_a_consumer_is_noted_with_what_it_has(store):
    done = note_consumer(store, KEY, "/srv/config.json", "docker-config", 2, 77.5)
    assert done.consumers == (Consumer("/srv/config.json", "docker-config", 2, 77),)
    assert store.exact(KEY) == done


def test_the_same_target_is_one_consumer_and_the_newest_secret_counts(store):
    note_consumer(store, KEY, "a", "env", 1, 1)
    note_consumer(store, KEY, "b", "env", 1, 2)
    done = note_consumer(store, KEY, "a", "docker-config", 2, 3)
    assert done.consumers == (Consumer("b", "env", 1, 2), Consumer("a", "docker-config", 2, 3))


def test_what_is_known_is_not_written_again(store):
    first = note_consumer(store, KEY, "a", "env", 1, 1)
    assert note_consumer(store, KEY, "a", "env", 1, 99) == first


def test_only_so_many_are_kept_and_the_oldest_go(store):
    for number in range(MAX_CONSUMERS + 3):
        note_consumer(store, KEY, f"target {number}", "env", 1, number)
    targets = [consumer.target for consumer in store.exact(KEY).consumers]
    assert targets == [f"target {number}" for number in range(3, MAX_CONSUMERS + 3)]


def test_the_largest_consumers_still_fit_into_a_record(store):
    for number in range(MAX_CONSUMERS):
        done = note_consumer(store, KEY, "\U0001f511" * 2000 + str(number), "docker-config", 1, number)
    assert len(done.consumers) == MAX_CONSUMERS
    refuse_unstorable(done)


@given(st.text(max_size=3000))
def test_a_target_s_name_is_bounded_printable_and_its_own_name(target):
    import json

    name = target_name(target)
    assert len(json.dumps(name)) <= MAX_TARGET
    assert name.isprintable()
    assert target_name(name) == name


def test_a_long_target_keeps_its_end_where_names_differ():
    name = target_name("/very/long" * 100 + "/config.json")
    assert name.startswith("…")
    assert name.endswith("/very/long/config.json")


def test_a_consumer_that_is_gone_is_struck_out(store):
    note_consumer(store, KEY, "a", "env", 1, 1)
    note_consumer(store, KEY, "b", "env", 1, 2)
    assert [consumer.target for consumer in forget_consumer(store, KEY, "a", 3).consumers] == ["b"]
    with pytest.raises(CredentialNotFound, match="a is no consumer of me at registry"):
        forget_consumer(store, KEY, "a", 4)


def test_a_consumer_is_found_again_by_the_name_that_was_too_long(store):
    target = "x" * 5000
    note_consumer(store, KEY, target, "env", 1, 1)
    assert forget_consumer(store, KEY, target, 2).consumers == ()


def test_who_is_behind_and_who_would_lose_a_secret_that_works(store):
    for target, serial in (("current", 2), ("old", 1), ("lost long ago", 0)):
        done = note_consumer(store, KEY, target, "env", serial, serial)
    assert [consumer.target for consumer in behind(done)] == ["old", "lost long ago"]
    assert [consumer.target for consumer in on_replaced(done)] == ["old"]
    assert on_replaced(done.replace(slots=done.slots[:1])) == ()


def test_a_principal_that_is_gone_has_no_consumers(store):
    store.delete(KEY)
    with pytest.raises(CredentialNotFound):
        note_consumer(store, KEY, "a", "env", 1, 1)
    assert store.list() == []
