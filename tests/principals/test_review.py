from __future__ import annotations

import pytest

from registryauth.client import Client
from registryauth.errors import Conflict, StoreUnavailable
from registryauth.principals import keep, review, survey
from registryauth.principals.review import MAX_CHECKS
from registryauth.reference import Address, Registry, Repository
from registryauth.stores import Check, Principal, Slot
from registryauth.testing import faults

from .conftest import CANARY

NOW = 1_800_000_000
DAY = 86400
HOST = Address.parse("registry.example")
TEAM = Address.parse("registry.example/team")
MODEL = Repository.parse("registry.example/team/model")


def clock():
    return NOW


@pytest.fixture
def ask(opened):
    """The findings about a principal with the secrets given."""

    def ask(*secrets, account="me", address=HOST, repository=MODEL, **said):
        slots = tuple(secret if isinstance(secret, Slot) else Slot(secret) for secret in secrets or (CANARY,))
        return review(Principal(address, account, slots, **said), opened, repository=repository, clock=clock)

    return ask


@pytest.fixture
def rights(simulator):
    def rights(*actions):
        simulator.tokens.accounts.rights["me"] = list(actions)

    return rights


# -- verdicts --


def test_what_is_needed_and_no_more_is_ok(ask, rights):
    rights("pull")
    [found] = ask()
    assert (found.verdict, found.detail, found.accepted, found.exit_code) == ("ok", "can pull", True, 0)
    assert (found.repository, found.checked_at, found.needed, found.rights.evidence) == ("team/model", NOW, ("pull",), "the token says")


def test_more_than_is_needed_is_wider(ask, rights):
    rights("pull", "push", "delete")
    [found] = ask()
    assert (found.verdict, found.exit_code) == ("wider", 7)
    assert found.detail == "can pull, and can also push and delete: wider than asked"
    assert "AcrPull" in found.hint


def test_what_it_was_registered_to_need_is_not_wider(ask, rights):
    rights("pull", "push", "delete")
    assert ask(needed=("pull", "push", "delete"))[0].verdict == "ok"
    [found] = ask(needed=("pull", "push"))
    assert found.detail == "can pull and push, and can also delete: wider than asked"


def test_to_read_more_than_is_needed_is_no_alarm(ask, rights):
    rights("pull", "metadata_read", "catalog")
    assert ask()[0].verdict == "ok"


def test_without_the_right_to_pull_it_is_lacking(ask):
    [found] = ask(account="reader")
    assert (found.verdict, found.detail, found.accepted, found.exit_code) == ("lacking", "cannot pull", True, 4)
    assert "AcrPull" in found.hint


def test_the_lack_of_another_right_that_it_needs_weighs_more_than_one_too_many(ask, rights):
    rights("pull", "delete")
    [found] = ask(needed=("pull", "push"))
    assert (found.verdict, found.exit_code) == ("lacking", 4)
    assert found.detail == "cannot push, and can pull and delete"


@pytest.mark.parametrize("auth", ["token", "basic"])
def test_a_secret_that_is_refused_was_presented_once(ask, simulator, sent, auth):
    simulator.auth = auth
    [found] = ask("wrong-3c")
    assert (found.verdict, found.accepted, found.exit_code, found.rights.evidence) == ("refused", False, 4, "")
    assert len(sent("wrong-3c")) == 1
    assert "wrong-3c" not in repr(found) + found.detail + found.hint


def test_a_refused_secret_that_expired_as_registered_is_told_so(ask):
    [found] = ask(Slot("wrong", expires_at=NOW - 3 * DAY))
    assert found.detail.endswith("; as registered, it expired 3 days ago (2027-01-12)")


def test_a_registry_that_asks_nobody_is_unverified_and_sent_nothing(ask, simulator, sent):
    simulator.auth = "none"
    [found] = ask()
    assert (found.verdict, found.accepted, found.exit_code) == ("unverified", None, 0)
    assert "answers without a credential" in found.detail
    assert sent() == []


def test_where_push_cannot_be_told_what_is_needed_decides(ask, simulator, rights):
    rights("pull", "push")
    simulator.auth = "basic"
    simulator.add_image("team/model", "v1")
    assert ask()[0].verdict == "ok"
    [found] = ask(needed=("pull", "push"))
    assert (found.verdict, found.detail) == ("accepted", "the secret is taken; whether it can push could not be told")


@pytest.mark.parametrize(
    "fault",
    [
        faults.no_answer("/v2/"),
        faults.server_error("/v2/"),
        faults.no_answer("/token"),
        faults.server_error("/token"),
        faults.too_many_requests("/token", retry_after="99999"),
        faults.too_many_requests("/v2/", retry_after="99999"),
    ],
)
def test_no_answer_now_refuses_nothing(simulator, fault):
    simulator.inject(fault)
    opened = lambda credentials: Client(credentials, transport=simulator.transport(), environ={}, sleep=lambda _: None)  # noqa: E731
    [found] = review(Principal(HOST, "me", (Slot(CANARY),)), opened, repository=MODEL, clock=clock)
    assert (found.verdict, found.accepted, found.exit_code) == ("unreachable", None, 6)


