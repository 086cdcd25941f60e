"""What was learnt last is kept, and no more than so much of it."""

from __future__ import annotations

import threading

import pytest

from registryauth._origin import Origin
from registryauth.auth.flow import Authorizer
from registryauth.auth.recent import LIMIT, Recent

from .by_hand import Caller, Wire, get, unauthorized


def test_the_oldest_is_forgotten_first() -> None:
    recent: Recent[int, str] = Recent(3)
    for number in range(5):
        recent.put(number, str(number))
    assert recent.newest_first() == [(4, "4"), (3, "3"), (2, "2")]
    assert recent.get(1) is None


def test_what_is_put_again_is_the_newest() -> None:
    recent: Recent[int, str] = Recent(3)
    for number in (1, 2, 1, 3):
        recent.put(number, "x")
    assert [key for key, _ in recent.newest_first()] == [3, 1, 2]


def test_what_is_dropped_is_gone_and_may_be_dropped_twice() -> None:
    recent: Recent[int, str] = Recent()
    recent.put(1, "x")
    recent.drop(1)
    recent.drop(1)
    assert recent.get(1) is None


def test_it_stands_many_threads() -> None:
    recent: Recent[int, int] = Recent(10)
    failures: list[BaseException] = []

    def work(first: int) -> None:
        try:
            for number in range(first, first + 300):
                recent.put(number, number)
                recent.newest_first()
                recent.drop(number - 5)
        except BaseException as error:  # noqa: BLE001 - looked at below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(start * 1000,)) for start in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(recent.newest_first()) <= 10


@pytest.mark.parametrize("kept", ["_asked", "_refusals", "_taken", "_turned_down"])
def test_an_authorizer_keeps_no_more_of_anything(kept: str) -> None:
    assert getattr(Authorizer(), kept)._limit == LIMIT


def test_a_process_that_visits_many_registries_remembers_the_last() -> None:
    call = Caller(Wire(lambda _: unauthorized('Basic realm="r"')))
    for number in range(LIMIT + 50):
        call(get(origin=f"https://r{number}.example"), None)
    asked = call.authorizer._asked
    assert len(asked.newest_first()) == LIMIT
    assert asked.get((Origin("https", "r0.example", 443), "")) is None
