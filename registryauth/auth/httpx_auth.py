"""`RegistryAuth`: registry authentication for anybody's own httpx client, sync or async."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncGenerator, Callable, Generator
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
import httpx

from registryauth._grammar import PATH
from registryauth._http.messages import MAX_ERROR_BODY, Headers, Request, Response
from registryauth._http.through_httpx import broken, from_httpx
from registryauth._origin import Url
from registryauth.auth.drive import Flights
from registryauth.auth.flow import Authorizer, Lookup, Once, Read
from registryauth.auth.scope import Scope
from registryauth.errors import Error, SizeMismatch, TransportError
from registryauth.reference import Registry, Repository

if TYPE_CHECKING:
    from typing import Any, TypeAlias

    from registryauth.auth.flow import Effect, Flow
    from registryauth.credentials import Pinned

    Credentials: TypeAlias = Callable[[Repository], tuple[Pinned, ...]]
    _Stack: TypeAlias = "list[tuple[_Step, Callable[[], None]]]"

#: distribution-spec, "Endpoints": what stands between a repository and the rest of a path.
_ENDPOINT = rf"/v2/(?P<path>{PATH})/(?:manifests|blobs|tags|referrers)/.+"
#: The extension of a request that keeps its own Authorization.
_OWN = "registryauth.authorization"
_PUSH = frozenset({"POST", "PUT", "PATCH"})


class RegistryAuth(httpx.Auth):
    """Answers a registry's challenges inside an httpx client.

        client = httpx.Client(auth=RegistryAuth(resolver.candidates))

    *credentials* gives what a repository's credentials are (an empty path asks for the registry as a whole); it may block,
    and is called on a worker thread under an async client. It is asked about the host that a request goes to, so it must not
    answer for one that it does not know. Leave ``follow_redirects`` off: a token server could lead a secret elsewhere.
    """

    def __init__(self, credentials: Credentials, *, authorizer: Authorizer | None = None) -> None:
        self._credentials = credentials
        self._authorizer = authorizer or Authorizer()
        self._flights = Flights()
        self._async_flights: dict[object, anyio.Lock] = {}

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Httpx calls this for every request of a sync client."""
        yield from self._run(self._flow(request), request, _Held(), [])

    def _run(
        self, flow: Flow[Any], original: httpx.Request, held: _Held, dropped: list[httpx.Response]
    ) -> Generator[httpx.Request, httpx.Response, Any]:
        step = _Step(flow)
        while (effect := step.effect) is not None:
            try:
                match effect:
                    case Request():
                        answer = yield _as_httpx(effect, original)
                        step.done(_opened(answer, held, dropped))
                        while dropped:
                            _discard(dropped.pop())
                    case Read(response, limit):
                        step.done(_bounded(held[response], limit))
                    case Lookup(repository):
                        step.done(self._credentials(repository) if repository else ())
                    case Once(key, run):
                        self._flights.enter(key)
                        try:
                            step.done((yield from self._run(run(), original, held, dropped)))
                        finally:
                            self._flights.leave(key)
            except Error as error:
                step.failed(error)
        return step.result

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Httpx calls this for every request of an async client."""
        # An async generator cannot delegate, so the flows inside one another are kept on a stack.
        stack: _Stack = [(_Step(self._flow(request)), _no_lock)]
        held, dropped = _Held(), list[httpx.Response]()
        try:
            while stack:
                step, _ = stack[-1]
                try:
                    match step.effect:
                        case Request() as wanted:
                            answer = yield _as_httpx(wanted, request)
                            step.done(_opened(answer, held, dropped))
                            while dropped:
                                await _discard_async(dropped.pop())
                        case Read(response, limit):
                            step.done(await _bounded_async(held[response], limit))
                        case Lookup(None):
                            step.done(())
                        case Lookup(Repository() as repository):
                            step.done(await anyio.to_thread.run_sync(self._credentials, repository))
                        case Once(key, run):
                            land = await self._enter(key)
                            try:
                                # It may fail before its first effect.
                                stack.append((_Step(run()), land))
                            except BaseException:
                                land()
                                raise
                        case None:
                            self._pop(stack)
                except Error as error:
                    _raise_through(stack, error)
        finally:
            for _, land in stack:
                land()

    async def _enter(self, key: object) -> Callable[[], None]:
        """Wait for whoever does *key* now; the function given lets the next one go."""
        lock = self._async_flights.setdefault(key, anyio.Lock())
        await lock.acquire()

        def land() -> None:
            if not lock.statistics().tasks_waiting:
                self._async_flights.pop(key, None)
            lock.release()

        return land

    @staticmethod
    def _pop(stack: _Stack) -> None:
        step, land = stack.pop()
        land()
        if stack:
            stack[-1][0].done(step.result)

    def _flow(self, request: httpx.Request) -> Flow[Response]:
        ours = _as_ours(request)
        repository, scopes = wanted_by(ours)
        return self._authorizer.flow(ours, repository, scopes)


def _no_lock() -> None:
    """The outermost flow holds none."""


class _Step:
    """A flow, the effect it waits for (None at its end) and its result."""

    def __init__(self, flow: Flow[Any]) -> None:
        self._flow = flow
        self.result: Any = None
        self.effect: Effect | None = None
        self._advance(lambda: next(flow))

    def done(self, outcome: object) -> None:
        """Tell the flow what its effect came to."""
        self._advance(lambda: self._flow.send(outcome))

    def failed(self, error: Error) -> None:
        """Raise *error* inside the flow."""
        self._advance(lambda: self._flow.throw(error))

    def _advance(self, move: Any) -> None:  # noqa: ANN401 - a thunk
        try:
            self.effect = move()
        except StopIteration as end:
            self.effect, self.result = None, end.value


def _raise_through(stack: _Stack, error: Error) -> None:
    """Raise *error* in the innermost flow, and in the one around it if it is not handled there, and so on."""
    while True:
        step, land = stack[-1]
        try:
            step.failed(error)
        except Error as escaped:
            stack.pop()
            land()
            if not stack:
                raise
            error = escaped
        else:
            return


def wanted_by(request: Request) -> tuple[Repository | None, tuple[Scope, ...]]:
    """The repository that a Distribution API request is about (an empty path: the registry as a whole), and the scopes it takes.

    None for any other request: whoever asks for a credential there is no registry, and gets none.
    """
    path = request.url.target.partition("?")[0]
    if not path.startswith("/v2/"):
        return None, ()
    registry = Registry.parse(request.url.origin.netloc)
    match = re.fullmatch(_ENDPOINT, path)
    if not match:
        return Repository(registry, ""), ()
    repository = Repository(registry, match["path"])
    if request.method == "DELETE":
        return repository, (Scope.of(repository, "delete"),)
    # A token to push with must also pull: distribution checks for both (registry/handlers/app.go).
    return repository, (Scope.of(repository, "pull", "push") if request.method in _PUSH else Scope.of(repository, "pull"),)


def _as_ours(request: httpx.Request) -> Request:
    return Request(request.method, Url.parse(str(request.url)))


def _as_httpx(wanted: Request, original: httpx.Request) -> httpx.Request:
    """*wanted* as httpx sends it: the user's own request with our Authorization, or one to a token server."""
    if (wanted.method, str(wanted.url)) == (original.method, str(Url.parse(str(original.url)))):
        # What it had before us, so that a password that was refused is not sent once more.
        own = original.extensions.setdefault(_OWN, original.headers.get("authorization", ""))
        original.headers.pop("authorization", None)
        if authorization := wanted.header("authorization") or own:
            original.headers["authorization"] = authorization
        return original
    headers = [*wanted.headers, ("accept-encoding", "identity"), ("user-agent", original.headers.get("user-agent", "registryauth"))]
    # httpx gives a request made inside a flow no timeout of its own.
    extensions = {"timeout": original.extensions.get("timeout", {})}
    return httpx.Request(wanted.method, str(wanted.url), headers=headers, content=wanted.body or None, extensions=extensions)


