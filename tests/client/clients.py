"""Clients over registries without a network."""

from __future__ import annotations

from collections.abc import Callable

from registryauth._http import Request, Response
from registryauth.client import Client, RepositoryClient
from registryauth.credentials import Basic, Credential, Pinned
from registryauth.reference import Repository
from registryauth.testing import RegistrySimulator

HOST = "r.example"
REPOSITORY = "team/app"
CANARY = "canary-7f3a"

Answer = tuple[int, dict[str, str], bytes]


def at_once(_: float) -> None:
    """Wait for nothing: what is sent again is the business of tests/http_transport/test_retrying.py."""


def robot(credential: Credential | None = None) -> Callable[[Repository], tuple[Pinned, ...]]:
    return lambda _: (Pinned(credential or Basic("robot", "right"), "store:1"),)


def client_of(simulator: RegistrySimulator, credential: Credential | None = None) -> Client:
    return Client(robot(credential), transport=simulator.transport(), sleep=at_once)


def app(simulator: RegistrySimulator, credential: Credential | None = None) -> RepositoryClient:
    return client_of(simulator, credential).repository(f"{HOST}/{REPOSITORY}")


class Wire:
    """A transport that records what is sent and answers what *answer* says."""

    def __init__(self, answer: Callable[[Request], Answer | Response]) -> None:
        self._answer = answer
        self.sent: list[Request] = []
        self.closed = False

    def send(self, request: Request) -> Response:
        self.sent.append(request)
        answer = self._answer(request)
        if isinstance(answer, Response):
            return answer
        status, headers, body = answer
        return Response.of(status, headers.items(), request.url, body)

    def close(self) -> None:
        self.closed = True

    @property
    def urls(self) -> list[str]:
        return [str(request.url) for request in self.sent]


def anonymous(answer: Callable[[Request], Answer | Response]) -> tuple[RepositoryClient, Wire]:
    """A client without credentials at a registry that says *answer*."""
    wire = Wire(answer)
    return Client(transport=wire, sleep=at_once).repository(f"{HOST}/{REPOSITORY}"), wire
