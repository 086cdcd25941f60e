"""A registry with token auth, as a pure function from request to response with three doors.

It keeps to the OCI Distribution specification 1.1 and the distribution project's auth documents where a
client could notice, is strict where real registries are, and is held to it by skopeo in our own tests.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from registryauth._http.messages import Headers, Request, Response
from registryauth.digest import Digest
from registryauth.testing import answers
from registryauth.testing.accounts import Access, Accounts, basic_login, bearer_token
from registryauth.testing.content_shelf import ContentShelf
from registryauth.testing.distribution_api import DistributionApi
from registryauth.testing.faults import Alteration, Fault
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
    old password is refused. *rights* narrows what an account may do, in every repository, to some of pull, push
    and delete. With *anonymous_pull* nobody needs to log in to pull; without it the token endpoint refuses the
    anonymous caller, as Azure's does. *clock* gives seconds since the epoch, *token_lifetime* is in seconds.
    *realm* is the token endpoint that challenges name, by default ``/token`` of the origin that was asked; that
    path answers at every origin, so a foreign realm can be a second door to the same simulator.

    `requests` holds every request that came in, secrets and all, in order. With `blob_redirect` set to a URL,
    blob requests are sent there, ``<blob_redirect><digest>``, and whatever arrives below that URL is served a
    blob without asking for a token, and refused with 400 if it brings an ``Authorization``, as object stores do.
    """

    def __init__(
        self,
        *,
        auth: Literal["token", "basic", "none"] = "token",
        accounts: dict[str, str] | None = None,
        anonymous_pull: bool = False,
        clock: Callable[[], float] = time.time,
        token_lifetime: int = 300,
        realm: str | None = None,
        rights: Mapping[str, Collection[str]] | None = None,
        blob_redirect: str | None = None,
    ) -> None:
        self.auth = auth
        self.realm = realm
        self.blob_redirect = blob_redirect
        self.requests: list[Request] = []
        self.shelf = ContentShelf()
        self._accounts = Accounts({} if accounts is None else accounts, rights or {}, anonymous_pull=anonymous_pull)
        self.tokens = TokenEndpoint(self._accounts, SERVICE, clock, token_lifetime)
        self._api = DistributionApi(self.shelf)
        self._faults: list[Fault] = []
        self._alterations: list[Alteration] = []
        # A socket door handles several requests at once; the shelf and the records see one at a time.
        self._lock = threading.RLock()

    def handle(self, request: Request) -> Response:
        """The answer to *request*, faults included; an injected fault may raise `TransportError` instead."""
        with self._lock:
            self.requests.append(request)
            response = next((answer for fault in self._faults if (answer := fault(request))), None) or self._answer(request)
            for alteration in self._alterations:
                response = alteration(request, response)
            return response

    def inject(self, fault: Fault) -> None:
        """Ask *fault* before every request; what it answers is the answer, unless it is None. `testing.faults` has ready-made ones."""
        self._faults.append(fault)

    def alter(self, alteration: Alteration) -> None:
        """Hand every answer to *alteration* before it leaves. `testing.faults` has ready-made ones."""
        self._alterations.append(alteration)

    def behave(self) -> None:
        """Forget every fault."""
        self._faults.clear()
        self._alterations.clear()

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
    def serve(self, tls: ssl.SSLContext | None = None) -> Iterator[str]:
        """Serve on a free loopback port, over https if *tls* is given; gives ``127.0.0.1:PORT``, closes every connection at the end."""
        from registryauth.testing.socket_door import serve

        with serve(self.handle, tls) as host:
            yield host

    def _answer(self, request: Request) -> Response:
        where = str(request.url)
        if self.blob_redirect and where.startswith(self.blob_redirect):
            return self._from_object_store(request, where.removeprefix(self.blob_redirect))
        path = request.url.target.partition("?")[0]
        if path == "/token" or (self.realm and where.partition("?")[0] == self.realm):
            return self.tokens.answer(request)
        refusal = self._refusal(request)
        answer = refusal or self._redirected(request) or self._api.answer(request)
        answer.headers = Headers([*answer.headers, ("docker-distribution-api-version", "registry/2.0")])
        return answer

    def _refusal(self, request: Request) -> Response | None:
        """Why *request* may not come in, as a 401; None if it may."""
        needed = self._api.needed(request)
        if self.auth == "none":
            return None
        if self.auth == "basic":
            return self._basic_refusal(request, needed)
        token = bearer_token(request)
        granted = self.tokens.granted(token) if token else None
        if granted is None:
            return self._challenge(request, needed, "invalid_token" if token else "")
        allowed = {action for access in granted if (access.type, access.name) == (needed.type, needed.name) for action in access.actions}
        return None if allowed.issuperset(needed.actions) else self._challenge(request, needed, "insufficient_scope")

    def _basic_refusal(self, request: Request, needed: Access) -> Response | None:
        login = basic_login(request)
        known = login is not None and self._accounts.accept(*login)
        anonymous = self._accounts.anonymous_pull and not request.header("authorization")
        allowed = self._accounts.actions(login[0] if login and known else None)
        if (known or anonymous) and allowed.issuperset(needed.actions):
            return None
        if known:
            return answers.error(request, 403, "DENIED", "requested access to the resource is denied")
        return _unauthorized(request, needed, 'Basic realm="registry simulator"')

    def _challenge(self, request: Request, needed: Access, error: str) -> Response:
        """The Bearer challenge, its parameters in distribution's order (registry/auth/token/accesscontroller.go)."""
        realm = self.realm or f"{request.url.origin}/token"
        parts = [f'realm="{realm}"', f'service="{SERVICE}"']
        parts += [f'scope="{needed}"'] if needed.name else []
        parts += [f'error="{error}"'] if error else []
        return _unauthorized(request, needed, "Bearer " + ",".join(parts))

    def _redirected(self, request: Request) -> Response | None:
        head, blobs, digest = request.url.target.partition("?")[0].rpartition("/blobs/")
        if not (self.blob_redirect and blobs and head and request.method in ("GET", "HEAD")) or "/" in digest:
            return None
        answer = self._api.answer(request)
        found = answer.status in (200, 206)
        return answers.empty(request, 307, [("location", f"{self.blob_redirect}{digest}")]) if found else answer

    def _from_object_store(self, request: Request, digest: str) -> Response:
        if request.header("authorization"):
            return answers.content(request, 400, "application/xml", b"<Error><Code>InvalidAuthenticationInfo</Code></Error>")
        return self._api.blob(request, digest.partition("?")[0])


def _unauthorized(request: Request, needed: Access, challenge: str) -> Response:
    detail = [{"Type": needed.type, "Class": "", "Name": needed.name, "Action": action} for action in needed.actions] or None
    return answers.error(request, 401, "UNAUTHORIZED", "authentication required", detail=detail, fields=[("www-authenticate", challenge)])
