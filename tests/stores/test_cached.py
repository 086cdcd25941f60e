"""A fleet survives its vault being away, for as long as it was told, and by what it asked before."""

from __future__ import annotations

import pytest

from registryauth.errors import StoreCorrupt, StoreLocked, StoreUnavailable
from registryauth.reference import Address
from registryauth.stores.cached import CachedStore
from registryauth.stores.memory import MemoryStore
from registryauth.stores.remote import Unreachable
from registryauth.testing import StoreContract
from registryauth.testing.store_contract import a_record

HOST, APP = Address.parse("r.example"), Address.parse("r.example/team/app")
AWAY = Unreachable("the vault cannot be reached", hint="is it up?")
HOUR = 3600


class Remote(MemoryStore):
    """A remote store that can go away, and counts what it is asked."""

    failure = None
    asked = 0

    def __getattribute__(self, name):
        if name in ("get", "nearest", "exact", "at", "put", "put_all", "delete", "list"):
            self.asked += 1
            if self.failure:
                raise self.failure
        return super().__getattribute__(name)


class Clock:
    now = 1_700_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def remote():
    return Remote()


@pytest.fixture
def said():
    return []


@pytest.fixture
def cache(open_again):
    return open_again()


@pytest.fixture
def store(remote, cache, said, clock):
    return CachedStore(remote, cache, 12 * HOUR, notice=said.append, clock=clock)


class TestCachedStore(StoreContract):
    """The contract, with the store there all the time."""


def refused(action, *words):
    with pytest.raises(Unreachable) as caught:
        action()
    for word in words:
        assert word in caught.value.hint
    assert caught.value.message == AWAY.message


@pytest.mark.parametrize("ask", [lambda s: s.get(APP), lambda s: list(s.nearest(APP)), lambda s: s.exact(a_record("r.example/team").key)])
def test_while_it_is_away_the_same_question_has_the_same_answer(store, remote, said, clock, ask) -> None:
    remote.put(a_record("r.example/team", "deploy", "one", "two").replace(labels=(("a", "b"),), purpose="p"))
    before = ask(store)
    assert said == []
    remote.failure = AWAY
    clock.now += 3 * HOUR
    assert ask(store) == before
    (text,) = said
    assert text.startswith("the vault cannot be reached; what it said of r.example/team")
    assert text.endswith("3 h ago comes from the cache")


def test_a_question_that_was_not_asked_before_has_none(store, remote, said) -> None:
    """A narrower record may be there, which the cache never saw."""
    remote.put(a_record("r.example"))
    assert store.get(HOST)
    remote.failure = AWAY
    for ask in (
        lambda: store.get(APP),
        lambda: store.get(HOST, "deploy"),
        lambda: store.nearest(HOST),
        lambda: store.exact(a_record("r.example").key),
    ):
        refused(ask, "is it up?", "no answer for r.example")
    assert said == []


def test_an_answer_is_used_up_to_its_age_and_not_after(store, remote, clock) -> None:
    written = remote.put(a_record("r.example"))
    store.get(HOST)
    remote.failure = AWAY
    clock.now += 12 * HOUR
    assert store.get(HOST) == written
    clock.now += 1
    refused(lambda: store.get(HOST), "is 12 h old")


def test_a_clock_that_went_back_makes_an_age_unknown(store, remote, clock) -> None:
    remote.put(a_record("r.example"))
    store.get(HOST)
    remote.failure = AWAY
    clock.now -= 120
    refused(lambda: store.get(HOST))


@pytest.mark.parametrize(
    "failure", [StoreLocked("sealed", hint="h"), StoreUnavailable("no such mount", hint="h"), StoreCorrupt("damaged", hint="h")]
)
def test_a_store_that_says_no_is_obeyed(store, remote, said, failure) -> None:
    """A revoked token, a sealed vault: whoever did that meant it."""
    remote.put(a_record("r.example"))
    store.get(HOST)
    remote.failure = failure
    with pytest.raises(type(failure)) as caught:
        store.get(HOST)
    assert caught.value is failure
    assert said == []


def test_a_removal_that_was_seen_removes_it_here(store, remote, cache) -> None:
    written = remote.put(a_record("r.example"))
    store.get(HOST)
    remote.delete(written.key)
    assert store.get(HOST) is None
    assert cache.list() == []
    remote.failure = AWAY
    refused(lambda: store.get(HOST))


