from __future__ import annotations

import pytest

from registryauth.principals import note_consumer, prune
from registryauth.reference import Address
from registryauth.stores import Principal, Slot
from registryauth.stores.memory import MemoryStore

NOW = 1000
HOST = Address.parse("registry.example")


def a_record(account="me", remove_after=NOW, slots=None):
    return Principal(HOST, account, slots or (Slot("new", serial=2), Slot("old", serial=1, remove_after=remove_after)))


@pytest.fixture
def keep(store):
    return lambda *said, **more: store.put(a_record(*said, **more))


def states(store, **how):
    return [verdict.state for verdict in prune(store, store.list(), NOW, **how)]


def secrets(store):
    return {record.account: [slot.secret for slot in record.slots] for record in store.list()}


def test_a_secret_whose_time_has_come_is_removed_once(store, keep):
    before = keep()
    [verdict] = prune(store, [before], NOW + 0.5)
    assert (verdict.state, verdict.serial, verdict.remove_after) == ("removed", 1, NOW)
    assert secrets(store) == {"me": ["new"]}
    assert verdict.principal == store.exact(before.key)
    assert (states(store), secrets(store)) == ([], {"me": ["new"]})


def test_a_secret_that_is_not_due_stays_even_if_forced(store, keep):
    keep(remove_after=NOW + 1)
    assert (states(store), states(store, force=True)) == (["kept"], ["kept"])
    assert secrets(store) == {"me": ["new", "old"]}


def test_a_second_secret_of_which_nobody_said_when_it_may_go_stays(store, keep):
    keep(remove_after=0)
    assert states(store, force=True) == ["kept"]
    assert secrets(store) == {"me": ["new", "old"]}


def test_a_next_secret_that_waits_is_none_of_our_business(store, keep):
    keep(slots=(Slot("current", serial=1), Slot("next", serial=2)))
    assert states(store, force=True) == []
    assert secrets(store) == {"me": ["current", "next"]}


def test_what_a_consumer_still_has_stays_unless_forced(store, keep):
    key = keep().key
    for target, serial in (("behind", 1), ("up to date", 2), ("lost long ago", 0)):
        note_consumer(store, key, target, "env", serial, 5)
    [verdict] = prune(store, store.list(), NOW)
    assert (verdict.state, [consumer.target for consumer in verdict.consumers]) == ("held", ["behind"])
    assert secrets(store) == {"me": ["new", "old"]}
    assert states(store, force=True) == ["removed"]
    assert secrets(store) == {"me": ["new"]}


def test_one_that_is_held_does_not_stop_the_others(store, keep):
    note_consumer(store, keep("a").key, "x", "env", 1, 5)
    keep("b")
    keep("c", remove_after=NOW + 9)
    assert states(store) == ["held", "removed", "kept"]
    assert secrets(store) == {"a": ["new", "old"], "b": ["new"], "c": ["new", "old"]}


def test_a_dry_run_says_the_same_and_does_nothing(store, keep):
    keep("a")
    keep("b", remove_after=NOW + 9)
    before = store.list()
    assert states(store, dry_run=True) == ["removed", "kept"]
    assert store.list() == before


def test_a_consumer_that_came_in_between_holds_the_secret(keep):
    class Overtaken(MemoryStore):
        """Somebody is given the old secret right before it is removed."""

        def put(self, principal, if_revision=None):
            if if_revision and len(principal.slots) == 1 and not self.exact(principal.key).consumers:
                note_consumer(self, principal.key, "late", "env", 1, NOW)
            return super().put(principal, if_revision)

    store = Overtaken()
    store.put(a_record())
    [verdict] = prune(store, store.list(), NOW)
    assert (verdict.state, verdict.consumers[0].target) == ("held", "late")
    assert secrets(store) == {"me": ["new", "old"]}


def test_a_rotation_that_came_in_between_is_not_undone(store, keep):
    seen = [keep()]
    newer = (Slot("newest", serial=3), Slot("new", serial=2, remove_after=NOW + 9))
    store.put(seen[0].replace(slots=newer))
    assert [verdict.state for verdict in prune(store, seen, NOW)] == ["kept"]
    assert store.list()[0].slots == newer


def test_what_somebody_removed_meanwhile_is_passed_over(store, keep):
    gone, stays = keep("a"), keep("b")
    store.delete(gone.key)
    assert [verdict.principal.account for verdict in prune(store, [gone, stays], NOW)] == ["b"]
