"""Threads that work together and stop together."""

from __future__ import annotations

import threading
import time

import pytest

from registryauth.transfer.crew import Crew
from registryauth.transfer.progress import Stopped


def test_results_come_in_the_order_of_the_items():
    assert Crew(4).each(lambda number: (time.sleep(0.01 * (number % 3)), number)[1], range(20)) == list(range(20))


def test_there_is_nothing_to_do():
    assert Crew(4).each(lambda _: 1, []) == []


def test_no_more_than_jobs_work_at_once():
    count = most = 0
    lock = threading.Lock()

    def work(_):
        nonlocal count, most
        with lock:
            count += 1
            most = max(most, count)
        time.sleep(0.002)
        with lock:
            count -= 1

    Crew(3).each(work, range(30))
    assert most == 3


def test_the_first_failure_is_raised_and_nothing_more_is_begun():
    begun = []

    def work(number):
        begun.append(number)
        if number == 3:
            raise LookupError("three")
        time.sleep(0.005)

    with pytest.raises(LookupError, match="three"):
        Crew(2).each(work, range(1000))
    assert len(begun) < 10


def test_a_thread_that_waits_is_told():
    crew = Crew(2)
    told = threading.Event()

    def work(number):
        if number:
            raise LookupError
        try:
            crew.pause(60)
        except Stopped:
            told.set()
            raise

    with pytest.raises(LookupError):
        crew.each(work, range(2))
    assert told.is_set()


def test_a_thread_that_hangs_is_left_behind(monkeypatch):
    monkeypatch.setattr("registryauth.transfer.crew._GRACE", 0.05)
    release = threading.Event()

    def work(number):
        if number:
            raise LookupError
        release.wait(30)

    start = time.monotonic()
    with pytest.raises(LookupError):
        Crew(2).each(work, range(2))
    assert time.monotonic() - start < 5
    release.set()
