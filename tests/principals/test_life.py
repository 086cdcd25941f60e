from __future__ import annotations

import pytest

from registryauth.errors import AmbiguousCredential, Conflict, CredentialNotFound
from registryauth.principals import disable, enable, find, prefer, register, remove
from registryauth.reference import Address
from registryauth.stores import Key, Principal, Slot

HOST = Address.parse("registry.example")
TEAM = Address.parse("registry.example/team")
KEY = Key(HOST, "me")


@pytest.fixture
def keep(store):
    def keep(account="me", address=HOST, **said):
        return store.put(Principal(address, account, (Slot("secret", serial=1),), **said))

    return keep


# -- finding --


def test_the_only_account_needs_no_name(store, keep):
    kept = keep()
    assert find(store, HOST) == kept


def test_which_of_several_is_never_guessed(store, keep):
    keep(preferred_at=9)
    other = keep("other")
    with pytest.raises(AmbiguousCredential, match=r"registry\.example has several accounts: me, other") as raised:
        find(store, HOST)
    assert "--account" in raised.value.hint
    assert find(store, HOST, "other") == other


def test_what_is_not_there_is_not_found_and_what_covers_it_is_named(store, keep):
    with pytest.raises(CredentialNotFound):
        find(store, HOST)
    keep()
    with pytest.raises(CredentialNotFound, match=r"is stored for registry\.example/team/x") as raised:
        find(store, Address.parse("registry.example/team/x"))
    assert raised.value.hint == "the entry for registry.example is what covers it"
    with pytest.raises(CredentialNotFound, match=r"no credential of you is stored for registry\.example/team") as raised:
        find(store, TEAM, "you")
    assert "covers" not in raised.value.hint


# -- on and off --


def test_what_is_disabled_stays_so_with_its_first_date_until_it_is_enabled(store, keep):
    keep()
    assert disable(store, KEY, 100.5).disabled_at == 100
    assert disable(store, KEY, 200).disabled_at == 100
    done = enable(store, KEY, 300)
    assert (done.disabled_at, done.updated_at) == (0, 300)
    revision = store.exact(KEY).revision
    assert enable(store, KEY, 400).revision == revision


def test_a_disabled_one_keeps_its_secrets(store, keep):
    before = keep()
    disable(store, KEY, 1)
    assert store.exact(KEY).slots == before.slots


# -- the default --


def test_the_chosen_account_becomes_the_default_whatever_the_clock_says(store, keep):
    keep("me", preferred_at=900_000_000)
    keep("other")
    # The clock went back: 5 seconds are less than what is stored.
    prefer(store, Key(HOST, "other"), 5)
    assert store.get(HOST).account == "other"
    prefer(store, KEY, 5)
    assert store.get(HOST).account == "me"


def test_the_default_chosen_again_is_not_written_again(store, keep):
    keep("me")
    keep("other")
    done = prefer(store, KEY, 5)
    assert prefer(store, KEY, 6) == done


def test_the_first_account_of_an_address_is_its_default_and_a_second_one_is_not(store):
    first, second = (register(store, HOST, account, "s", None, made_by="admin").principal for account in ("first", "second"))
    elsewhere = register(store, TEAM, "third", "s", None, made_by="admin").principal
    assert [bool(record.preferred_at) for record in (first, second, elsewhere)] == [True, False, True]
    assert store.get(HOST).account == "first"
    register(store, HOST, "second", "s", None, made_by="admin", default=True)
    assert store.get(HOST).account == "second"


def test_registering_again_does_not_take_the_default(store):
    register(store, HOST, "first", "s", None, made_by="admin", clock=lambda: 1.0)
    register(store, HOST, "second", "s", None, made_by="admin", clock=lambda: 2.0)
    register(store, HOST, "second", "t", None, made_by="admin", clock=lambda: 3.0)
    assert store.get(HOST).account == "first"


def test_who_logs_in_wants_that_account(store):
    register(store, HOST, "first", "s", None, made_by="admin", clock=lambda: 1.0)
    register(store, HOST, "second", "s", None, made_by="login", clock=lambda: 2.0)
    assert store.get(HOST).account == "second"


# -- removing --


def test_what_was_seen_is_removed(store, keep):
    keep("other")
    remove(store, keep())
    assert [record.account for record in store.list()] == ["other"]


def test_a_note_that_came_in_between_does_not_stand_in_the_way(store, keep):
    seen = keep()
    keep(owner="ml")
    remove(store, seen)
    assert store.list() == []


def test_a_secret_that_nobody_looked_at_is_not_removed(store, keep):
    seen = keep()
    store.put(seen.replace(slots=(Slot("another", serial=2),)))
    with pytest.raises(Conflict, match="nothing was removed"):
        remove(store, seen)
    assert store.list()


def test_what_is_gone_cannot_be_removed(store, keep):
    seen = keep()
    remove(store, seen)
    with pytest.raises(CredentialNotFound):
        remove(store, seen)
