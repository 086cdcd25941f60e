"""From a request to an answered request: the challenge, the credential, the token, and again. Pure but for its yields.

`Authorizer.flow` is a generator that yields what it needs done (send this, read that, look up a credential) and is
sent the outcome; `drive` does it on the calling thread, `httpx_auth.RegistryAuth` inside an httpx client of either
colour. Nothing here opens a connection or waits for a lock.
"""

from __future__ import annotations

import time

from registryauth._http import MAX_ERROR_BODY, Request, Response
from registryauth._origin import Origin, Url, may_carry, may_visit
from registryauth._value import Value
from registryauth.auth import challenge as challenges
from registryauth.auth import exchange
from registryauth.auth.cache import TokenCache, TokenKey
from registryauth.auth.challenge import Challenge
from registryauth.auth.exchange import Token
from registryauth.auth.recent import Recent
from registryauth.auth.scope import Scope, merge, parse_scopes
from registryauth.credentials import NOBODY, Anonymous, Basic, Pinned, RegistryToken
from registryauth.errors import RealmRefused, SizeMismatch, TokenRefused, TooManyRequests, TransportError, UnsupportedScheme

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from typing import Any, TypeAlias, TypeVar

    from registryauth.reference import Repository

    T = TypeVar("T")
    Effect: TypeAlias = "Request | Read | Lookup | Once"
    Flow: TypeAlias = Generator[Effect, Any, T]


class Read(Value):
    """Wanted: the body of *response*, at most *limit* bytes."""

    response: Response
    limit: int


class Lookup(Value):
    """Wanted: the credentials for *repository* (None: for the registry as a whole), at most two of one account, best first."""

    repository: Repository | None


class Once(Value):
    """Wanted: the result of the flow that *run* makes, run by one caller at a time for the same *key*."""

    key: object
    run: Callable[[], Flow[Any]]


class _Signed(Value):
    """A request as it will be sent, and with what: *fresh* if the token was got for this very request, *who* if with a password."""

    request: Request
    token: Token | None = None
    fresh: bool = False
    last: bool = False
    who: tuple[Origin, str] | None = None


#: Sends of one request: bare, with a cached token, with a new one, with a wider one.
_MAX_SENDS = 4
#: Seconds for which a refused credential is not presented again.
_REFUSED_FOR = 3.0


