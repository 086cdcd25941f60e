from __future__ import annotations

import hashlib
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registryauth.content import hashing
from registryauth.content.hashing import Beside
from registryauth.digest import Digest


class Slow:
    """A hash that takes a piece only when it is let."""

    def __init__(self):
        self.go, self.seen = threading.Event(), []

    def update(self, piece):
        assert self.go.wait(10)
        self.seen.append(bytes(piece))

    def hexdigest(self):
        return b"".join(self.seen).hex()


@given(st.lists(st.binary(max_size=50), max_size=20))
def test_it_is_the_hash_of_all_pieces_though_two_buffers_take_turns(pieces):
    beside, buffers = Beside(hashlib.sha256()), [bytearray(50), bytearray(50)]
    for number, piece in enumerate(pieces):
        buffer = buffers[number % 2]
        buffer[: len(piece)] = piece
        beside.update(memoryview(buffer)[: len(piece)])
    assert beside.hexdigest() == hashlib.sha256(b"".join(pieces)).hexdigest()
    beside.close()


def test_the_caller_goes_on_while_a_piece_is_hashed_and_waits_with_the_next():
    slow = Slow()
    beside = Beside(slow)
    beside.update(memoryview(b"a"))
    assert slow.seen == []
    threading.Timer(0.05, slow.go.set).start()
    beside.update(memoryview(b"b"))
    assert slow.seen[:1] == [b"a"]
    assert beside.hexdigest() == b"ab".hex()
    beside.close()


def test_its_thread_ends_with_it():
    before = threading.active_count()
    beside = Beside(hashlib.sha256())
    beside.update(memoryview(b"a"))
    assert threading.active_count() == before + 1
    beside.close()
    assert threading.active_count() == before


@pytest.mark.parametrize(
    ("size", "processors", "apart"), [(hashing.LARGE, 2, True), (hashing.LARGE - 1, 2, False), (hashing.LARGE, 1, False)]
)
def test_a_thread_is_for_what_is_large_and_a_machine_that_has_a_processor_for_it(monkeypatch, size, processors, apart):
    monkeypatch.setattr(hashing, "_processors", lambda: processors)
    found = hashing.hashing(Digest.of(b""), size)
    assert isinstance(found, Beside) == apart
    found.update(memoryview(b"abc"))
    assert found.hexdigest() == hashlib.sha256(b"abc").hexdigest()
    found.close()


def test_this_machine_has_processors():
    assert hashing._processors() >= 1
