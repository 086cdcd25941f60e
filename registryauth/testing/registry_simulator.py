"""A registry with token auth, as a pure function from request to response with three doors.

It keeps to the OCI Distribution specification 1.1.1 and the distribution project's auth documents; the official
conformance suite passes against it (docs/conformance.md), and it is held to docker-registry and skopeo in our own tests.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import unquote

from registryauth._http.messages import Headers, Request, Response
from registryauth.digest import Digest
from registryauth.testing import answers, asked
from registryauth.testing.accounts import Accounts, Rights
from registryauth.testing.content_shelf import ContentShelf
from registryauth.testing.distribution_api import DistributionApi
from registryauth.testing.doorkeeper import Auth, Doorkeeper
from registryauth.testing.doors import Doors
from registryauth.testing.features import Features
from registryauth.testing.meddling import Meddling
from registryauth.testing.rate_limit import RateLimit
from registryauth.testing.token_endpoint import TokenEndpoint

#: What the tokens are for; echoed by the client, checked by the simulator.
SERVICE = "registry.simulator"


class RegistrySimulator(Doors, Meddling):
    """An in-memory registry; `transport`, `httpx_transport` and `serve` are its doors, `handle` is what is behind them.

    *auth* is how it lets people in. *accounts* maps user names to passwords and stays live: change it and the
    old password is refused. *rights* narrows what an account may do to some of pull, push, delete and catalog (which
    is listing every repository), everywhere or by repository: ``{"ci": {"team/*": ["pull", "push"]}}``. With
    *anonymous_pull* nobody needs to log in to pull; without it the token endpoint refuses the anonymous caller, as
    Azure's does. *clock* gives seconds since the epoch, *token_lifetime* is in seconds.
    *realm* is the token endpoint that challenges name, by default ``/token`` of the origin that was asked; that
    path answers at every origin, so a foreign realm can be a second door to the same simulator.
    *features* is what it offers; it can be set anew at any time. A *doorkeeper* of your own decides who comes in instead.

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
        doorkeeper: Doorkeeper | None = None,
    ) -> None:
        super().__init__()
        self.auth = auth
        self.realm = realm
        self.blob_redirect = blob_redirect
        self.features = features or Features()
        self.requests: list[Request] = []
        self.shelf = ContentShelf()
        known = Accounts({} if accounts is None else accounts, rights or {}, anonymous_pull=anonymous_pull)
        self.tokens = TokenEndpoint(known, SERVICE, clock, token_lifetime)
        self._doorkeeper = doorkeeper or Doorkeeper(known, self.tokens)
        self._api = DistributionApi(self.shelf, lambda: self.features)
        self._rate = RateLimit(clock)
        # A socket door handles several requests at once; the shelf and the records see one at a time.
        self._lock = threading.RLock()

    def handle(self, request: Request) -> Response:
        """The answer to *request*, faults included; a fault may raise `TransportError` instead."""
        with self._lock:
            self.requests.append(request)
        # Outside the lock, so that a slow answer holds up nobody else.
        return self._meddled(request, self._answer)

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

    def _answer(self, request: Request) -> Response:
        """The registry's own answer."""
        with self._lock:
            where = str(request.url)
            for store, api in ((self.blob_redirect, self._api.blobs.unscoped), (self.features.upload_store, self._api.uploads.unscoped)):
                if store and where.startswith(store):
                    return _object_store(request, api, unquote(where.removeprefix(store).partition("?")[0]))
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
        head, blobs, digest = asked.path(request).rpartition("/blobs/")
        to_blob = blobs and head and request.method in ("GET", "HEAD") and "/" not in digest and answer.status in (200, 206)
        return answers.empty(request, 307, [("location", f"{self.blob_redirect}{digest}")]) if self.blob_redirect and to_blob else answer


def _object_store(request: Request, api: Callable[[Request, str], Response], name: str) -> Response:
    """A store's answer: it knows signed URLs only."""
    if request.header("authorization"):
        return answers.content(request, 400, "application/xml", b"<Error><Code>InvalidAuthenticationInfo</Code></Error>")
    return api(request, name)