class Authorizer:
    """Answers registries' challenges; keeps tokens and remembers what each registry asked for. Safe to share between threads."""

    def __init__(self, *, clock: Callable[[], float] = time.time, insecure: Callable[[Origin], bool] = lambda _: False) -> None:
        """*insecure* says whether the user allowed plain http for a registry in so many words; loopback needs no leave."""
        self._clock = clock
        self._insecure = insecure
        self.cache = TokenCache(clock)
        self._refusals: Recent[TokenKey, tuple[float, str, str]] = Recent()
        self._asked: Recent[tuple[Origin, str], Challenge] = Recent()
        # Whose password a registry took, and whose it refused, and when.
        self._taken: Recent[tuple[Origin, str], bool] = Recent()
        self._turned_down: Recent[tuple[Origin, str], float] = Recent()

    def flow(self, request: Request, repository: Repository | None, scopes: tuple[Scope, ...]) -> Flow[Response]:
        """Send *request* with whatever authorisation it takes, and give the last response, a refusal included.

        Yields effects. Raises `InvalidChallenge`, `UnsupportedScheme`, `RealmRefused`, `TokenRefused`, and what the effects raise.
        """
        origin = request.url.origin
        asked = self._remembered(origin, repository)
        wanted = merge((*scopes, *_scopes_of(asked))) if asked else scopes
        refused = 0
        for sends_left in reversed(range(_MAX_SENDS)):
            signed = (yield from self._sign(request, asked, repository, wanted, refused)) if asked else _Signed(request)
            response = yield from self._send(signed, request)
            # A client that follows redirects shows us the answer of wherever they led, which may ask nothing of us (CVE-2020-15157).
            again = _asked_again(response) if response.url.origin == origin else None
            exhausted = signed.last and again is not None and asked is not None and again.scheme == asked.scheme
            if again is None or exhausted or not sends_left:
                return response
            wider = merge((*_scopes_of(again), *wanted))
            if signed.token:
                self.cache.drop(signed.token)
                if signed.fresh and set(wider) == set(wanted):
                    return response
            if asked and again.scheme == asked.scheme == "basic":
                refused += 1
            response.close()
            asked, wanted = again, wider
            self._asked.put((origin, repository.path if repository else ""), again)
        raise AssertionError("the last send returns")

    def grant(self, origin: Origin, asked: Challenge, pinned: Pinned, scopes: tuple[Scope, ...]) -> Flow[Token]:
        """A new token for *scopes* alone, kept by nobody: what the token server that *asked* names gives *pinned* for them.

        Yields effects. Raises `RealmRefused`, and `TokenRefused` after one attempt; that refusal is not remembered, because
        it may speak of the scopes and not of the credential.
        """
        self._may_carry(origin, pinned, exchange.realm(asked))
        return (yield from self._fetch(origin, asked, pinned, scopes))

    def granted(
        self, origin: Origin, repository: Repository, scopes: tuple[Scope, ...], candidates: tuple[Pinned, ...]
    ) -> tuple[str, ...] | None:
        """The actions on *repository* that the token last used for *scopes* says it holds; None where no token says so."""
        asked = self._remembered(origin, repository)
        if asked is None or asked.scheme != "bearer":
            return None
        keys = _keys(asked, candidates or (NOBODY,))
        token = next(filter(None, (self.cache.get(key, scopes) for key in keys)), None)
        if token is None or token.granted is None:
            return None
        return tuple(
            sorted(
                {action for kind, name, actions in token.granted if (kind, name) == ("repository", repository.path) for action in actions}
            )
        )

    def _remembered(self, origin: Origin, repository: Repository | None) -> Challenge | None:
        """What this registry asked for the last time, for this repository or, where it follows the convention, for another."""
        path = repository.path if repository else ""
        if known := self._asked.get((origin, path)):
            return known
        for (other, _), challenge in self._asked.newest_first():
            if other == origin and all(scope.kind in ("repository", "registry") for scope in _scopes_of(challenge)):
                return challenge.replace(params=tuple(p for p in challenge.params if p[0] != "scope"))
        return None

    def _send(self, signed: _Signed, bare: Request) -> Flow[Response]:
        """The answer to a request; a password that the registry has not taken yet is tried by one at a time."""
        who = signed.who
        if who is None:
            response: Response = yield signed.request
            return response
        if not self._taken.get(who):
            response = yield Once(who, lambda: self._try(signed, bare, who))
            return response
        response = yield signed.request
        if response.status == 401:
            # Changed meanwhile, or it does for less than this request: whoever is next finds out alone.
            self._taken.drop(who)
        return response

    def _try(self, signed: _Signed, bare: Request, who: tuple[Origin, str]) -> Flow[Response]:
        """The answer to a password; to none, where somebody else's was refused a moment ago: many at once must not lock it out."""
        at = self._turned_down.get(who)
        response: Response
        if at is not None and 0 <= self._clock() - at < _REFUSED_FOR:
            response = yield bare
            return response
        response = yield signed.request
        if response.url.origin == bare.url.origin:
            if response.status == 401:
                self._turned_down.put(who, self._clock())
            elif response.status != 429 and response.status < 500:
                self._taken.put(who, True)
        return response

    def _sign(
        self, request: Request, asked: Challenge, repository: Repository | None, wanted: tuple[Scope, ...], refused: int
    ) -> Flow[_Signed]:
        candidates: tuple[Pinned, ...] = yield Lookup(repository)
        if asked.scheme == "basic":
            return self._sign_basic(request, [p for p in candidates if not isinstance(p.credential, Anonymous)], refused)
        candidates = candidates or (NOBODY,)
        self._may_carry(request.url.origin, candidates[0], request.url)
        for held in candidates:
            if isinstance(held.credential, RegistryToken):
                return _Signed(_bearer(request, exchange.checked(held.credential)), last=True)
        keys = _keys(asked, candidates)
        for pinned, key in zip(candidates, keys, strict=True):
            if token := self.cache.get(key, wanted):
                # A registry gets no token, not even a warm one, from a token server that it may not name.
                self._may_carry(request.url.origin, pinned, exchange.realm(asked))
                return _Signed(_bearer(request, token.value), token)
        token = yield Once((keys[0], wanted), lambda: self._exchange(request.url.origin, asked, candidates, keys, wanted))
        return _Signed(_bearer(request, token.value), token, fresh=True)

    def _sign_basic(self, request: Request, candidates: Sequence[Pinned], refused: int) -> _Signed:
        if refused >= len(candidates):
            return _Signed(request, last=True)
        pinned = candidates[refused]
        if not isinstance(pinned.credential, Basic):
            raise UnsupportedScheme(
                f"{request.url.origin.netloc} asks for a user name and password, and the stored credential is a token",
                hint="log in with --username and --password-stdin",
            )
        self._may_carry(request.url.origin, pinned, request.url)
        signed = request.with_header("authorization", exchange.basic(pinned.credential))
        return _Signed(signed, last=refused + 1 >= len(candidates), who=(request.url.origin, pinned.identity))

    def _exchange(
        self, origin: Origin, asked: Challenge, candidates: tuple[Pinned, ...], keys: list[TokenKey], wanted: tuple[Scope, ...]
    ) -> Flow[Token]:
        """A token from the server that *asked* names; the second credential only after a 401 to the first."""
        refused: list[TokenRefused] = []
        for pinned, key in zip(candidates, keys, strict=True):
            self._may_carry(origin, pinned, exchange.realm(asked))
            # Whoever ran before us under the same key may have fetched it.
            if token := self.cache.get(key, wanted):
                return token
            if earlier := self._refused(key):
                refused.append(earlier)
                continue
            try:
                token = yield from self._fetch(origin, asked, pinned, wanted)
            except TokenRefused as error:
                if error.status != 401:
                    raise
                self._refusals.put(key, (self._clock(), str(error), error.hint))
                refused.append(error)
            else:
                self.cache.put(key, wanted, token)
                return token
        raise refused[0]

    def _refused(self, key: TokenKey) -> TokenRefused | None:
        """The refusal that the same credential met a moment ago: many at once must not lock an account out."""
        at, message, hint = self._refusals.get(key) or (0.0, "", "")
        return TokenRefused(message, status=401, hint=hint) if message and 0 <= self._clock() - at < _REFUSED_FOR else None

    def _fetch(self, origin: Origin, asked: Challenge, pinned: Pinned, wanted: tuple[Scope, ...]) -> Flow[Token]:
        requests = exchange.token_requests(asked, pinned.credential, wanted)
        for number, request in enumerate(requests, 1):
            response: Response = yield request
            if response.url.origin != request.url.origin:
                response.close()
                raise _redirected(request.url)
            if response.status in (404, 405) and number < len(requests):
                response.close()
                continue
            if response.status == 200:
                body: bytes = yield Read(response, exchange.MAX_TOKEN_BODY)
                return exchange.read_token(body, response.headers, self._clock())
            reason = exchange.read_refusal((yield from _said(response)), pinned.credential)
            raise _refusal(origin, request.url, response, reason, anonymous=isinstance(pinned.credential, Anonymous))
        raise AssertionError("the last request is answered or refused")

    def _may_carry(self, origin: Origin, pinned: Pinned, target: Url) -> None:
        """Raise `RealmRefused` unless *pinned* may go to *target* for the registry at *origin*."""
        if isinstance(pinned.credential, Anonymous):
            may_visit(origin, target, insecure=self._insecure(origin))
        else:
            may_carry(origin, pinned.realms, target, insecure=self._insecure(origin))


