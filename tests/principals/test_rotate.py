from __future__ import annotations

import pytest

from registryauth.errors import (
    ConfigurationError,
    Conflict,
    CredentialError,
    CredentialNotFound,
    Denied,
    RealmRefused,
    StoreError,
    StoreUnavailable,
    TokenRefused,
)
from registryauth.principals import note_consumer, register, rotate
from registryauth.reference import Address, Repository
from registryauth.stores import Key, Principal, Slot
from registryauth.stores.memory import MemoryStore

from .conftest import CANARY, OneOf

HOST = Address.parse("registry.example")
KEY = Key(HOST, "me")
MODEL = Repository.parse("registry.example/team/model")
OLD, NEW, NEXT = "old-71aa", CANARY, "next-90cc"
NOW, WEEK = 1_800_000_000, 7 * 86400


def clock():
    return NOW + 0.5


@pytest.fixture(autouse=True)
def _kept(store, accounts):
    accounts["me"] = OneOf(OLD, NEW, NEXT)
    put(store, Slot(OLD, added_at=5, serial=1))


def put(store, *slots, **said):
    return store.put(Principal(HOST, "me", slots, owner="ml", made_by="admin", preferred_at=3, **said))


def secrets(store):
    return [slot.secret for slot in store.exact(KEY).slots]


def turn(store, opened, secret=NEW, **how):
    return rotate(store, KEY, lambda _: Slot(secret), opened, clock=clock, **how)


def test_the_new_secret_is_current_and_the_old_one_stays_for_a_week(store, opened):
    done = rotate(store, KEY, lambda _: Slot(NEW, expires_at=NOW + 99, key_id="k2"), opened, clock=clock)
    record = store.exact(KEY)
    assert done.principal == record
    assert record.slots == (
        Slot(NEW, added_at=NOW, expires_at=NOW + 99, serial=2, key_id="k2"),
        Slot(OLD, added_at=5, serial=1, remove_after=NOW + WEEK),
    )
    assert (record.verified_at, record.updated_at, record.owner, record.preferred_at) == (NOW, NOW, "ml", 3)
    assert (done.already, done.resumed, done.behind, done.verification.verified) == (False, False, (), True)
    assert NEW not in repr(done)
    assert OLD not in repr(done)


def test_the_old_one_stays_for_as_long_as_was_said(store, opened):
    assert turn(store, opened, keep_old=60).principal.replaced.remove_after == NOW + 60
    put(store, Slot(OLD, serial=1))
    assert turn(store, opened, keep_old=0).principal.replaced.remove_after == NOW


def test_the_next_secret_waits_where_nobody_is_given_it_while_the_registry_is_asked(store, simulator, opened):
    seen = []

    def looking(credentials):
        record = store.exact(KEY)
        seen.append((record.pending.secret, [pinned.credential.password for pinned in record.candidates(NOW)]))
        return opened(credentials)

    turn(store, looking)
    assert set(map(repr, seen)) == {repr((NEW, [OLD]))}


def test_what_the_registry_refuses_changes_nothing(store, opened, sent):
    before = store.exact(KEY)
    with pytest.raises(TokenRefused) as raised:
        turn(store, opened, "wrong-3f")
    after = store.exact(KEY)
    assert (after.slots, after.verified_at, after.realm) == (before.slots, before.verified_at, before.realm)
    assert len(sent("wrong-3f")) == 1
    assert raised.value.hint.startswith("nothing was changed; is the new secret complete")
    assert "log in" not in raised.value.hint


def test_a_secret_without_the_right_to_pull_changes_nothing(store, opened):
    store.put(Principal(HOST, "reader", (Slot(OLD, serial=1),)))
    with pytest.raises(Denied) as raised:
        rotate(store, Key(HOST, "reader"), lambda _: Slot(CANARY), opened, repository=MODEL)
    assert raised.value.hint.startswith("nothing was changed; grant the account pull")
    assert [slot.secret for slot in store.exact(Key(HOST, "reader")).slots] == [OLD]