def test_what_changed_is_kept_in_its_new_form(store, remote) -> None:
    remote.put(a_record("r.example", "deploy", "old"))
    store.get(HOST)
    remote.put(a_record("r.example", "deploy", "new"))
    store.get(HOST)
    remote.failure = AWAY
    found = store.get(HOST)
    assert found is not None
    assert found.slots[0].secret == "new"


def test_several_accounts_are_kept_all_or_not_at_all(store, remote, cache) -> None:
    for account in ("a", "b", "c"):
        remote.put(a_record("r.example", account))
    assert len(store.nearest(HOST)) == 3
    remote.delete(a_record("r.example", "b").key)
    before = list(store.nearest(HOST))
    assert len(before) == len(cache.list()) == 2
    remote.failure = AWAY
    assert store.nearest(HOST) == before
    cache.delete(cache.list()[1].key)
    refused(lambda: store.nearest(HOST), "no answer")


def test_parts_of_two_answers_are_none(store, remote, cache, clock) -> None:
    """As a reader sees them while another process writes."""
    for account in ("a", "b"):
        remote.put(a_record("r.example", account))
    store.nearest(HOST)
    (_, older) = cache.list()
    clock.now += 2 * HOUR
    store.nearest(HOST)
    cache.put(older)
    remote.failure = AWAY
    refused(lambda: store.nearest(HOST), "no answer")


def test_a_write_goes_to_the_store_alone_and_out_of_the_cache(store, remote, cache) -> None:
    other = remote.put(a_record("other.example"))
    record = remote.put(a_record("r.example"))
    for write in (
        lambda: store.put(record),
        lambda: store.put_all([(record, None)]),
        lambda: store.delete(record.key),
    ):
        remote.failure = None
        store.get(HOST)
        store.get(other.address)
        write()
        remote.failure = AWAY
        refused(lambda: store.get(HOST))
        assert store.get(other.address) == other
    for write in (lambda: store.put(record), lambda: store.delete(record.key), store.list, lambda: store.at(HOST)):
        with pytest.raises(Unreachable):
            write()


def test_a_write_whose_answer_was_lost_may_have_happened(store, remote) -> None:
    record = remote.put(a_record("r.example"))
    store.get(HOST)
    remote.failure = AWAY
    with pytest.raises(Unreachable):
        store.put(record)
    refused(lambda: store.get(HOST), "no answer")


def test_what_is_fresh_is_not_written_again(store, remote, cache, clock) -> None:
    remote.put(a_record("r.example"))
    store.get(HOST)
    (first,) = cache.list()
    clock.now += HOUR
    store.get(HOST)
    assert cache.list() == [first]
    clock.now += HOUR
    store.get(HOST)
    assert cache.list() != [first]


def test_what_is_too_old_leaves_the_disk_when_something_new_comes(store, remote, cache, clock) -> None:
    for host in ("a.example", "b.example"):
        remote.put(a_record(host))
    store.get(Address.parse("a.example"))
    clock.now += 13 * HOUR
    store.get(Address.parse("b.example"))
    assert [entry.address.registry.host for entry in cache.list()] == ["b.example"]


def test_a_cache_that_cannot_be_written_does_not_spoil_a_good_answer(remote, said, clock) -> None:
    written = remote.put(a_record("r.example"))
    broken = Remote()
    broken.failure = StoreUnavailable("the disk is full", hint="h")
    store = CachedStore(remote, broken, HOUR, notice=said.append, clock=clock)
    assert store.get(HOST) == written
    assert said == ["this answer cannot be kept for the time that the store is away: the disk is full"]
    remote.failure = AWAY
    refused(lambda: store.get(HOST), "the cache cannot be read: the disk is full")


def test_on_the_disk_it_is_encrypted(store, remote, place) -> None:
    remote.put(a_record("r.example", "deploy", "canary"))
    store.get(HOST)
    files = [path.read_bytes() for path in place.rglob("*") if path.is_file()]
    assert files
    assert not any(b"canary" in content for content in files)


def test_the_status_tells_of_both(store, place) -> None:
    status = store.status()
    assert status["backend"] == "memory"
    assert status["cache"] == {"path": str(place / "data" / "store.db"), "key": "", "max_age": 12 * HOUR}


def test_it_declares_what_the_store_behind_it_can(remote, cache) -> None:
    remote.conditional, remote.max_secret = False, 7
    store = CachedStore(remote, cache, HOUR, notice=print)
    assert (store.conditional, store.enumerable, store.atomic, store.max_secret) == (False, True, True, 7)


def test_closing_closes_both(store, remote) -> None:
    remote.put(a_record("r.example"))
    store.get(HOST)
    store.close()
    assert remote.list() == []
