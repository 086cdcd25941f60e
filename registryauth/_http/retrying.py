"""Requests that may safely be sent again, sent again: after a pause, a few times, and not for long."""

from __future__ import annotations

import time

from registryauth._http.messages import Request, Response
from registryauth.errors import TransportError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tenacity import RetryCallState

    from registryauth._http.messages import Transport

#: Statuses that speak of a moment, not of the request (RFC 9110 §15.6.3-5, RFC 6585 §4).
_BUSY = (429, 502, 503, 504)
#: RFC 9110 §9.2.2 allows more, but closing an upload twice is an error, and a token request by POST carries a password.
_SAFE = ("GET", "HEAD")

ATTEMPTS = 4
#: Seconds of the first pause; each next one is twice as long, give or take a half.
_FIRST_PAUSE = 0.25
#: Seconds. A registry that asks for more patience than this is answered by telling the person.
MAX_PAUSE = 20.0


class Retrying:
    """Sends through *inner*; GET and HEAD again where the connection broke or the server was busy, as ``Retry-After`` wishes."""

    def __init__(self, inner: Transport, *, sleep: Callable[[float], None] = time.sleep, clock: Callable[[], float] = time.time) -> None:
        self._inner = inner
        self._sleep = sleep
        self._clock = clock

    def send(self, request: Request) -> Response:
        """The answer, the last one where every attempt was turned away; raise `TransportError` where none came."""
        first = self._attempt(request)
        if request.method not in _SAFE or not _passing(first):
            return _settled(first)
        return self._again(request, first)

    def close(self) -> None:
        """Close every connection."""
        self._inner.close()

    def _attempt(self, request: Request) -> Response | TransportError:
        try:
            return self._inner.send(request)
        except TransportError as error:
            return error

    def _again(self, request: Request, first: Response | TransportError) -> Response:
        # Imported here: most commands never need it.
        from tenacity import Retrying as Policy
        from tenacity import retry_if_result, stop_after_attempt

        held = [first]
        policy = Policy(
            sleep=self._sleep,
            stop=lambda state: stop_after_attempt(ATTEMPTS)(state) or self._pause(state) > MAX_PAUSE,
            wait=self._pause,
            retry=retry_if_result(_passing),
            before_sleep=_drop,
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else first,
        )
        return _settled(policy(lambda: held.pop() if held else self._attempt(request)))

    def _pause(self, state: RetryCallState) -> float:
        """Seconds to wait before the next attempt."""
        outcome = state.outcome.result() if state.outcome else None
        if isinstance(outcome, Response) and (wished := retry_after(outcome.headers.get("retry-after"), self._clock())) is not None:
            return wished
        import random

        return float(_FIRST_PAUSE * 2 ** (state.attempt_number - 1) * random.uniform(0.5, 1.5))  # noqa: S311 - no secret


def retry_after(value: str, now: float) -> float | None:
    """Seconds to wait by a ``Retry-After`` (RFC 9110 §10.2.3), a number of them or a date; None where there is none to be read."""
    if value.isascii() and value.isdecimal():
        return float(value[:12])
    if not value:
        return None
    from email.utils import parsedate_to_datetime

    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now)
    except (ValueError, IndexError, OverflowError):
        return None


def _passing(outcome: Response | TransportError) -> bool:
    """Whether the trouble may pass."""
    return outcome.transient if isinstance(outcome, TransportError) else outcome.status in _BUSY


def _settled(outcome: Response | TransportError) -> Response:
    if isinstance(outcome, TransportError):
        raise outcome
    return outcome


def _drop(state: RetryCallState) -> None:
    outcome = state.outcome.result() if state.outcome else None
    if isinstance(outcome, Response):
        outcome.close()