def test_a_realm_that_it_was_not_registered_for_gets_nothing(ask, simulator, sent):
    simulator.realm = "https://auth.other.example/token"
    [found] = ask()
    assert (found.verdict, found.exit_code, sent()) == ("failed", 4, [])
    [found] = ask(realm=simulator.realm)
    assert found.accepted


def test_an_address_that_is_no_registry_is_a_failure_of_its_own(ask, simulator, sent):
    simulator.inject(faults.server_error("/v2/", status=404))
    [found] = ask()
    assert (found.verdict, found.exit_code, sent()) == ("failed", 1, [])
    assert "does not speak the registry API" in found.detail


# -- which repositories --


def test_without_a_repository_those_looked_at_before_are_looked_at_again(ask, rights):
    rights("pull")
    checks = tuple(Check(path, ("pull",), (), "", 5) for path in ("b", "", "a"))
    assert [found.repository for found in ask(repository=None, checks=checks)] == ["b", "a"]


def test_a_registry_where_none_is_known_is_asked_as_a_whole(ask):
    [found] = ask(repository=None)
    assert (found.verdict, found.repository) == ("accepted", "")
    assert "whether it can pull could not be told" in found.detail
    assert found.hint.endswith("/REPOSITORY --account me")


def test_of_a_path_that_may_be_a_folder_nothing_bad_is_concluded(ask, simulator):
    simulator.tokens.accounts.rights["me"] = {"team/*": ["pull"]}
    [found] = ask(address=TEAM, repository=None)
    assert (found.verdict, found.repository, found.rights.refused) == ("accepted", "", ("catalog",))
    [found] = ask(address=TEAM, repository=Repository.parse("registry.example/team"))
    assert found.verdict == "lacking", "it was named"
    assert "if that is a folder of repositories" in found.hint
    [found] = ask(address=TEAM, repository=None, checks=(Check("team", ("pull",), (), "", 5),))
    assert found.verdict == "lacking", "it was seen to be one"


def test_where_one_repository_fails_what_was_seen_of_the_others_stands(ask, simulator, rights):
    rights("pull")
    # The credential's own request, five for the first repository, then the connection breaks.
    simulator.inject(lambda request: answers_nothing(request, "repository:b:"))
    first, second = ask(repository=None, checks=tuple(Check(path, (), (), "", 5) for path in ("a", "b", "c")))
    assert (first.verdict, first.repository) == ("ok", "a")
    assert (second.verdict, second.accepted) == ("unreachable", True)


def answers_nothing(request, where):
    return faults.no_answer("/token")(request) if where in request.url.target else None


def test_a_wildcard_s_record_is_asked_about_at_a_host_that_is_named(opened, simulator, rights):
    rights("pull")
    record = Principal(Address.parse("*.cloud.example", wildcard=True), "me", (Slot(CANARY),))
    [found] = review(record, opened, clock=clock)
    assert (found.verdict, simulator.requests) == ("unverified", [])
    [found] = review(record, opened, repository=Repository.parse("one.cloud.example/app"), registry=Registry("one.cloud.example"))
    assert found.verdict == "ok"
    assert {request.url.origin.host for request in simulator.requests} == {"one.cloud.example"}


# -- the other secret --


def test_the_second_secret_is_presented_once_and_its_refusal_is_a_note(ask, rights, sent):
    rights("pull")
    [found] = ask(Slot(CANARY, serial=2), Slot("old-55", serial=1, remove_after=NOW + DAY))
    assert (found.verdict, found.exit_code) == ("ok", 0)
    [note] = found.notes
    assert note.startswith("the second secret is refused: ")
    assert len(sent("old-55")) == 1


def test_a_second_secret_that_is_good_is_noted_too(ask, rights):
    rights("pull")
    [found] = ask(Slot(CANARY, serial=2), Slot(CANARY, serial=1))
    assert found.notes == ("the second secret is taken, too",)


def test_the_next_secret_of_a_rotation_is_called_that(ask, rights):
    rights("pull")
    [found] = ask(Slot(CANARY, serial=1), Slot("new", serial=2))
    assert found.verdict == "ok"
    assert found.notes[0].startswith("the next secret is refused")


def test_the_refusal_of_the_current_secret_is_not_made_good_by_the_second(ask):
    [found] = ask("wrong", CANARY)
    assert (found.verdict, found.exit_code) == ("refused", 4)
    assert found.notes == ("the second secret is taken, too",)


def test_dates_that_cannot_be_right_are_noted(ask, rights):
    rights("pull")
    [found] = ask(Slot(CANARY, not_before=NOW + 10 * DAY))
    assert found.notes == ("the secret of me for registry.example is not valid for another 10 days (2027-01-25)",)


def test_one_that_is_disabled_is_asked_about_where_it_is_named_and_noted(ask, rights):
    rights("pull")
    [found] = ask(disabled_at=5)
    assert (found.verdict, found.notes) == ("ok", ("it is disabled, and handed to nobody",))


# -- many --


