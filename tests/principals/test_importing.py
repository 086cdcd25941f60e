from __future__ import annotations

import pytest

from registryauth.client import Client
from registryauth.errors import Conflict, Denied, Error, RealmRefused, StoreUnavailable, TokenRefused, Unauthorized
from registryauth.principals.candidate import Candidate
from registryauth.principals.importing import LEAVE, REPLACE, carry_out, plan, verify_all
from registryauth.reference import Address
from registryauth.stores import open_store
from registryauth.stores.memory import MemoryStore
from registryauth.stores.principal import Consumer, Principal, Slot
from registryauth.testing import RegistrySimulator

from .conftest import CANARY

NOW = 1_800_000_000


def a_candidate(address="r.example", account="me", secret=CANARY, *, kept=False, place="line 2", **said):
    wildcard = address.startswith("*.")
    principal = Principal(Address.parse(address, wildcard=wildcard), account, (Slot(secret, NOW, serial=1),), made_by="admin", **said)
    return Candidate(place, principal, tuple(said), kept)


def imported(store, *candidates, **how):
    return carry_out(store, plan(store, candidates, now=NOW, **how))


@pytest.fixture(params=["local", "memory"])
def atomic(request, tmp_path):
    """A store that writes all or nothing."""
    store = MemoryStore() if request.param == "memory" else open_store(str(tmp_path / "s.db"), "file", str(tmp_path / "s.key"), {})
    yield store
    store.close()


class OneByOne(MemoryStore):
    """A store that is not atomic, and refuses what its *refused* names."""

    atomic = False
    refused = ""

    def put(self, principal, if_revision=None):
        if principal.account == self.refused:
            raise StoreUnavailable("the vault is away", hint="wait for it")
        return super().put(principal, if_revision)


def test_new_principals_are_added(atomic):
    written = imported(atomic, a_candidate(owner="o"), a_candidate("r.example/team"))
    assert [(str(p.address), p.owner) for p in written] == [("r.example", "o"), ("r.example/team", "")]
    assert atomic.list() == written


def test_an_only_account_becomes_the_default_and_of_several_none(store):
    store.put(a_candidate("there.example", "old").principal.replace(preferred_at=5))
    imported(
        store,
        a_candidate("one.example"),
        a_candidate("two.example", "a"),
        a_candidate("two.example", "b"),
        a_candidate("there.example", "b"),
    )
    assert {(str(p.address), p.account): p.preferred_at for p in store.list()} == {
        ("one.example", "me"): NOW * 1_000_000, ("two.example", "a"): 0, ("two.example", "b"): 0,
        ("there.example", "old"): 5, ("there.example", "b"): 0,
    }  # fmt: skip


def test_what_comes_from_a_store_keeps_its_place_among_accounts(store):
    [written] = imported(store, a_candidate(kept=True, preferred_at=7))
    assert written.preferred_at == 7


def test_what_is_there_already_is_refused_by_name_and_nothing_written(atomic):
    there = atomic.put(a_candidate("r.example/b").principal)
    with pytest.raises(Conflict) as caught:
        imported(atomic, a_candidate("r.example/a"), a_candidate("r.example/b", place="line 3"))
    assert "1 of 2 principals are registered already; nothing was imported\n  line 3: me at r.example/b" in str(caught.value)
    assert "--replace" in caught.value.hint
    assert atomic.list() == [there]


@pytest.mark.parametrize("count", [3, 200])
def test_up_to_twenty_of_them_are_named(store, count):
    """Few are looked up one by one, many all at once."""
    candidates = [a_candidate(f"r{n}.example") for n in range(count)]
    imported(store, *candidates)
    with pytest.raises(Conflict) as caught:
        imported(store, *candidates)
    assert f"{count} of {count} principals" in str(caught.value)
    assert str(caught.value).count(" at r") == min(count, 20)
    assert str(caught.value).endswith(f"and {count - 20} more") is (count > 20)


def test_left_alone_it_stays_as_it_is_and_the_others_are_added(atomic):
    there = atomic.put(a_candidate("r.example", secret="old", owner="o").principal)
    written = imported(atomic, a_candidate(owner="n"), a_candidate("s.example"), existing=LEAVE)
    assert [str(p.address) for p in written] == ["s.example"]
    assert atomic.exact(there.key) == there


def test_replaced_it_has_the_new_secret_and_what_the_file_does_not_say_stays(atomic):
    consumers = (Consumer("/x", "env", 4, 1),)
    before = atomic.put(
        Principal(
            Address.parse("r.example"),
            "me",
            (Slot("old", 1, serial=4),),
            kind="robot",
            made_by="admin",
            owner="o",
            purpose="p",
            tenant="t",
            realm="https://auth.example/token",
            created_at=1,
            verified_at=2,
            preferred_at=3,
            disabled_at=4,
            consumers=consumers,
        )
    )
    [after] = imported(atomic, a_candidate(purpose="new"), existing=REPLACE)
    assert after.slots == (Slot(CANARY, NOW, serial=5),)
    assert after.replace(slots=before.slots, revision=before.revision) == before.replace(purpose="new", verified_at=0, updated_at=NOW)