def _keys(asked: Challenge, candidates: tuple[Pinned, ...]) -> list[TokenKey]:
    return [TokenKey(asked.param("realm"), asked.param("service"), pinned.identity) for pinned in candidates]


def _bearer(request: Request, token: str) -> Request:
    return request.with_header("authorization", f"Bearer {token}")


def _scopes_of(challenge: Challenge) -> tuple[Scope, ...]:
    return parse_scopes(challenge.param("scope"))


def _asked_again(response: Response) -> Challenge | None:
    """The challenge in a refusal that another token may lift, if this is one.

    distribution answers 401 to a token with too few rights; icr.io and others follow RFC 6750 §3.1 and answer 403.
    """
    lines = response.headers.all("www-authenticate")
    if response.status not in (401, 403) or not lines:
        return None
    try:
        parsed = challenges.parse(lines)
        if response.status == 403 and not any(c.param("error") == "insufficient_scope" and c.param("realm") for c in parsed):
            return None
        return challenges.choose(parsed)
    except BaseException:
        response.close()
        raise


def _said(response: Response) -> Flow[bytes]:
    """The body of a refusal, nothing where it is too long, compressed or cut: the status alone says that it is one."""
    try:
        body: bytes = yield Read(response, MAX_ERROR_BODY)
    except (SizeMismatch, TransportError):
        return b""
    return body


def _redirected(realm: Url) -> RealmRefused:
    return RealmRefused(
        f"the token server {realm.origin.netloc} redirected the request for a token; no token from there is used",
        hint="a token request may carry a secret: leave follow_redirects off in a client of your own",
    )


def _refusal(origin: Origin, realm: Url, response: Response, reason: str, *, anonymous: bool) -> Exception:
    """The error that a token server's answer amounts to; *reason* is in its own words."""
    status = response.status
    where = f"the token server {realm.origin.netloc}"
    said = f": {reason}" if reason else ""
    if 300 <= status < 400:
        return _redirected(realm)
    if status >= 500:
        return TransportError(f"{where} failed ({status}){said}", hint="try again later")
    if status == 429:
        wait = response.headers.get("retry-after")
        hint = f"try again in {wait} seconds" if wait.isascii() and wait.isdecimal() else "try again later"
        error = TokenRefused(f"{where} is throttling us{said}", status=status, hint=hint)
        # Nobody was refused anything: who gets 4 for it would look for another secret.
        error.exit_code = TooManyRequests.exit_code
        return error
    if status in (400, 401) and not anonymous:
        return TokenRefused(
            f"{where} refused the credential for {origin.netloc}{said}",
            status=401,
            hint=f"it may be wrong, expired or revoked: log in again with 'registryauth login {origin.netloc}'",
        )
    hint = f"log in with 'registryauth login {origin.netloc}'" if anonymous else "the account may lack the right for this repository"
    return TokenRefused(f"{where} gave no token ({status}){said}", status=status, hint=hint)
