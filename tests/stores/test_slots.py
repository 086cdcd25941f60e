"""Which of a principal's secrets is handed out, and what its slots are after a new one."""

from __future__ import annotations

import pytest

from registryauth.reference import Address
from registryauth.stores import Principal, Slot

NOW = 1000


def record(*slots):
    return Principal(Address.parse("registry.example"), "me", slots)


def handed_out(principal, now=NOW):
    return [pinned.credential.password for pinned in principal.candidates(now)]


def test_a_next_secret_is_handed_to_nobody_until_it_is_current():
    principal = record(Slot("one", serial=1), Slot("two", serial=2))
    assert principal.pending == Slot("two", serial=2)
    assert principal.replaced is None
    assert handed_out(principal) == ["one"]
    assert principal.slot(NOW).secret == "one"


def test_not_even_when_the_current_one_has_expired():
    principal = record(Slot("one", serial=1, expires_at=NOW - 1), Slot("two", serial=2))
    assert principal.slot(NOW).secret == "one"
    assert principal.credential(NOW).password == "one"
    assert handed_out(principal) == ["one"]


def test_a_replaced_secret_is_the_second_candidate_until_it_expires():
    principal = record(Slot("two", serial=2), Slot("one", serial=1, expires_at=NOW + 5, remove_after=NOW + 1))
    assert principal.pending is None
    assert principal.replaced.secret == "one"
    assert handed_out(principal) == ["two", "one"]
    assert handed_out(principal, NOW + 5) == ["two"]


def test_a_replaced_secret_is_handed_out_first_while_the_new_one_is_not_valid_yet():
    principal = record(Slot("two", serial=2, not_before=NOW + 5), Slot("one", serial=1))
    assert handed_out(principal) == ["one"]
    assert handed_out(principal, NOW + 5) == ["two", "one"]


def test_secrets_without_serials_are_two_candidates_as_ever():
    principal = record(Slot("one"), Slot("two"))
    assert principal.pending is None
    assert handed_out(principal) == ["one", "two"]


@pytest.mark.parametrize(("slots", "serial"), [((), 1), ((Slot("a"),), 1), ((Slot("a", serial=1), Slot("b", serial=2)), 3)])
def test_the_next_serial_is_one_that_no_secret_had(slots, serial):
    assert record(*slots).next_serial == serial


def test_a_new_secret_takes_the_place_of_the_current_one():
    renewed = record(Slot("one", serial=4, expires_at=9)).renewed(Slot("two", added_at=NOW), NOW)
    assert renewed == (Slot("two", added_at=NOW, serial=5),)


def test_the_same_secret_again_stays_the_one_that_consumers_have():
    before = (Slot("one", added_at=1, serial=4, expires_at=9, not_before=2), Slot("old", serial=3, remove_after=NOW + 1))
    assert record(*before).renewed(Slot("one", added_at=NOW, serial=1), NOW) == before
    dated = record(*before).renewed(Slot("one", expires_at=10), NOW)
    assert dated == (before[0].replace(expires_at=10), before[1])


def test_a_replaced_secret_stays_as_long_as_the_rotation_said():
    old = Slot("old", serial=3, remove_after=NOW + 1)
    assert record(Slot("one", serial=4), old).renewed(Slot("two"), NOW)[1:] == (old,)
    assert record(Slot("one", serial=4), old).renewed(Slot("two"), NOW + 1)[1:] == ()
    assert record(Slot("one", serial=4), old).renewed(Slot("old"), NOW) == (Slot("old", serial=5),)


def test_a_next_secret_that_waited_goes():
    assert record(Slot("one", serial=1), Slot("two", serial=2)).renewed(Slot("three"), NOW) == (Slot("three", serial=3),)
