from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from registryauth.errors import AmbiguousCredential
from registryauth.reference import Address
from registryauth.resolver.remembered import KEEP, Remembered
from registryauth.resolver.stored import Looked
from registryauth.stores import Principal, Slot, open_store
from registryauth.stores.memory import MemoryStore


class Stamped:
    """A store of which only the stamp matters."""

    def __init__(self, stamp="one"):
        self.given = stamp

    def stamp(self):
        return self.given


@pytest.fixture
def reads():
    return []


@pytest.fixture
def get(reads):
    """Ask *remembered* something; each reading has another answer."""

    def get(remembered, store, question="q"):
        def read(questions):
            reads.append(questions)
            return {each: Looked(None, f"reading {len(reads)}") for each in questions}

        return remembered.get(store, [question], read)[question].detail

    return get


def test_an_answer_is_used_again_while_the_stamp_is_the_same(get):
    remembered, store = Remembered(), Stamped()
    assert [get(remembered, store) for _ in range(3)] == ["reading 1"] * 3
    assert get(remembered, store, "another") == "reading 2"
    store.given = "two"
    assert [get(remembered, store), get(remembered, store, "another")] == ["reading 3", "reading 4"]


def test_a_store_that_cannot_tell_is_read_each_time(get):
    remembered, store = Remembered(), Stamped(None)
    assert [get(remembered, store) for _ in range(2)] == ["reading 1", "reading 2"]
    store.given = "one"
    assert [get(remembered, store) for _ in range(2)] == ["reading 3"] * 2
    store.given = None
    assert get(remembered, store) == "reading 4"
    assert get(Remembered(), MemoryStore()) == "reading 5"


def test_another_store_is_another_memory(get):
    remembered = Remembered()
    assert [get(remembered, Stamped()), get(remembered, Stamped())] == ["reading 1", "reading 2"]


def test_what_changes_while_it_is_read_is_not_used_again(get):
    remembered, store = Remembered(), Stamped("one")

    def read(_):
        # Somebody wrote after we had looked at the stamp.
        store.given = "two"
        return {"q": Looked(None, "of either state")}

    remembered.get(store, ["q"], read)
    assert get(remembered, store) == "reading 1"


def test_what_was_read_before_a_change_is_not_kept_for_those_who_ask_after_it(get):
    remembered, store = Remembered(), Stamped("one")

    def read(_):
        # While we read, somebody wrote, and somebody else asked.
        store.given = "two"
        get(remembered, store, "another")
        return {"q": Looked(None, "before the change")}

    remembered.get(store, ["q"], read)
    assert get(remembered, store) == "reading 2"


def test_a_failure_is_not_remembered(get):
    remembered, store = Remembered(), Stamped()

    def broken(_):
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        remembered.get(store, ["q"], broken)
    assert get(remembered, store) == "reading 1"


def test_an_error_among_the_answers_is_given_and_not_remembered(get):
    remembered, store = Remembered(), Stamped()
    error = AmbiguousCredential("which?")
    answers = remembered.get(store, ["q", "other"], lambda _: {"q": error, "other": Looked(None, "found")})
    assert answers == {"q": error, "other": Looked(None, "found")}
    assert get(remembered, store, "other") == "found"
    assert get(remembered, store, "q") == "reading 1"


def test_only_what_is_not_known_is_read(get, reads):
    remembered, store = Remembered(), Stamped()
    get(remembered, store, "a")
    answers = remembered.get(store, ["a", "b", "c"], lambda left: {each: Looked(None, f"{each} of {left}") for each in left})
    assert [answers[each].detail for each in "abc"] == ["reading 1", "b of ['b', 'c']", "c of ['b', 'c']"]


def test_more_questions_than_are_remembered_are_all_answered():
    remembered = Remembered(2)
    answers = remembered.get(Stamped(), [1, 2, 3], lambda left: {each: Looked(None, str(each)) for each in left})
    assert [answers[each].detail for each in (1, 2, 3)] == ["1", "2", "3"]


def test_the_one_not_asked_for_longest_is_forgotten_first(get, reads):
    remembered, store = Remembered(2), Stamped()
    for question in ("a", "b", "a", "c", "a", "b"):
        get(remembered, store, question)
    assert reads == [["a"], ["b"], ["c"], ["b"]]


def test_nothing_is_used_for_ever(get):
    now = [0.0]
    remembered, store = Remembered(clock=lambda: now[0]), Stamped()
    get(remembered, store)
    now[0] = KEEP - 1
    assert get(remembered, store) == "reading 1"
    now[0] = KEEP
    assert get(remembered, store) == "reading 2"


# -- with the encrypted store's own stamp --


@pytest.fixture
def store(tmp_path):
    opened = open_store(str(tmp_path / "s/store.db"), key="file", key_file=str(tmp_path / "k/key"), environ={})
    yield opened
    opened.close()


def put(store, secret):
    return store.put(Principal(Address.parse("host.example"), "me", (Slot(secret),)))


def settle(store, seconds=60):
    """Have the file look as if its last write was a while ago."""
    found = os.stat(store.path)
    os.utime(store.path, ns=(found.st_atime_ns, found.st_mtime_ns - seconds * 10**9))


def test_a_file_that_is_not_there_or_just_changed_has_no_stamp(store):
    assert store.stamp() is None
    put(store, "x")
    written = os.stat(store.path).st_mtime
    assert store.stamp(clock=lambda: written + 1) is None
    assert store.stamp(clock=lambda: written - 1000) is None, "the clock was set back"
    assert store.stamp(clock=lambda: written + 10) is not None


def test_reading_leaves_the_stamp_and_every_change_changes_it(store, tmp_path):
    put(store, "x")
    settle(store)
    seen = {store.stamp()}
    store.list()
    assert {store.stamp()} == seen

    def change(act):
        act()
        settle(store, seconds=60 + len(seen))
        assert store.stamp() not in seen
        seen.add(store.stamp())

    change(lambda: put(store, "y"))
    change(lambda: os.chmod(store.path, 0o600))
    copy = tmp_path / "s/copy.db"
    copy.write_bytes(Path(store.path).read_bytes())
    copy.chmod(0o600)
    change(lambda: os.replace(copy, store.path))
    change(lambda: store.delete(store.list()[0].key))


def test_a_file_that_was_put_back_in_place_is_noticed_though_its_size_and_its_time_of_change_are_the_same(store):
    put(store, "x")
    settle(store)
    before, content, found = store.stamp(), Path(store.path).read_bytes(), os.stat(store.path)
    put(store, "y")
    with open(store.path, "r+b") as file:
        file.write(content)
    os.utime(store.path, ns=(found.st_atime_ns, found.st_mtime_ns))
    assert os.stat(store.path).st_size == found.st_size
    assert store.stamp() != before


def test_while_another_thread_writes_no_reader_sees_an_older_secret_than_the_last_written_before_it_asked(store):
    put(store, "0")
    remembered, done, wrong = Remembered(), threading.Event(), []
    last = [0]

    def read():
        while not done.is_set():
            floor = last[0]
            looked = remembered.get(store, ["q"], lambda _: {"q": Looked(store.get(Address.parse("host.example")), "")})["q"]
            if int(looked.record.slots[0].secret) < floor:
                wrong.append((floor, looked.record.slots[0].secret))

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for number in range(1, 60):
        put(store, str(number))
        last[0] = number
        if number % 3:
            settle(store, seconds=60 + number)
    done.set()
    for reader in readers:
        reader.join(30)
    assert wrong == []
