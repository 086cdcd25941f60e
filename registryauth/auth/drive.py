"""Runs a flow on the calling thread: sends its requests, reads its bodies, looks up its credentials."""

from __future__ import annotations

import threading
from typing import TypeVar

from registryauth._http import Request
from registryauth.auth.flow import Lookup, Once, Read
from registryauth.errors import Error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    from registryauth._http.messages import Transport
    from registryauth.auth.flow import Flow
    from registryauth.credentials import Pinned
    from registryauth.reference import Repository

    Credentials: TypeAlias = Callable[[Repository | None], tuple[Pinned, ...]]

T = TypeVar("T")


class Flights:
    """One lock for each thing under way, forgotten when nobody waits for it."""

    def __init__(self) -> None:
        self._waiting: dict[object, tuple[threading.Lock, int]] = {}
        self._lock = threading.Lock()

    def enter(self, key: object) -> None:
        """Wait for whoever does *key* now, then be the one who does."""
        with self._lock:
            flight, waiting = self._waiting.get(key, (threading.Lock(), 0))
            self._waiting[key] = flight, waiting + 1
        flight.acquire()

    def leave(self, key: object) -> None:
        """Let the next one go."""
        with self._lock:
            flight, waiting = self._waiting.pop(key)
            if waiting > 1:
                self._waiting[key] = flight, waiting - 1
        flight.release()


def drive(flow: Flow[T], transport: Transport, credentials: Credentials, flights: Flights) -> T:
    """The result of *flow*, its effects done here and now; errors of the effects are raised inside it first."""

    def outcome(effect: object) -> Any:  # noqa: ANN401 - as many types as there are effects
        match effect:
            case Request():
                return transport.send(effect)
            case Read(response, limit):
                return response.read(limit)
            case Lookup(repository):
                return credentials(repository)
            case Once(key, run):
                flights.enter(key)
                try:
                    return drive(run(), transport, credentials, flights)
                finally:
                    flights.leave(key)
        raise AssertionError(effect)

    try:
        effect = next(flow)
        while True:
            try:
                done = outcome(effect)
            except Error as error:
                effect = flow.throw(error)
            else:
                effect = flow.send(done)
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        flow.close()
