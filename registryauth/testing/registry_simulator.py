"""A registry with token auth, as a pure function from request to response with three doors.

It keeps to the OCI Distribution specification 1.1.1 and the distribution project's auth documents; the official
conformance suite passes against it (docs/conformance.md), and it is held to docker-registry and skopeo in our own tests.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from registryauth._http.messages import Headers, Request, Response
from registryauth.digest import Digest
from registryauth.testing import answers
from registryauth.testing.accounts import Accounts, Rights
from registryauth.testing.content_shelf import ContentShelf
from registryauth.testing.distribution_api import DistributionApi
from registryauth.testing.doorkeeper import Auth, Doorkeeper
from registryauth.testing.faults import Alteration, Fault, Interference
from registryauth.testing.features import Features
from registryauth.testing.rate_limit import RateLimit
from registryauth.testing.token_endpoint import TokenEndpoint

if TYPE_CHECKING:
    import ssl

    import httpx

    from registryauth.testing.direct_door import DirectDoor

#: What the tokens are for; echoed by the client, checked by the simulator.
SERVICE = "registry.simulator"


class RegistrySimulator:
    """An in-memory registry; `transport`, `httpx_transport` and `serve` are its doors, `handle` is what is behind them.

    *auth* is how it lets people in. *accounts* maps user names to passwords and stays live: change it and the
    old password is refused. *rights* narrows what an account may do to some of pull, push, delete and catalog (which
    is listing every repository), everywhere or by repository: ``{"ci": {"team/*": ["pull", "push"]}}``. With
    *anonymous_pull* nobody needs to log in to pull; without it the token endpoint refuses the anonymous caller, as
    Azure's does. *clock* gives seconds since the epoch, *token_lifetime* is in seconds.
    *realm* is the token endpoint that challenges name, by default ``/token`` of the origin that was asked; that
    path answers at every origin, so a foreign realm can be a second door to the same simulator.
    *features* is what it offers; it can be set anew at any time.

    `requests` holds every request that came in, secrets and all, in order. With `blob_redirect` set to a URL,
    blob requests are sent there, ``<blob_redirect><digest>``, and whatever arrives below that URL is served a
    blob without asking for a token, and refused with 400 if it brings an ``Authorization``, as object stores do.

    Everything is held in memory: a manifest has at most 4 MiB, an upload 256 MiB, a request through a socket 64 MiB.
    """

    def __init__(
        self,
        *,
        auth: Auth = "token",
        accounts: dict[str, str] | None = None,
        anonymous_pull: bool = False,
        clock: Callable[[], float] = time.time,
        token_lifetime: int = 300,
        realm: str | None = None,
        rights: Mapping[str, Rights] | None = None,
        blob_redirect: str | None = None,
        features: Features | None = None,
    ) -> None:
        self.auth = auth
        self.realm = realm
        self.blob_redirect = blob_redirect
        self.features = features or Features()
        self.requests: list[Request] = []
        self.shelf = ContentShelf()
        known = Accounts({} if accounts is None else accounts, rights or {}, anonymous_pull=anonymous_pull)
        self.tokens = TokenEndpoint(known, SERVICE, clock, token_lifetime)
        self._doorkeeper = Doorkeeper(known, self.tokens)
        self._api = DistributionApi(self.shelf, lambda: self.features)
        self._rate = RateLimit(clock)
        self._faults: list[Fault] = []
        self._alterations: list[Alteration] = []
        self._interferences: list[Interference] = []
        # A socket door handles several requests at once; the shelf and the records see one at a time.
        self._lock = threading.RLock()

    def handle(self, request: Request) -> Response:
        """The answer to *request*, faults included; a fault may raise `TransportError` instead."""
        with self._lock:
            self.requests.append(request)
        # Outside the lock, so that a slow answer holds up nobody else.
        answer = self._answer
        for interference in self._interferences:
            answer = partial(interference, then=answer)
        response = next((said for fault in self._faults if (said := fault(request))), None) or answer(request)
        for alteration in self._alterations:
            response = alteration(request, response)
        return response

    def inject(self, fault: Fault) -> None:
        """Ask *fault* before every request; what it answers is the answer, unless it is None. `testing.faults` has ready-made ones."""
        self._faults.append(fault)

    def alter(self, alteration: Alteration) -> None:
        """Hand every answer to *alteration* before it leaves. `testing.faults` has ready-made ones."""
        self._alterations.append(alteration)

    def interfere(self, interference: Interference) -> None:
        """Let *interference* stand between the client and the registry: it gets the request and `then`, which gives the
        registry's answer to whatever it is handed, and may be asked any number of times. `testing.faults` has ready-made ones.
        """
        self._interferences.append(interference)

    def behave(self) -> None:
        """Forget every fault."""
        self._faults.clear()
        self._alterations.clear()
        self._interferences.clear()

    def identity_token(self, username: str) -> str:
        """A refresh token that the token endpoint accepts for *username*."""
        return self.tokens.identity_token(username)

    def add_blob(self, content: bytes) -> Digest:
        """Put a blob into every repository."""
        return self.shelf.add_blob(content)

    def add_image(self, repository: str, tag: str | None, layers: Sequence[bytes] = (b"a layer",), platform: str = "linux/amd64") -> Digest:
        """Put a valid OCI image whose layer blobs are *layers*, byte for byte, and return its manifest's digest."""
        return self.shelf.add_image(repository, tag, layers, platform)

    def add_index(self, repository: str, tag: str | None, images: Mapping[str, Digest]) -> Digest:
        """Put an OCI index of *images*, manifests already in *repository* by platform, and return its digest."""
        return self.shelf.add_index(repository, tag, images)

    def transport(self) -> DirectDoor:
        """The simulator as one of our own transports, for any origin, in this process."""
        from registryauth.testing.direct_door import DirectDoor

        return DirectDoor(self.handle)

    def httpx_transport(self) -> httpx.MockTransport:
        """The simulator as an httpx transport, sync and async, for any origin, in this process."""
        from registryauth.testing.httpx_door import httpx_transport

        return httpx_transport(self.handle)

    @contextmanager
    def serve(self, tls: ssl.SSLContext | None = None, *, address: str = "127.0.0.1") -> Iterator[str]:
        """Serve on a free port of the loopback *address*, over https if *tls* is given; closes every connection at the end.

        Gives ``127.0.0.1:PORT``, for ``::1`` ``[::1]:PORT``.
        """
        from registryauth.testing.socket_door import serve

        with serve(self.handle, tls, address) as host:
            yield host

    def _answer(self, request: Request) -> Response:
        """The registry's own answer."""
        with self._lock:
            where = str(request.url)
            for store, api in ((self.blob_redirect, self._api.blobs.unscoped), (self.features.upload_store, self._api.uploads.unscoped)):
                if store and where.startswith(store):
                    return _object_store(request, api, where.removeprefix(store).partition("?")[0])
            path = request.url.target.partition("?")[0]
            if path == "/token" or (self.realm and where.partition("?")[0] == self.realm):
                return self.tokens.answer(request)
            answer = self._from_registry(request)
        warnings = [("warning", f'299 - "{warning}"') for warning in self.features.warnings]
        answer.headers = Headers([*answer.headers, *warnings, ("docker-distribution-api-version", "registry/2.0")])
        return answer

    def _from_registry(self, request: Request) -> Response:
        needed, wished = self._api.needed(request), self._api.wished(request)
        may = self._doorkeeper.admit(request, needed, wished, self.auth, self.realm)
        if isinstance(may, Response):
            return may
        limit = self.features.rate_limit if self._api.fetches_manifest(request) else None
        if limit and (refusal := self._rate.refusal(request, limit)):
            return refusal
        answer = self._api.answer(request, may)
        return self._rate.announced(answer, limit) if limit else self._redirected(request, answer)

    def _redirected(self, request: Request, answer: Response) -> Response:
        head, blobs, digest = request.url.target.partition("?")[0].rpartition("/blobs/")
        to_blob = blobs and head and request.method in ("GET", "HEAD") and "/" not in digest and answer.status in (200, 206)
        return answers.empty(request, 307, [("location", f"{self.blob_redirect}{digest}")]) if self.blob_redirect and to_blob else answer


def _object_store(request: Request, api: Callable[[Request, str], Response], name: str) -> Response:
    """A store's answer: it knows signed URLs only."""
    if request.header("authorization"):
        return answers.content(request, 400, "application/xml", b"<Error><Code>InvalidAuthenticationInfo</Code></Error>")
    return api(request, name)