_Held = dict[Response, httpx.Response]


def _opened(answer: httpx.Response, held: _Held, dropped: list[httpx.Response]) -> Response:
    """*answer* as ours; what the flow closes unread is put into *dropped*."""
    response = Response(
        answer.status_code, Headers(answer.headers.multi_items()), _url(answer), _unreadable, lambda: dropped.append(answer)
    )
    held[response] = answer
    return response


def _url(answer: httpx.Response) -> Url:
    return Url.parse(str(answer.request.url))


def _unreadable(_: memoryview) -> int:
    raise TransportError("the body belongs to the httpx response")


def _bounded(answer: httpx.Response, limit: int) -> bytes:
    try:
        return from_httpx(answer, _url(answer)).read(limit)
    finally:
        _empty(answer)


async def _bounded_async(answer: httpx.Response, limit: int) -> bytes:
    body = bytearray(answer.content if answer.is_stream_consumed else b"")
    try:
        async with contextlib.aclosing(_raw(answer)) as chunks:
            async for chunk in chunks:
                body += chunk
                if len(body) > limit:
                    break
    except httpx.HTTPError as error:
        raise broken(_url(answer), error) from error
    finally:
        await answer.aclose()
        _empty(answer)
    return Response.of(answer.status_code, answer.headers.multi_items(), _url(answer), bytes(body)).read(limit)


async def _raw(answer: httpx.Response) -> AsyncGenerator[bytes]:
    if not answer.is_stream_consumed:
        async for chunk in answer.aiter_raw():
            yield chunk


def _discard(answer: httpx.Response) -> None:
    """Read a refusal, so that its connection can be used again; one that does not end soon is closed."""
    with contextlib.suppress(SizeMismatch, TransportError):
        _bounded(answer, MAX_ERROR_BODY)


async def _discard_async(answer: httpx.Response) -> None:
    with contextlib.suppress(SizeMismatch, TransportError):
        await _bounded_async(answer, MAX_ERROR_BODY)


def _empty(answer: httpx.Response) -> None:
    # httpx reads each response of a flow to its end, without a bound, decodes it and keeps it in the history: leave it nothing.
    answer.stream = httpx.ByteStream(b"")
    answer.is_stream_consumed = False
    answer.is_closed = False
