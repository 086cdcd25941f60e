from __future__ import annotations

import pytest

from registryauth.credentials import Basic
from registryauth.errors import StoreLocked
from registryauth.reference import Address, Repository
from registryauth.resolver.answer import Absent
from registryauth.resolver.stored import Stored
from registryauth.stores import Principal, Slot
from registryauth.stores.memory import MemoryStore

CANARY = "canary-7f3a"


@pytest.fixture
def store():
    store = MemoryStore()
    store.put(
        Principal(Address.parse("registry.example/team"), "puller", (Slot(CANARY, expires_at=2000),), realm="https://auth.example/token")
    )
    store.put(Principal(Address.parse("registry.example"), "host", (Slot("x"),)))
    store.put(Principal(Address.parse("registry.example/team"), "other", (Slot("y"),), preferred_at=-1))
    return store


def ask(store, repository="registry.example/team/model", now=1000.0, **more):
    return Stored(lambda: store, clock=lambda: now, **more).ask(Repository.parse(repository))


def test_the_answer_says_which_entry_covers_the_repository_and_why(store):
    answer = ask(store)
    assert answer.detail == "team/model is covered by the entry for registry.example/team, account puller"
    assert answer.expires_at == 2000
    assert CANARY not in repr(answer)


def test_the_credential_carries_the_token_server_of_its_registration(store):
    pinned = ask(store).fetch()
    assert pinned.credential == Basic("puller", CANARY)
    assert [str(realm) for realm in pinned.realms] == ["https://auth.example"]


def test_another_path_gets_the_registrys_entry(store):
    assert ask(store, "registry.example/teams/model").fetch().credential == Basic("host", "x")


def test_one_of_several_accounts_can_be_named(store):
    assert ask(store, account="other").fetch().credential == Basic("other", "y")
    assert ask(store, account="nobody") == Absent("store", "no entry of account nobody for registry.example or a path above team/model")


def test_an_expired_secret_is_found_and_said_to_be_expired(store):
    assert ask(store, now=2000.0).detail.endswith("account puller, expired")


def test_another_registry_is_absent(store):
    assert ask(store, "evil.example/team/model") == Absent("store", "no entry for evil.example or a path above team/model")


def test_a_store_that_hands_out_a_foreign_entry_is_not_believed(store):
    foreign = store.get(Address.parse("registry.example/team"))
    store.get = lambda address, account=None: foreign
    answer = ask(store, "evil.example/team/model")
    assert isinstance(answer, Absent)
    assert "does not cover it" in answer.detail


def test_where_no_store_was_made_yet_the_answer_is_absent():
    assert ask(None) == Absent("store", "nothing was stored yet")


def test_a_locked_store_is_broken(store):
    def locked(address, account=None):
        raise StoreLocked("the key is not at hand")

    store.get = locked
    with pytest.raises(StoreLocked):
        ask(store)
