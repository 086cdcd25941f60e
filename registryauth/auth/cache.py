"""Tokens already paid for, by who asked whom for what."""

from __future__ import annotations

import threading

from registryauth._value import Value
from registryauth.auth.scope import Scope, covered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from registryauth.auth.exchange import Token

#: Seconds before its end at which a token is no longer handed out: a request must arrive and be checked before then.
MARGIN = 10.0
#: Tokens kept; a process that visits more repositories than this forgets the oldest.
_MAX_TOKENS = 4096


class TokenKey(Value):
    """Which token server, for which service, on whose account. *identity* tells credentials apart and holds nothing secret."""

    realm: str
    service: str
    identity: str


class TokenCache:
    """Tokens by key and scopes; one that covers more than asked serves too. Safe to share between threads."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._tokens: dict[tuple[TokenKey, tuple[Scope, ...]], Token] = {}
        self._lock = threading.Lock()

    def get(self, key: TokenKey, scopes: tuple[Scope, ...]) -> Token | None:
        """A token for *scopes* that will live on for `MARGIN` seconds; absent is None."""
        with self._lock:
            token = self._tokens.get((key, scopes))
            if token and self._alive(token):
                return token
            for (of, held), other in self._tokens.items():
                if of == key and self._alive(other) and covered(scopes, held):
                    return other
            return None

    def put(self, key: TokenKey, scopes: tuple[Scope, ...], token: Token) -> None:
        """Keep *token*, which was given for *scopes*."""
        with self._lock:
            self._tokens.pop((key, scopes), None)
            if len(self._tokens) >= _MAX_TOKENS:
                self._tokens = {at: kept for at, kept in self._tokens.items() if self._alive(kept)}
            while len(self._tokens) >= _MAX_TOKENS:
                del self._tokens[next(iter(self._tokens))]
            self._tokens[key, scopes] = token

    def drop(self, token: Token) -> None:
        """Forget *token*: a registry refused it."""
        with self._lock:
            self._tokens = {at: kept for at, kept in self._tokens.items() if kept != token}

    def clear(self) -> None:
        """Forget every token, after a logout or a rotation."""
        with self._lock:
            self._tokens.clear()

    def _alive(self, token: Token) -> bool:
        return token.expires_at - MARGIN > self._clock()
