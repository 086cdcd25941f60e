"""The flow without a registry: the test writes every answer and sees every request."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from registryauth._http import Request, Response
from registryauth._origin import Origin, Url
from registryauth.auth.drive import Flights, drive
from registryauth.auth.flow import Authorizer
from registryauth.auth.scope import Scope
from registryauth.credentials import Credential, Pinned
from registryauth.reference import Registry, Repository

REPOSITORY = Repository(Registry("r.example"), "team/app")
PULL = (Scope.of(REPOSITORY, "pull"),)
CANARY = "canary-7f3a"
BEARER = 'Bearer realm="https://r.example/token",service="r.example",scope="repository:team/app:pull"'

Answer = Response | tuple[int, dict[str, str], bytes] | int


def url(text: str) -> Url:
    return Url.parse(text)


def get(target: str = "/v2/team/app/manifests/v1", origin: str = "https://r.example") -> Request:
    return Request("GET", url(origin + target), (("accept", "application/vnd.oci.image.manifest.v1+json"),))


def pinned(credential: Credential, identity: str = "store:1", *realms: str) -> Pinned:
    return Pinned(credential, identity, tuple(url(realm).origin for realm in realms))


def respond(request: Request, answer: Answer) -> Response:
    if isinstance(answer, Response):
        return answer
    status, headers, body = (answer, {}, b"") if isinstance(answer, int) else answer
    return Response.of(status, headers.items(), request.url, body)


def token(value: str = "tok", **more: Any) -> tuple[int, dict[str, str], bytes]:
    return 200, {"content-type": "application/json"}, json.dumps({"token": value, "expires_in": 300, **more}).encode()


def unauthorized(challenge: str = BEARER, status: int = 401) -> tuple[int, dict[str, str], bytes]:
    return status, {"www-authenticate": challenge}, b'{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}'


class Wire:
    """A transport that records what is sent and says what *answers* says: a function, or one answer after the other."""

    def __init__(self, *answers: Answer | Callable[[Request], Answer]) -> None:
        self._answers = list(answers)
        self.sent: list[Request] = []

    def send(self, request: Request) -> Response:
        self.sent.append(request)
        answer = self._answers[0] if len(self._answers) == 1 and callable(self._answers[0]) else self._answers.pop(0)
        return respond(request, answer(request) if callable(answer) else answer)

    def close(self) -> None:
        pass

    @property
    def lines(self) -> list[str]:
        """Method and path of each request, without its query."""
        return [f"{request.method} {request.url.target.partition('?')[0]}" for request in self.sent]

    @property
    def authorizations(self) -> list[str]:
        return [request.header("authorization") for request in self.sent]

    def to(self, path: str) -> list[Request]:
        return [request for request in self.sent if request.url.target.partition("?")[0] == path]


class Caller:
    """Runs requests for one repository through one `Authorizer`, and counts how often the credentials were asked for."""

    def __init__(self, wire: Any, *candidates: Pinned, clock: Callable[[], float] = lambda: 1000.0, insecure: tuple[str, ...] = ()) -> None:
        self.wire = wire
        self.candidates = candidates
        self.lookups: list[Repository | None] = []
        self.authorizer = Authorizer(clock=clock, insecure=lambda origin: origin.netloc in insecure)
        self.flights = Flights()

    def __call__(
        self, request: Request | None = None, repository: Repository | None = REPOSITORY, scopes: tuple[Scope, ...] | None = None
    ) -> Response:
        if scopes is None:
            scopes = (Scope.of(repository, "pull"),) if repository else ()
        flow = self.authorizer.flow(request or get(), repository, scopes)
        return drive(flow, self.wire, self._credentials, self.flights)

    def _credentials(self, repository: Repository | None) -> tuple[Pinned, ...]:
        self.lookups.append(repository)
        return self.candidates


def origin(text: str) -> Origin:
    return url(text).origin
