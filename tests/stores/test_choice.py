"""Which record answers: every store gives the same, for the rule is not the store's."""

from __future__ import annotations

import pytest

from registryauth.errors import AmbiguousCredential
from registryauth.reference import Address
from registryauth.stores import Principal, Slot, open_store
from registryauth.stores.choice import choose
from registryauth.stores.memory import MemoryStore


@pytest.fixture(params=["memory", "encrypted"])
def store(request, tmp_path):
    if request.param == "memory":
        opened = MemoryStore()
    else:
        opened = open_store(str(tmp_path / "s/store.db"), key="file", key_file=str(tmp_path / "k/key"), environ={})
    yield opened
    opened.close()


@pytest.fixture
def put(store):
    def put(address, account, **said):
        record = Principal(Address.parse(address, wildcard=True), account, (Slot(f"{account} of {address}"),), **said)
        return store.put(record)

    return put


@pytest.fixture
def ask(store):
    """The account that answers, and those that are disabled."""

    def ask(address="r.example/a/b", account=None):
        choice = choose(store, Address.parse(address), account)
        return choice.record.account if choice.record else None, [record.account for record in choice.disabled]

    return ask


def test_one_account_needs_no_default(put, ask):
    put("r.example/a", "only")
    assert ask() == ("only", [])
    assert ask("other.example") == (None, [])


def test_of_several_the_one_preferred_last_is_the_default(put, ask):
    put("r.example/a", "x")
    put("r.example/a", "y", preferred_at=1)
    put("r.example/a", "z", preferred_at=2)
    assert ask() == ("z", [])
    assert ask(account="x") == ("x", [])


def test_of_several_none_of_them_preferred_none_answers(put, ask):
    for account in ("zoe", "adam"):
        put("r.example/a", account)
    put("r.example", "above", preferred_at=5)
    with pytest.raises(
        AmbiguousCredential, match=r"2 accounts are stored for r\.example/a and none of them is the default: adam, zoe"
    ) as caught:
        ask()
    assert caught.value.exit_code == 2
    assert ask(account="zoe") == ("zoe", [])
    assert ask("r.example/x") == ("above", [])


def test_many_are_not_all_named(put, ask):
    for number in range(8):
        put("r.example/a", f"account{number}")
    with pytest.raises(AmbiguousCredential, match=r"8 accounts .* account4 and 3 more") as caught:
        ask()
    assert "account5" not in caught.value.message


def test_a_name_from_elsewhere_cannot_move_the_cursor(put, ask):
    put("r.example/a", "\x1b[2Jevil")
    put("r.example/a", "good")
    with pytest.raises(AmbiguousCredential) as caught:
        ask()
    assert (caught.value.message + caught.value.hint).isprintable()


def test_what_is_disabled_neither_answers_nor_makes_anything_ambiguous(put, ask):
    put("r.example/a", "x", disabled_at=1)
    put("r.example/a", "y")
    assert ask() == ("y", ["x"])
    assert ask(account="x") == (None, ["x"])


def test_a_disabled_default_leaves_the_others_without_one(put, ask):
    put("r.example/a", "default", preferred_at=9, disabled_at=1)
    put("r.example/a", "x")
    put("r.example/a", "y")
    with pytest.raises(AmbiguousCredential, match="none of them is the default: x, y"):
        ask()


def test_above_a_disabled_one_the_next_answers_up_to_the_wildcard(put, ask):
    put("a.r.example/team/x", "deep", disabled_at=1)
    put("a.r.example", "host", disabled_at=1)
    put("*.r.example/team", "pattern")
    assert ask("a.r.example/team/x/y") == ("pattern", ["deep", "host"])
    assert ask("a.r.example/team/x/y", "host") == (None, ["host"])
    assert ask("a.r.example/other") == (None, ["host"])


def test_where_one_record_answers_the_store_is_read_once(store, put, monkeypatch):
    put("r.example", "only")
    reads = []
    nearest = type(store).nearest
    monkeypatch.setattr(type(store), "nearest", lambda *asked: reads.append("nearest") or nearest(*asked))
    monkeypatch.setattr(type(store), "at", lambda *_: reads.append("at"))
    assert choose(store, Address.parse("r.example/a")).record.account == "only"
    assert reads == ["nearest"]