def test_a_registry_that_gave_no_answer_is_not_waited_for_again(simulator):
    asked = []

    def opener(registry):
        asked.append(registry.host)
        if registry.host == "down.example":
            simulator.behave()
            simulator.inject(faults.no_answer("/v2/"))
        else:
            simulator.behave()
        return lambda credentials: Client(credentials, transport=simulator.transport(), environ={}, sleep=lambda _: None)

    records = [
        Principal(Address.parse(host), account, (Slot(CANARY),)) for host in ("down.example", "up.example") for account in ("a", "me")
    ]
    found = [findings[0] for findings in survey(records, opener, clock=clock)]
    assert [each.verdict for each in found] == ["unreachable", "unreachable", "refused", "accepted"]
    assert asked == ["down.example", "up.example", "up.example"]


def test_a_token_server_that_fails_for_one_account_hides_no_other(simulator):
    simulator.inject(lambda request: faults.no_answer("/token")(request) if "account=a" in request.url.target else None)
    opener = lambda _: lambda credentials: Client(credentials, transport=simulator.transport(), environ={}, sleep=lambda _: None)  # noqa: E731
    records = [Principal(HOST, account, (Slot("wrong"),)) for account in ("a", "me")]
    assert [findings[0].verdict for findings in survey(records, opener)] == ["unreachable", "refused"]


# -- what is kept --


@pytest.fixture
def stored(store):
    def stored(**said):
        return store.put(Principal(HOST, "me", (Slot(CANARY),), **said))

    return stored


def test_what_was_found_is_kept_with_when_and_whose_word_it_is(store, stored, opened, rights):
    rights("pull")
    before = stored(owner="ml", verified_at=5)
    assert keep(store, review(before, opened, repository=MODEL, clock=clock))
    after = store.exact(before.key)
    refused = ("push", "delete", "metadata_read", "catalog")
    assert after.checks == (Check("team/model", ("pull",), refused, "the token says", NOW),)
    assert (after.verified_at, after.owner, after.slots, after.updated_at) == (NOW, "ml", before.slots, 0)


def test_the_newest_of_each_repository_are_kept_and_no_more_than_there_is_room_for(store, stored, opened):
    before = stored(checks=tuple(Check(f"r{n}", (), (), "x", 100 - n) for n in range(MAX_CHECKS)))
    keep(store, review(before, opened, repository=MODEL, clock=clock))
    kept = store.exact(before.key).checks
    assert [check.repository for check in kept] == ["team/model", *(f"r{n}" for n in range(MAX_CHECKS - 1))]
    keep(store, review(store.exact(before.key), opened, repository=Repository.parse("registry.example/r3"), clock=lambda: 50))
    kept = store.exact(before.key).checks
    assert (kept[0].repository, kept[0].checked_at) == ("r3", 50), "though the clock was put back"
    assert [check.repository for check in kept].count("r3") == 1


def test_a_refused_secret_and_no_answer_leave_the_record_alone(store, stored, opened, simulator, accounts):
    before = stored(verified_at=5)
    accounts["me"] = "changed"
    assert not keep(store, review(before, opened, repository=MODEL, clock=clock))
    simulator.auth = "none"
    assert not keep(store, review(before, opened, repository=MODEL, clock=clock))
    assert store.exact(before.key) == before


def test_nothing_is_kept_of_a_secret_that_was_replaced_or_removed_meanwhile(store, stored, opened):
    before = stored()
    findings = review(before, opened, repository=MODEL, clock=clock)
    renewed = store.put(before.replace(slots=(Slot("another"),)))
    assert not keep(store, findings)
    assert store.exact(before.key) == renewed
    store.delete(before.key)
    assert not keep(store, findings)
    assert store.list() == []


def test_another_s_write_in_between_is_not_lost(store, stored, opened):
    before = stored()
    findings = review(before, opened, repository=MODEL, clock=clock)
    real, others = store.put, iter(["ml"])

    def put(principal, if_revision=None):
        for owner in others:
            real(store.exact(before.key).replace(owner=owner))
        return real(principal, if_revision)

    store.put = put
    assert keep(store, findings)
    after = store.exact(before.key)
    assert (after.owner, after.verified_at) == ("ml", NOW)


def test_a_store_that_cannot_write_says_so(store, stored, opened):
    findings = review(stored(), opened, repository=MODEL, clock=clock)

    def put(*_):
        raise StoreUnavailable("read only")

    store.put = put
    with pytest.raises(StoreUnavailable):
        keep(store, findings)
    store.conditional = False
    with pytest.raises(Conflict, match="no conditional write"):
        keep(store, findings)


def test_a_path_that_may_be_a_folder_is_not_kept_to_be_looked_at_every_night(store, opened, simulator):
    simulator.tokens.accounts.rights["me"] = {"team/*": ["pull"]}
    before = store.put(Principal(TEAM, "me", (Slot(CANARY),)))
    assert keep(store, review(before, opened, repository=Repository.parse("registry.example/team"), clock=clock))
    after = store.exact(before.key)
    assert (after.checks, after.verified_at) == ((), NOW)


def test_no_finding_shows_the_secret(ask, accounts):
    assert CANARY not in repr(ask())
    assert CANARY not in repr(ask(CANARY, CANARY + "x"))
