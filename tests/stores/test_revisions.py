from __future__ import annotations

import pytest

from registryauth.errors import Conflict, CredentialNotFound
from registryauth.reference import Address
from registryauth.stores import Key, Principal, Slot
from registryauth.stores.memory import MemoryStore
from registryauth.stores.revisions import MAX_CONFLICTS, insist, present, revise

HOST = Address.parse("registry.example")
KEY = Key(HOST, "me")


class Overtaken(MemoryStore):
    """Somebody writes a note between a look and its write, *times* times."""

    def __init__(self, times=1):
        super().__init__()
        self.times = times

    def put(self, principal, if_revision=None):
        if if_revision and self.times:
            self.times -= 1
            there = self.exact(principal.key)
            super().put(there.replace(purpose=f"{there.purpose}."))
        return super().put(principal, if_revision)


def kept(store):
    store.put(Principal(HOST, "me", (Slot("secret"),)))
    return store


def test_a_change_is_made_to_what_somebody_else_wrote_meanwhile():
    store = kept(Overtaken(times=3))
    done = revise(store, KEY, lambda record: record.replace(owner="ml"), 77.9)
    assert (done.owner, done.purpose, done.updated_at) == ("ml", "...", 77)
    assert store.list() == [done]


def test_what_does_not_change_is_not_written():
    store = kept(MemoryStore())
    before = store.exact(KEY)
    assert revise(store, KEY, lambda record: record, 77) == before
    assert store.exact(KEY).revision == before.revision


def test_who_is_overtaken_every_time_gives_up_and_has_written_nothing():
    store = kept(Overtaken(times=1000))
    with pytest.raises(Conflict, match=r"me at registry\.example is being written by others all the time; nothing was stored"):
        revise(store, KEY, lambda record: record.replace(owner="ml"), 1)
    assert store.exact(KEY).owner == ""
    assert 1000 - store.times == MAX_CONFLICTS


def test_a_conflict_that_the_change_itself_decides_on_is_final():
    store, looks = kept(MemoryStore()), []

    def edit(record):
        looks.append(record)
        return Conflict("no", hint="because")

    with pytest.raises(Conflict, match=r"^no$"):
        revise(store, KEY, edit, 1)
    assert len(looks) == 1
    with pytest.raises(Conflict, match=r"^mine$"):
        insist(lambda: Conflict("mine"))


def test_what_is_not_there_is_not_found():
    for action in (lambda: present(MemoryStore(), KEY), lambda: revise(MemoryStore(), KEY, lambda record: record, 1)):
        with pytest.raises(CredentialNotFound, match=r"no credential of me at registry\.example is stored"):
            action()


def test_a_name_from_outside_cannot_move_the_cursor():
    def write():
        raise Conflict("x")

    with pytest.raises(Conflict) as raised:
        insist(write, "a\x1b[2Jb")
    assert "\x1b" not in str(raised.value)