def test_a_new_token_server_is_refused_unless_somebody_says_yes(store, simulator, opened, sent):
    simulator.realm = "https://auth.other.example/token"
    with pytest.raises(RealmRefused):
        turn(store, opened)
    assert (secrets(store), sent(NEW)) == ([OLD], [])
    assert turn(store, opened, confirm=lambda _: True).principal.realm == simulator.realm


def test_the_token_server_that_is_pinned_is_the_one_that_gets_the_next_secret(store, simulator, opened, sent):
    simulator.realm = "https://auth.other.example/token"
    put(store, Slot(OLD, serial=1), realm=simulator.realm)
    assert turn(store, opened).principal.realm == simulator.realm
    assert {place.split("/")[2] for place in sent(NEW)} == {"auth.other.example"}


def test_any_interruption_while_the_registry_is_asked_is_rolled_back(store):
    def interrupted(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        turn(store, interrupted)
    assert secrets(store) == [OLD]


def test_without_asking_the_registry_it_is_unverified(store):
    done = turn(store, None)
    assert (secrets(store), done.verification, done.principal.verified_at) == ([NEW, OLD], None, 0)


def test_where_the_registry_asks_nobody_it_is_unverified(store, simulator, opened):
    simulator.auth = "none"
    done = turn(store, opened, "anything")
    assert (done.verification.verified, done.principal.verified_at, secrets(store)) == (False, 0, ["anything", OLD])


def test_an_identity_token_is_rotated_as_one(store, simulator, opened):
    token = simulator.identity_token("me")
    store.put(Principal(HOST, "ci", (Slot("old"),), kind="identity-token"))
    assert rotate(store, Key(HOST, "ci"), lambda _: Slot(token), opened).verification.verified


def test_a_disabled_principal_is_rotated_and_stays_disabled(store, opened):
    put(store, Slot(OLD, serial=1), disabled_at=9)
    assert turn(store, opened).principal.disabled_at == 9


def test_a_secret_that_no_protocol_carries_is_neither_sent_nor_stored(store, opened, simulator):
    for secret in ("", "two\nlines", "nul\0"):
        with pytest.raises(ConfigurationError):
            turn(store, opened, secret)
    with pytest.raises(ConfigurationError, match="expire before"):
        rotate(store, KEY, lambda _: Slot(NEW, not_before=9, expires_at=8), opened)
    assert (secrets(store), simulator.requests) == ([OLD], [])


@pytest.mark.parametrize("secret", [" both ends ", "pässwörd \U0001f511", "a:b::c", "x" * 65536])
def test_any_other_secret_can_be_rotated_in(store, accounts, opened, secret):
    accounts["me"] = secret
    assert turn(store, opened, secret).principal.slots[0].secret == secret


def test_a_record_from_before_there_were_serials_gets_them(store, opened):
    put(store, Slot(OLD))
    assert [slot.serial for slot in turn(store, opened).principal.slots] == [1, 0]


def test_what_is_not_there_is_not_rotated_and_no_secret_is_asked_for(store, opened):
    with pytest.raises(CredentialNotFound):
        rotate(store, Key(HOST, "nobody"), lambda _: pytest.fail("asked"), opened)


def test_a_store_without_conditional_writes_rotates_nothing(opened):
    class Plain(MemoryStore):
        conditional = False

    store = Plain()
    put(store, Slot(OLD, serial=1))
    with pytest.raises(StoreError, match="cannot tell whether two are rotating at once"):
        rotate(store, KEY, lambda _: pytest.fail("asked"), opened)
    assert secrets(store) == [OLD]


def test_who_still_has_an_older_secret_is_listed(store, opened):
    note_consumer(store, KEY, "/srv/config.json", "docker-config", 1, 5)
    note_consumer(store, KEY, "/srv/other", "env", 2, 5)
    assert [consumer.target for consumer in turn(store, opened).behind] == ["/srv/config.json"]


# -- wildcards --


def test_a_wildcard_is_rotated_at_a_host_that_is_named(store, opened, sent):
    wild = Address.parse("*.example.com", wildcard=True)
    store.put(Principal(wild, "me", (Slot(OLD, serial=1),)))
    key = Key(wild, "me")
    with pytest.raises(ConfigurationError, match="names no host"):
        rotate(store, key, lambda _: pytest.fail("asked"), opened)
    with pytest.raises(ConfigurationError, match="is not in"):
        rotate(store, key, lambda _: pytest.fail("asked"), opened, repository=MODEL)
    assert rotate(store, key, lambda _: Slot(NEW), opened, repository=Repository.parse("eu.example.com/team/model")).verification.verified
    assert {place.split("/")[2] for place in sent(NEW)} == {"eu.example.com"}


# -- one rotation after the other --


def test_the_old_secret_of_the_last_rotation_is_not_given_up_before_its_day(store, opened):
    kept = (Slot(OLD, serial=2), Slot("older", serial=1, remove_after=NOW + 5000))
    put(store, *kept)
    with pytest.raises(CredentialError, match="still keeps the secret") as raised:
        turn(store, opened)
    assert store.exact(KEY).slots == kept
    assert "2027-01-15T09:23:20Z" in raised.value.hint
    assert "registryauth principal prune registry.example" in raised.value.hint
    assert [slot.serial for slot in turn(store, opened, force=True).principal.slots] == [3, 2]


def test_nor_while_somebody_has_it(store, opened):
    put(store, Slot(OLD, serial=2), Slot("older", serial=1, remove_after=NOW - 1))
    note_consumer(store, KEY, "behind", "env", 1, 5)
    with pytest.raises(CredentialError, match="because 1 consumer has it"):
        turn(store, opened)
    assert secrets(store) == [OLD, "older"]


def test_what_is_due_and_nobody_has_makes_room(store, opened):
    put(store, Slot(OLD, serial=2), Slot("older", serial=1, remove_after=NOW))
    assert [slot.serial for slot in turn(store, opened).principal.slots] == [3, 2]


def test_what_made_room_is_put_back_where_the_rotation_fails(store, opened):
    kept = (Slot(OLD, serial=2), Slot("older", serial=1, remove_after=NOW + 5000))
    put(store, *kept)
    with pytest.raises(TokenRefused):
        turn(store, opened, "wrong", force=True)
    assert store.exact(KEY).slots == kept


def test_the_same_rotation_again_changes_nothing_and_says_so(store, opened, simulator):
    turn(store, opened)
    before, asked = store.exact(KEY), len(simulator.requests)
    again = turn(store, opened)
    assert (again.already, store.exact(KEY), len(simulator.requests)) == (True, before, asked)


def test_the_secret_that_is_there_is_no_next_one(store, opened, simulator):
    with pytest.raises(ConfigurationError, match="has already"):
        turn(store, opened, OLD)
    assert simulator.requests == []


def test_one_that_was_cut_off_is_taken_up_again_with_the_same_secret(store, opened):
    put(store, Slot(OLD, serial=1), Slot(NEW, serial=2))
    done = turn(store, opened)
    assert (done.resumed, [slot.serial for slot in done.principal.slots], secrets(store)) == (True, [2, 1], [NEW, OLD])


def test_one_that_was_cut_off_is_replaced_by_another_secret(store, opened):
    put(store, Slot(OLD, serial=1), Slot("never verified", serial=2))
    done = turn(store, opened)
    assert (done.resumed, [slot.serial for slot in done.principal.slots], secrets(store)) == (True, [3, 1], [NEW, OLD])


def test_one_that_was_cut_off_leaves_nothing_where_the_next_one_fails(store, opened):
    put(store, Slot(OLD, serial=1), Slot("wrong", serial=2))
    with pytest.raises(TokenRefused):
        turn(store, opened, "wrong")
    assert secrets(store) == [OLD]


# -- two at once --


def test_of_two_rotations_at_once_one_wins_and_the_other_hears_of_it(store, opened):
    def another_one_first(credentials):
        # While the first is asking the registry a second one comes, from beginning to end.
        if store.exact(KEY).pending is not None and store.exact(KEY).pending.secret == NEW:
            turn(store, opened, NEXT)
        return opened(credentials)

    with pytest.raises(Conflict, match="somebody else changed the secrets of me at registry"):
        turn(store, another_one_first)
    assert secrets(store) == [NEXT, OLD]


def test_two_who_bring_the_same_secret_both_succeed(store, opened):
    later = []

    def another_one_first(credentials):
        if not later:
            later.append(rotate(store, KEY, lambda _: Slot(NEW), opened, clock=lambda: NOW + 60))
        return opened(credentials)

    first = turn(store, another_one_first)
    assert first.principal == later[0].principal == store.exact(KEY)
    assert [(slot.secret, slot.serial) for slot in first.principal.slots] == [(NEW, 2), (OLD, 1)]


def test_a_rotation_that_began_between_our_look_and_our_write_is_not_overwritten(opened):
    class Overtaken(MemoryStore):
        overtaken = False

        def put(self, principal, if_revision=None):
            if if_revision and not self.overtaken:
                self.overtaken = True
                there = self.exact(KEY)
                super().put(there.replace(slots=(there.slots[0], Slot(NEXT, serial=2))))
            return super().put(principal, if_revision)

    store = Overtaken()
    put(store, Slot(OLD, serial=1))
    with pytest.raises(Conflict):
        turn(store, opened)
    assert secrets(store) == [OLD, NEXT]


def test_a_note_written_at_any_time_during_a_rotation_is_not_lost(opened):
    class Overtaken(MemoryStore):
        """Before each of our writes somebody else notes a consumer."""

        def put(self, principal, if_revision=None):
            there = self.exact(KEY)
            if if_revision and there and len(there.consumers) < 2 and len(there.consumers) == len(principal.consumers):
                note_consumer(self, KEY, f"target {len(there.consumers)}", "env", 1, 5)
            return super().put(principal, if_revision)

    store = Overtaken()
    put(store, Slot(OLD, serial=1))
    done = turn(store, opened)
    assert [consumer.target for consumer in done.behind] == ["target 0", "target 1"]
    assert secrets(store) == [NEW, OLD]


def test_a_login_during_a_rotation_wins(store, opened):
    def somebody_logs_in(credentials):
        register(store, HOST, "me", NEXT, None, made_by="login")
        return opened(credentials)

    with pytest.raises(Conflict):
        turn(store, somebody_logs_in)
    assert secrets(store) == [NEXT]


def test_a_record_removed_during_a_rotation_stays_removed(store, opened):
    def somebody_removes(credentials):
        store.delete(KEY)
        return opened(credentials)

    with pytest.raises(CredentialNotFound):
        turn(store, somebody_removes)
    assert store.list() == []


# -- a store that fails --


class Failing(MemoryStore):
    """The *at*-th write, and every one after it, fails; *written* says whether it took place all the same."""

    def __init__(self, at, *, written=False):
        super().__init__()
        self.at, self.written, self.writes = at, written, 0

    def put(self, principal, if_revision=None):
        self.writes += if_revision is not None
        if if_revision is None or self.writes < self.at or (self.written and self.writes == self.at):
            done = super().put(principal, if_revision)
            if if_revision is None or self.writes < self.at:
                return done
        raise StoreUnavailable("the vault is away", hint="wait for it")


@pytest.mark.parametrize(
    ("at", "written", "left"),
    [
        (1, False, [OLD]),
        (1, True, [OLD, NEW]),
        (2, False, [OLD, NEW]),
        (2, True, [NEW, OLD]),
    ],
)
def test_a_store_that_goes_away_leaves_what_works_and_the_rotation_can_be_given_again(opened, at, written, left):
    store = Failing(at, written=written)
    put(store, Slot(OLD, serial=1))
    with pytest.raises(StoreUnavailable):
        turn(store, opened)
    assert secrets(store) == left
    assert store.exact(KEY).slot(NOW).secret == (NEW if left[0] == NEW else OLD)
    store.at = 99
    turn(store, opened)
    assert [slot.serial for slot in store.exact(KEY).slots] == [2, 1]
    assert secrets(store) == [NEW, OLD]


def test_where_the_next_secret_cannot_be_taken_out_again_the_error_says_where_it_is(opened):
    store = Failing(2)
    put(store, Slot(OLD, serial=1))
    with pytest.raises(TokenRefused) as raised:
        turn(store, opened, "wrong-3f")
    assert "the new secret waits in the store, handed to nobody, until a rotation replaces it (the vault is away)" in raised.value.hint
    assert "wrong-3f" not in raised.value.hint
