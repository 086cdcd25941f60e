from __future__ import annotations

import pytest

from registryauth.credentials import Basic
from registryauth.errors import AmbiguousCredential, CredentialNotFound, StoreLocked
from registryauth.reference import Address, Repository
from registryauth.resolver import Resolver
from registryauth.resolver.answer import Absent
from registryauth.resolver.stored import Stored
from registryauth.stores import Key, Principal, Slot
from registryauth.stores.memory import MemoryStore

CANARY = "canary-7f3a"


@pytest.fixture
def store():
    store = MemoryStore()
    store.put(
        Principal(
            Address.parse("registry.example/team"),
            "puller",
            (Slot(CANARY, expires_at=2000, serial=3),),
            realm="https://auth.example/token",
            preferred_at=1,
        )
    )
    store.put(Principal(Address.parse("registry.example"), "host", (Slot("x"),)))
    store.put(Principal(Address.parse("registry.example/team"), "other", (Slot("y"),)))
    return store


def ask(store, repository="registry.example/team/model", now=1000.0, **more):
    return Stored(lambda: store, clock=lambda: now, **more).ask(Repository.parse(repository))


def test_the_answer_says_which_entry_covers_the_repository_and_why(store):
    answer = ask(store)
    assert answer.detail == "team/model is covered by the entry for registry.example/team, account puller"
    assert (answer.expires_at, answer.account, answer.serial) == (2000, "puller", 3)
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
    store.nearest = lambda address, account=None: [foreign]
    answer = ask(store, "evil.example/team/model")
    assert isinstance(answer, Absent)
    assert "does not cover it" in answer.detail


def test_where_no_store_was_made_yet_the_answer_is_absent():
    assert ask(None) == Absent("store", "nothing was stored yet")


def test_several_repositories_are_answered_by_one_read_and_an_ambiguous_one_spoils_no_other(store):
    reads, nearest_all = [], store.nearest_all
    store.nearest_all = lambda questions: reads.append(questions) or nearest_all(questions)
    source = Stored(lambda: store, clock=lambda: 1000.0)
    for account in ("a", "b"):
        store.put(Principal(Address.parse("two.example"), account, (Slot("x"),)))
    names = ("registry.example/team/model", "registry.example/other", "two.example/x", "evil.example/x")
    answers = source.ask_all([Repository.parse(name) for name in names])
    assert len(reads) == 1
    one, other, ambiguous, nothing = answers.values()
    assert (one.fetch().credential, other.fetch().credential) == (Basic("puller", CANARY), Basic("host", "x"))
    assert isinstance(ambiguous, AmbiguousCredential)
    assert isinstance(nothing, Absent)


def test_a_locked_store_is_broken(store):
    def locked(address, account=None):
        raise StoreLocked("the key is not at hand")

    store.nearest = locked
    with pytest.raises(StoreLocked):
        ask(store)


def test_an_account_that_the_configuration_names_for_the_registry_is_the_one(store):
    rule = {"registry.example": "other"}
    assert ask(store, accounts=rule).fetch().credential == Basic("other", "y")
    assert ask(store, accounts=rule, account="puller").fetch().credential == Basic("puller", CANARY)
    assert ask(store, accounts={"registry.example:443": "other"}).fetch().credential == Basic("puller", CANARY)
    assert ask(store, accounts={"registry.example": "nobody"}).detail.startswith(
        "no entry of account nobody, which the configuration names, "
    )


def test_several_accounts_of_which_none_is_the_default_are_an_error_that_says_how_to_choose(store):
    store.put(store.get(Address.parse("registry.example/team"), "puller").replace(preferred_at=0))
    with pytest.raises(AmbiguousCredential) as caught:
        ask(store)
    assert caught.value.message == "2 accounts are stored for registry.example/team and none of them is the default: other, puller"
    for way in ("--account", '[registries."registry.example"]', "registryauth principal default registry.example/team"):
        assert way in caught.value.hint
    assert CANARY not in caught.value.message + caught.value.hint
    assert ask(store, account="puller").fetch().credential == Basic("puller", CANARY)


def test_a_disabled_entry_is_absent_and_said_to_be_disabled(store):
    for account in ("puller", "other", "host"):
        record = store.get(Address.parse("registry.example/team"), account)
        store.put(record.replace(disabled_at=1))
    answer = ask(store)
    assert isinstance(answer, Absent)
    assert answer.detail == (
        "no entry for registry.example or a path above team/model; disabled: "
        "puller at registry.example/team, other at registry.example/team, host at registry.example"
    )


def test_where_all_are_disabled_the_error_says_how_to_enable_one(store):
    for account in ("puller", "other", "host"):
        store.put(store.get(Address.parse("registry.example/team"), account).replace(disabled_at=1))
    with pytest.raises(CredentialNotFound) as caught:
        Resolver([Stored(lambda: store, clock=lambda: 1000.0)]).resolve("registry.example/team/model:v1")
    assert caught.value.hint.startswith("registryauth principal enable registry.example/team --account ")


def test_an_account_that_was_asked_for_is_in_the_command_that_enables_it(store):
    store.put(store.get(Address.parse("registry.example/team"), "other").replace(disabled_at=1))
    with pytest.raises(CredentialNotFound) as caught:
        Resolver([Stored(lambda: store, account="other", clock=lambda: 1000.0)]).resolve("registry.example/team/model:v1")
    assert caught.value.hint == "registryauth principal enable registry.example/team --account other"


def test_the_entry_above_a_disabled_one_answers_and_says_so(store):
    store.put(store.get(Address.parse("registry.example/team"), "puller").replace(disabled_at=1))
    store.delete(store.get(Address.parse("registry.example/team"), "other").key)
    answer = ask(store)
    assert answer.fetch().credential == Basic("host", "x")
    assert answer.detail == (
        "team/model is covered by the entry for registry.example, account host; disabled: puller at registry.example/team"
    )


def test_both_secrets_of_a_rotation_are_offered_while_both_are_within_their_dates(store):
    key = Address.parse("registry.example/team")
    slots = (Slot("new", serial=2), Slot("old", serial=1, expires_at=2000, remove_after=1500))
    store.put(store.get(key, "puller").replace(slots=slots))
    assert [pinned.credential for pinned in ask(store, now=1000.0).fetch_all()] == [Basic("puller", "new"), Basic("puller", "old")]
    assert [pinned.credential for pinned in ask(store, now=2000.0).fetch_all()] == [Basic("puller", "new")]


def test_what_was_read_is_read_again_only_after_a_change(store):
    reads, stamp = [], ["one"]
    nearest = store.nearest
    store.nearest = lambda *asked: reads.append(asked) or nearest(*asked)
    store.stamp = lambda: stamp[0]
    source = Stored(lambda: store, clock=lambda: 1000.0)
    model, other = Repository.parse("registry.example/team/model"), Repository.parse("registry.example/other")
    for repository in (model, other, model, other):
        source.ask(repository)
    assert len(reads) == 2
    store.put(store.exact(Key(Address.parse("registry.example/team"), "puller")).replace(slots=(Slot("changed"),)))
    stamp[0] = "two"
    assert source.ask(model).fetch().credential == Basic("puller", "changed")
    assert len(reads) == 3


def test_the_dates_are_looked_at_each_time(store):
    store.stamp = lambda: "never changes"
    now = [1000.0]
    source = Stored(lambda: store, clock=lambda: now[0])
    repository = Repository.parse("registry.example/team/model")
    assert "expired" not in source.ask(repository).detail
    now[0] = 2000.0
    assert source.ask(repository).detail.endswith(", expired")
