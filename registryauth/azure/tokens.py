"""Entra's access tokens: what gives them, and how they are kept."""

from __future__ import annotations

import threading
import time

from registryauth._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    class TokenSource(Protocol):
        """Who signs in: a client secret, a certificate, a workload, a machine, a person."""

        @property
        def label(self) -> str:
            """For people: what signs in, never with its secret."""
            ...

        def token(self, scope: str) -> AccessToken:
            """A new token for *scope* (``https://…/.default``). Raise `AzureError`, `TokenRefused` or `TransportError`."""
            ...


class AccessToken(Value, hidden=("value",)):
    """An Entra access token, and when it dies, in seconds since the epoch."""

    value: str
    expires_at: float


#: Seconds before its end at which a token is not used any more.
MARGIN = 120.0


class Tokens:
    """Tokens of one *source*, each asked for once and used until shortly before its end; safe to share between threads."""

    def __init__(self, source: TokenSource, clock: Callable[[], float] = time.time) -> None:
        self.source = source
        self._clock = clock
        self._held: dict[str, AccessToken] = {}
        self._lock = threading.Lock()

    def get(self, scope: str) -> str:
        """A token for *scope* that is good for `MARGIN` seconds at least, where the source gives such."""
        # One at a time: two threads that need a token need the same one.
        with self._lock:
            held = self._held.get(scope)
            if held is None or held.expires_at - MARGIN <= self._clock():
                held = self._held[scope] = self.source.token(scope)
            return held.value

    def drop(self) -> None:
        """Forget them all, after a refusal."""
        with self._lock:
            self._held.clear()
