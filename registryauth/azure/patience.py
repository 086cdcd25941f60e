"""Waiting for what was just made to be known: moments at Entra, up to ten minutes at a registry's token server (Azure/acr FAQ)."""

from __future__ import annotations

import time
from itertools import chain, repeat

from registryauth.errors import AzureError, Error, TokenRefused, TooManyRequests, TransportError, Unauthorized

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeVar

    Result = TypeVar("Result")

#: Seconds: the ten minutes that a role may take (Azure/acr FAQ), and two for Entra.
PATIENCE = 720.0
#: Seconds between two tries; the last one from then on.
_PAUSES = (1.0, 2.0, 3.0, 5.0, 8.0, 10.0)
#: What Entra says of a secret, an application or a principal that it has not heard of yet.
_UNHEARD = ("AADSTS7000215", "AADSTS700016", "AADSTS7000229")


class Patience:
    """Tries again for what Azure has not heard of yet, *limit* seconds in all, from the first try on.

    *tell* is given what is waited for, and for how many seconds already.
    """

    def __init__(
        self,
        limit: float = PATIENCE,
        *,
        tell: Callable[[str, float], None] = lambda _what, _seconds: None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._limit, self._tell, self._clock, self._sleep = limit, tell, clock, sleep
        self._began = -1.0

    def tries(self, what: str) -> Iterator[None]:
        """One for each try, with a pause before the next one that *what* is told of, until time is over."""
        self._began = self._clock() if self._began < 0 else self._began
        for pause in chain(_PAUSES, repeat(_PAUSES[-1])):
            yield
            gone = self._clock() - self._began
            if gone + pause > self._limit:
                return
            self._tell(what, gone)
            self._sleep(pause)

    def last_of(self, what: str, attempt: Callable[[], Result], passing: Callable[[Error], bool]) -> Result:
        """What *attempt* gives, once no error is in the way that is *passing*; raise any other at once, and when time is over the last."""
        last: Error | None = None
        for _ in self.tries(what):
            try:
                return attempt()
            except Error as error:
                if not passing(error):
                    raise
                last = error
        raise last or AssertionError("there is always a first try")

    def until(self, what: str, attempt: Callable[[], Result], passing: Callable[[Error], bool]) -> Result:
        """The same, but for its end.

        When time is over raise `AzureError`, or `TransportError` where the last thing to be heard was no answer.
        """
        try:
            return self.last_of(what, attempt, passing)
        except Error as error:
            if not passing(error):
                raise
            raise _over(what, self._limit, error) from error


def _over(what: str, limit: float, last: Error) -> Error:
    message = f"{what}: not within {limit / 60:.0f} minutes; the last answer was: {last.message.partition(chr(10))[0]}"
    if isinstance(last, TransportError):
        return TransportError(message, hint=last.hint)
    return AzureError(message, status=getattr(last, "status", 0) or 403, hint=last.hint)


def is_unheard_of(error: Error) -> bool:
    """Whether *error* is what Graph or resource management say of what was made a moment ago."""
    if not isinstance(error, AzureError):
        return False
    new = "does not reference a valid application object" in error.message
    return new or error.code in ("Request_ResourceNotFound", "PrincipalNotFound")


def is_not_yet(error: Error) -> bool:
    """Whether *error* is what Entra or a registry say of a secret or a role that they have not heard of, or passes by itself."""
    if isinstance(error, AzureError):
        return error.code in _UNHEARD
    if isinstance(error, TransportError):
        return error.transient
    if isinstance(error, TooManyRequests):
        return (error.retry_after or 0) <= _PAUSES[-1]
    # A token server that throttles says for how long, and that is told.
    return isinstance(error, TokenRefused | Unauthorized) and error.status != 429