def test_the_same_secret_again_stays_verified_and_keeps_its_serial(store):
    store.put(a_candidate(verified_at=9).principal.replace(slots=(Slot(CANARY, 1, serial=7),)))
    [after] = imported(store, a_candidate(), existing=REPLACE)
    assert (after.verified_at, after.slots) == (9, (Slot(CANARY, 1, serial=7),))


def test_a_record_of_docker_s_becomes_an_admin_s_and_never_the_other_way(store):
    store.put(a_candidate().principal.replace(made_by="docker"))
    assert imported(store, a_candidate(), existing=REPLACE)[0].made_by == "admin"
    login = a_candidate()
    login = login.replace(principal=login.principal.replace(made_by="login"))
    assert imported(store, login, existing=REPLACE)[0].made_by == "admin"


@pytest.mark.parametrize(("before", "after"), [("identity-token", "user"), ("user", "identity-token")])
def test_a_password_never_stays_a_token_nor_a_token_a_password(store, before, after):
    store.put(a_candidate().principal.replace(kind=before))
    fresh = a_candidate()
    [written] = imported(store, fresh.replace(principal=fresh.principal.replace(kind=after)), existing=REPLACE)
    assert written.kind == after


def test_who_wrote_in_the_meantime_is_not_overwritten_and_nothing_is_written(atomic):
    steps = plan(atomic, [a_candidate("a.example"), a_candidate("b.example")], now=NOW)
    other = atomic.put(a_candidate("b.example", secret="theirs").principal)
    with pytest.raises(Conflict, match=r"b\.example"):
        carry_out(atomic, steps)
    assert atomic.list() == [other]


def test_a_store_that_is_not_atomic_tells_how_far_it_came():
    store = OneByOne()
    store.refused = "c"
    with pytest.raises(StoreUnavailable) as caught:
        imported(store, *(a_candidate(account=name) for name in "abcd"))
    text = str(caught.value)
    assert "2 of 4 principals were written, the last of them b at r.example; then c at r.example failed: the vault is away" in text
    assert "wait for it" in caught.value.hint
    assert "--skip-existing" in caught.value.hint
    assert [record.account for record in store.list()] == ["a", "b"]
    store.refused = ""
    assert [p.account for p in imported(store, *(a_candidate(account=name) for name in "abcd"), existing=LEAVE)] == ["c", "d"]


def test_a_store_without_conditions_is_written_without_them():
    class Careless(OneByOne):
        conditional = False

        def put(self, principal, if_revision=None):
            assert if_revision is None
            return super().put(principal)

    assert len(imported(Careless(), a_candidate())) == 1


@pytest.fixture
def ask(simulator, opened):
    """Verify the import of candidates; what would be written."""

    def ask(*candidates, store=None, **how):
        return verify_all(plan(store or MemoryStore(), candidates, now=NOW, **how), lambda _: opened, NOW)

    return ask


def test_verified_ones_say_so(ask, sent):
    steps = ask(a_candidate("a.example"), a_candidate("b.example"))
    assert [step.principal.verified_at for step in steps] == [NOW, NOW]
    assert {url.partition("//")[2].partition("/")[0] for url in sent()} <= {"a.example", "b.example"}


def test_every_refused_one_is_named_and_nothing_is_written(ask):
    with pytest.raises((TokenRefused, Unauthorized, Denied)) as caught:
        ask(a_candidate("a.example"), a_candidate("b.example", secret="wrong-1f"), a_candidate("c.example", account="nobody"))
    text = str(caught.value)
    assert "2 principals were not taken by the registry; nothing was imported" in text
    assert "\n  me at b.example: " in text
    assert "\n  nobody at c.example: " in text
    assert "wrong-1f" not in text
    assert caught.value.exit_code == 4


def test_after_twenty_refusals_no_more_secrets_are_sent(ask, simulator):
    with pytest.raises(Error, match="not taken"):
        ask(*(a_candidate(f"r{n}.example", secret=f"wrong-{n}") for n in range(100)))
    asked = {request.url.origin.host for request in simulator.requests}
    assert len(asked) < 40


def test_what_is_left_alone_and_a_wildcard_are_not_asked_about(ask, simulator):
    store = MemoryStore()
    store.put(a_candidate("a.example").principal)
    [left, wildcard] = ask(a_candidate("a.example"), a_candidate("*.own.example"), store=store, existing=LEAVE)
    assert (left.action, wildcard.principal.verified_at) == ("leave", 0)
    assert simulator.requests == []


def test_a_foreign_token_server_is_pinned_only_if_the_file_names_it():
    simulator = RegistrySimulator(auth="token", accounts={"me": CANARY}, realm="https://auth.elsewhere/token")

    def ask(candidate):
        open_client = lambda credentials: Client(credentials, transport=simulator.transport(), environ={})  # noqa: E731
        return verify_all(plan(MemoryStore(), [candidate], now=NOW), lambda _: open_client, NOW)

    with pytest.raises(RealmRefused, match=r"me at r\.example"):
        ask(a_candidate())
    [step] = ask(a_candidate(realm="https://auth.elsewhere/token"))
    assert (step.principal.realm, step.principal.verified_at) == ("https://auth.elsewhere/token", NOW)
