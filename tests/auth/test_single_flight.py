"""Many callers, one token request; and whoever fails or goes away lets the others go on."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from registryauth._http import Request, Response
from registryauth.auth.drive import Flights
from registryauth.credentials import Basic, Pinned
from registryauth.errors import Error, TokenRefused, TransportError
from registryauth.testing import RegistrySimulator

from .by_hand import REPOSITORY, Answer, Caller, Wire, get, origin, pinned, token, unauthorized

ROBOT = pinned(Basic("robot", "pw"))


def together(count: int, work: Callable[[int], Any]) -> list[Any]:
    """What *work* gives, or raises, in *count* threads that start at once; fails if one hangs."""
    gate = threading.Barrier(count)
    results: list[Any] = [None] * count

    def run(number: int) -> None:
        gate.wait()
        try:
            results[number] = work(number)
        except Error as error:
            results[number] = error

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in threads)
    return results


class Slow:
    """A simulator whose token server takes its time, so that callers meet there."""

    def __init__(self, simulator: RegistrySimulator) -> None:
        self.simulator = simulator

    def send(self, request: Request) -> Response:
        if request.url.target.startswith("/token"):
            time.sleep(0.05)
        return self.simulator.handle(request)

    def close(self) -> None:
        pass

    @property
    def tokens(self) -> int:
        return sum(request.url.target.startswith("/token") for request in self.simulator.requests)


@pytest.fixture
def simulator() -> RegistrySimulator:
    simulator = RegistrySimulator(accounts={"robot": "pw"})
    simulator.add_image("team/app", "v1")
    simulator.add_image("team/other", "v1")
    return simulator


def test_sixteen_threads_on_a_cold_cache_ask_for_one_token(simulator: RegistrySimulator) -> None:
    slow = Slow(simulator)
    call = Caller(slow, ROBOT, clock=time.time)
    results = together(16, lambda _: call().status)
    assert results == [200] * 16
    assert slow.tokens == 1


def test_different_repositories_do_not_wait_for_each_other() -> None:
    """Each token request returns only once the other one is there, too."""
    both = threading.Barrier(2, timeout=10)

    def answer(request: Request) -> Answer:
        if request.url.target.startswith("/token"):
            both.wait()
            return token()
        return (
            200
            if request.header("authorization")
            else unauthorized(f'Bearer realm="https://r.example/token",scope="repository:{request.url.target[4:10]}:pull"')
        )

    call = Caller(Wire(answer), ROBOT)
    repositories = [REPOSITORY.replace(path="team/a"), REPOSITORY.replace(path="team/b")]
    results = together(2, lambda n: call(get(f"/v2/{repositories[n].path}/manifests/v1"), repositories[n]).status)
    assert results == [200, 200]


def test_a_leader_that_is_refused_does_not_hang_the_others(simulator: RegistrySimulator) -> None:
    slow = Slow(simulator)
    call = Caller(slow, pinned(Basic("robot", "wrong")), clock=time.time)
    results = together(4, lambda _: call())
    assert all(isinstance(result, TokenRefused) for result in results)
    assert slow.tokens == 1, "the same wrong password was presented more than once"
    assert call.flights._waiting == {}


def test_a_leader_whose_connection_breaks_does_not_hang_the_others(simulator: RegistrySimulator) -> None:
    broken = iter([True])

    def cut(request: Request) -> Response | None:
        if request.url.target.startswith("/token") and next(broken, False):
            raise TransportError("cut")
        return None

    simulator.inject(cut)
    slow = Slow(simulator)
    call = Caller(slow, ROBOT, clock=time.time)
    results = together(8, lambda _: call())
    assert sum(isinstance(result, TransportError) for result in results) == 1
    assert sum(isinstance(result, Response) and result.status == 200 for result in results) == 7
    assert slow.tokens == 2


# Basic.

CHALLENGE = 'Basic realm="r"'


class Doorman:
    """A registry that lets in who has one of *right*; takes its time over a password. Knows how many it is asked about at once."""

    def __init__(self, *right: str) -> None:
        self.right = right
        self.passwords: list[str] = []
        self.most = 0
        self._now = 0
        self._lock = threading.Lock()

    def send(self, request: Request) -> Response:
        kind, _, value = request.header("authorization").partition(" ")
        if kind != "Basic":
            return Response.of(401, [("www-authenticate", CHALLENGE)], request.url)
        password = base64.b64decode(value).decode().partition(":")[2]
        with self._lock:
            self.passwords.append(password)
            self._now += 1
            self.most = max(self.most, self._now)
        time.sleep(0.02)
        with self._lock:
            self._now -= 1
        if password in self.right:
            return Response.of(200, [], request.url)
        return Response.of(401, [("www-authenticate", CHALLENGE)], request.url)

    def close(self) -> None:
        pass


def slots(*passwords: str) -> list[Pinned]:
    return [pinned(Basic("robot", password), f"store:{number}") for number, password in enumerate(passwords)]


def test_a_wrong_basic_password_is_presented_once_however_many_ask() -> None:
    door = Doorman("right")
    call = Caller(door, *slots("wrong"), clock=time.time)
    results = together(16, lambda _: call().status)
    assert results == [401] * 16
    assert door.passwords == ["wrong"]
    assert call.flights._waiting == {}


def test_a_wrong_first_slot_too_and_the_second_lets_all_of_them_in() -> None:
    door = Doorman("right")
    call = Caller(door, *slots("wrong", "right"), clock=time.time)
    assert together(8, lambda _: call().status) == [200] * 8
    assert door.passwords.count("wrong") == 1


def test_a_password_that_was_taken_is_used_side_by_side() -> None:
    door = Doorman("right")
    call = Caller(door, *slots("right"), clock=time.time)
    call()
    assert together(8, lambda _: call().status) == [200] * 8
    assert door.most > 1


def test_one_that_is_refused_later_is_found_out_by_one_again() -> None:
    door = Doorman("right")
    call = Caller(door, *slots("right"), clock=time.time)
    call()
    door.right = ()
    assert call().status == 401
    door.passwords.clear()
    assert together(8, lambda _: call().status) == [401] * 8
    assert door.passwords == ["right"]


def test_a_refused_password_is_tried_again_after_a_while() -> None:
    now = [1000.0]
    door = Doorman("right")
    call = Caller(door, *slots("late"), clock=lambda: now[0])
    assert [call().status, call().status] == [401, 401]
    assert door.passwords == ["late"]
    door.right = ("late",)
    now[0] += 3
    assert call().status == 200


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_says_nothing_of_the_password_neither_opens_nor_closes_the_door(status: int) -> None:
    wire = Wire(unauthorized(CHALLENGE), status, unauthorized(CHALLENGE), unauthorized(CHALLENGE))
    call = Caller(wire, *slots("pw"))
    assert call().status == status
    # Not known to be right, so tried alone, and then not again.
    assert call().status == 401
    assert call.authorizer._turned_down.newest_first() != []


def test_a_basic_leader_whose_connection_breaks_does_not_hang_the_others() -> None:
    broken = iter([True])
    door = Doorman("right")

    class Breaking(Doorman):
        def send(self, request: Request) -> Response:
            if request.header("authorization") and next(broken, False):
                raise TransportError("cut")
            return door.send(request)

    call = Caller(Breaking(), *slots("right"), clock=time.time)
    results = together(8, lambda _: call())
    assert sum(isinstance(result, TransportError) for result in results) == 1
    assert sum(isinstance(result, Response) and result.status == 200 for result in results) == 7


def test_registries_do_not_wait_for_each_other() -> None:
    both = threading.Barrier(2, timeout=10)

    def answer(request: Request) -> Answer:
        if not request.header("authorization"):
            return unauthorized(CHALLENGE)
        both.wait()
        return 200

    call = Caller(Wire(answer), *slots("pw"))
    hosts = ["https://r.example", "https://r.example:444"]
    call.candidates = (Pinned(Basic("robot", "pw"), "store:1", tuple(origin(host) for host in hosts)),)
    assert together(2, lambda n: call(get(origin=hosts[n]), None).status) == [200, 200]


# What goes wrong on the way.


def test_an_interrupted_leader_leaves_nothing_locked() -> None:
    def interrupt(request: Request) -> Answer:
        raise KeyboardInterrupt

    wire = Wire(unauthorized(), interrupt)
    call = Caller(wire, ROBOT)
    with pytest.raises(KeyboardInterrupt):
        call()
    assert call.flights._waiting == {}


def test_a_revoked_token_is_renewed_once_for_everybody(simulator: RegistrySimulator) -> None:
    slow = Slow(simulator)
    call = Caller(slow, ROBOT, clock=time.time)
    call()
    simulator.tokens._key = b"rotated"
    assert together(8, lambda _: call().status) == [200] * 8
    assert slow.tokens <= 3


def test_the_authorizer_stands_many_threads_and_repositories() -> None:
    """What was asked for is remembered by one thread while another one looks through it."""

    def answer(request: Request) -> Answer:
        if request.url.target.startswith("/token"):
            return token()
        path = request.url.target.split("/")[2]
        challenge = f'Bearer realm="https://r.example/token",service="s",scope="opaque-{path}"'
        return 200 if request.header("authorization") else unauthorized(challenge)

    call = Caller(Wire(answer), ROBOT)

    def work(number: int) -> int:
        for turn in range(20):
            path = f"app{number}x{turn}"
            assert call(get(f"/v2/{path}/manifests/v1"), REPOSITORY.replace(path=path)).status == 200
        return number

    assert together(8, work) == list(range(8))


def test_flights_are_one_at_a_time_and_forgotten_afterwards() -> None:
    flights = Flights()
    inside, most = [0], [0]
    guard = threading.Lock()

    def work(_: int) -> None:
        flights.enter("key")
        with guard:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        time.sleep(0.002)
        with guard:
            inside[0] -= 1
        flights.leave("key")

    together(8, work)
    assert most == [1]
    assert flights._waiting == {}


def test_flights_of_different_keys_go_side_by_side() -> None:
    flights = Flights()
    flights.enter("a")
    flights.enter("b")
    flights.leave("a")
    flights.leave("b")
    assert flights._waiting == {}
