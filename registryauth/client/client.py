"""`Client`: the Distribution API, verified."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Self

from registryauth._http import MAX_ERROR_BODY, Request, Response, open_transport
from registryauth._http.certs_d import usual
from registryauth._http.retrying import Retrying
from registryauth._origin import Origin, Url, may_visit
from registryauth.auth import Authorizer, Scope
from registryauth.auth.drive import Flights, drive
from registryauth.auth.recent import Recent
from registryauth.client import endpoints
from registryauth.client.listing import names, pages
from registryauth.client.mirrors import Mirrors
from registryauth.client.notices import notices_of
from registryauth.client.responses import refusal
from registryauth.client.shortcuts import Shortcuts
from registryauth.credentials import NOBODY, Anonymous, Basic, Pinned, describe
from registryauth.errors import AuthError, Denied, Error, NotFound, RegistryError, SizeMismatch, TokenRefused, TransportError, Unauthorized
from registryauth.reference import Reference, Registry, Repository
from registryauth.registries import kind_of, provider_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth._http.messages import Transport
    from registryauth.auth.challenge import Challenge
    from registryauth.auth.exchange import Token
    from registryauth.client.repository import RepositoryClient
    from registryauth.registries import Classification
    from registryauth.resolver import Resolver

Credentials = Callable[[Repository], tuple[Pinned, ...]]

#: Hops of one redirect chain; storage services need one or two.
_MAX_REDIRECTS = 5
#: Different warnings of one registry that are passed on; one that has more to say than that is not listened to.
_MAX_NOTICES = 20
_REDIRECTS = (301, 302, 303, 307, 308)


def nobody(_: Repository) -> tuple[Pinned, ...]:
    """No credential for anything: an anonymous client's."""
    return ()


class Client:
    """A registry client. Every digest is checked before content is handed over; usable as a context manager, safe to share between threads.

    *credentials* is a resolver, or a function from a repository to its credentials, at most two of one account;
    an empty answer means one anonymous attempt. What a resolver was told by its sources stands in the hint of an
    error of access. *insecure* names registries that may be asked over plain http;
    loopback needs no leave. *ca_files* maps a ``host[:port]``, or ``*``, to a PEM file of further authorities, *client_certs* maps
    one to the PEM files of the certificate that is shown to it alone and of its key. *certs_d* are directories in the manner of
    docker's ``certs.d``, None for those that docker and containers have. *mirrors* maps a registry to ``host[:port][/prefix]`` that
    are asked before it for content by digest, and for tags if the registry is among *mirrors_for_tags* (see `client.mirrors`);
    a mirror gets the credential for its own host, never the registry's.
    *sleep* is how to wait before a request is sent again; *notice* is told, once, what a registry warns of.
    """

    def __init__(
        self,
        credentials: Resolver | Credentials = nobody,
        *,
        transport: Transport | None = None,
        insecure: Collection[str] = (),
        ca_files: Mapping[str, str] | None = None,
        client_certs: Mapping[str, tuple[str, str]] | None = None,
        certs_d: Sequence[str] | None = None,
        mirrors: Mapping[str, Sequence[str]] | None = None,
        mirrors_for_tags: Collection[str] = (),
        environ: Mapping[str, str] = os.environ,
        sleep: Callable[[float], None] = time.sleep,
        notice: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._credentials: Credentials = credentials if callable(credentials) else credentials.candidates
        self._is_function = callable(credentials)
        self._trace = (lambda _: ()) if callable(credentials) else credentials.trace
        self._classify: Callable[[Reference], Classification] = kind_of if callable(credentials) else credentials.classify
        if transport is None:
            directories = usual(environ) if certs_d is None else certs_d
            transport = open_transport(environ, ca_files=ca_files, client_certs=client_certs, certs_d=directories)
        self._transport = Retrying(transport, sleep=sleep)
        self.mirrors = Mirrors(mirrors, mirrors_for_tags)
        self.shortcuts = Shortcuts()
        self._notice = notice
        self._noticed: dict[Origin, set[str]] = {}
        #: How to wait, in seconds.
        self.pause = sleep
        self._insecure: set[str] = set()
        for host in insecure:
            self._allow_plain(Registry.parse(host, known=(host,)))
        self._authorizer = Authorizer(insecure=lambda origin: self._is_insecure(origin.netloc))
        self._flights = Flights()
        self._origins: dict[Registry, Origin] = {}
        # A lookup may decrypt, or run a credential helper: once for each repository is enough.
        self._held: Recent[Repository, tuple[Pinned, ...]] = Recent()
        self._anonymous: set[Repository] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self._transport.close()

    def repository(self, repository: Repository | str) -> RepositoryClient:
        """What can be done in one repository."""
        from registryauth.client.repository import RepositoryClient

        if isinstance(repository, str):
            # A host-less azureml/… name is a workspace's or refused: it must never be looked for on Docker Hub.
            Repository.parse(repository)
            repository = self._classify(Reference.parse(repository)).reference.repository
        return RepositoryClient(self, repository)

    def challenge(self, registry: Registry) -> Response:
        """The registry's bare answer to ``GET /v2/``, nothing sent that could tell who asks: 200 or 401, else raise."""
        response = self._anywhere(Repository(registry, ""), lambda origin: self._transport.send(endpoints.base(origin)))
        try:
            self.expect(response, f"{registry}/v2/", None, 200, 401)
        except Denied as error:
            _sharpen(error, Repository(registry, ""), error.status, ())
            raise
        return response

    def ping(self, repository: Repository, *actions: str) -> tuple[str, ...] | None:
        """Ask ``GET /v2/`` with *repository*'s credential and a token for *actions* on it; raise if it is refused.

        Give the actions that the token says it grants; None where no token says so (Basic, an opaque token, an open registry).
        A token server may grant less than was asked for and call that success.
        """
        scopes = (Scope.of(repository, *actions),) if actions else ()
        response = self._anywhere(repository, lambda origin: self._authorized(endpoints.base(origin), repository, scopes))
        self.expect(response, f"{repository.registry}/v2/", repository, 200)
        response.close()
        return self._authorizer.granted(response.url.origin, repository, scopes, self._candidates(repository))

    def grant(self, repository: Repository, asked: Challenge, *scopes: Scope) -> Token:
        """A new token for *scopes* alone, with *repository*'s credential, from the token server that the challenge *asked* names.

        It shows what may be done without doing it. Raise `RealmRefused`, or `TokenRefused` after one attempt.
        """
        pinned = (self._candidates(repository) or (NOBODY,))[0]
        flow = self._authorizer.grant(self.origin(repository.registry), asked, pinned, scopes)
        try:
            return drive(flow, self._transport, self._candidates, self._flights)
        except TokenRefused as error:
            _sharpen(error, repository, error.status, (pinned,))
            raise

    def repositories(self, registry: Registry | str, *, last: str = "", n: int | None = None) -> Iterator[str]:
        """The repositories of *registry*, after *last*, page by page as they are asked for; not every registry tells."""
        whole = Repository(Registry.parse(registry) if isinstance(registry, str) else registry, "")
        catalog = Scope("registry", "catalog", frozenset("*"))
        with self.explaining(whole):
            for _, page in pages(self, whole, lambda origin: endpoints.catalog(origin, last=last, n=n), catalog):
                yield from names(page, "repositories")

    def send(self, repository: Repository, build: Callable[[Origin], Request], *wanted: str | Scope) -> Response:
        """Send what *build* makes for the registry's origin; give the answer, whatever it is.

        *wanted* are actions on *repository*, or scopes.

        Redirects of GET and HEAD are followed; no hop gets a secret, and none may lead where `may_visit` refuses.
        """
        actions = [want for want in wanted if isinstance(want, str)]
        scopes = (*((Scope.of(repository, *actions),) if actions else ()), *(want for want in wanted if isinstance(want, Scope)))

        def ask(origin: Origin) -> Response:
            request = build(origin)
            return self._follow(request, self._authorized(request, repository, scopes))

        return self._anywhere(repository, ask)

    def send_to(self, repository: Repository, request: Request, *actions: str) -> Response:
        """Send *request* where the registry said it belongs (a ``Location``), authorised only if that is the registry itself."""
        home = self.origin(repository.registry)
        if request.url.origin == home:
            return self._authorized(request, repository, (Scope.of(repository, *actions),))
        may_visit(home, request.url, insecure=self._is_insecure(home.netloc))
        return self._transport.send(request)

    def origin(self, registry: Registry) -> Origin:
        """Where *registry* was found the last time, or would be looked for first."""
        return self._origins.get(registry) or registry.origin()

    @contextlib.contextmanager
    def explaining(self, repository: Repository) -> Iterator[None]:
        """Errors of access to *repository* say which sources were asked for a credential."""
        try:
            yield
        except (AuthError, Unauthorized, Denied, NotFound) as error:
            if lines := self._trace(repository):
                error.hint = "\n".join((error.hint, "sources asked for a credential:", *(f"  {line}" for line in lines))).strip()
            raise

    def _follow(self, request: Request, response: Response) -> Response:
        start = response.url.origin
        for hops_left in reversed(range(_MAX_REDIRECTS + 1)):
            if response.status not in _REDIRECTS or request.method not in ("GET", "HEAD"):
                return response
            location = response.headers.get("location")
            url = response.url
            response.close()
            if not location:
                raise RegistryError(f"{url.origin} redirected to nowhere", status=response.status)
            if not hops_left:
                break
            onward: Url = url.join(location)
            may_visit(start, onward, insecure=self._is_insecure(start.netloc))
            # Made from the request before authorisation: what says who we are does not travel.
            response = self._transport.send(request.replace(url=onward))
        raise RegistryError(f"{start} redirects in circles", hint="the registry is misconfigured")

    def _may_be_plain(self, repository: Repository) -> bool:
        """Whether the user named this registry insecure, here or when the credential was registered."""
        if any(pinned.insecure for pinned in self._candidates(repository)):
            self._allow_plain(repository.registry)
        return self._is_insecure(repository.registry.origin(plain_http=True).netloc)

    def _allow_plain(self, registry: Registry) -> None:
        self._insecure.update((registry.origin().netloc, registry.origin(plain_http=True).netloc))

    def _is_insecure(self, netloc: str) -> bool:
        return netloc in self._insecure

    def _authorized(self, request: Request, repository: Repository | None, scopes: tuple[Scope, ...]) -> Response:
        flow = self._authorizer.flow(request, repository, scopes)
        try:
            response = drive(flow, self._transport, self._candidates, self._flights)
        except TokenRefused as error:
            _sharpen(error, repository, error.status, self._candidates(repository))
            self._forget(repository)
            raise
        origin = response.url.origin
        told = self._noticed.setdefault(origin, set())
        for text in notices_of(response.headers):
            if text not in told and len(told) < _MAX_NOTICES:
                told.add(text)
                self._notice(f"{origin.netloc}: {text}")
        return response

    def keep_apart(self, mirror: Repository, repository: Repository) -> None:
        """Ask *mirror* without a credential where a function of the user's would give it the one for *repository*.

        A function that does not look at what it is asked about has not been told of mirrors; a resolver answers for each host alone.
        """
        if self._is_function and mirror != repository:
            theirs = {pinned.credential for pinned in self._candidates(repository)}
            if any(pinned.credential in theirs for pinned in self._candidates(mirror)):
                self._anonymous.add(mirror)

    def _forget(self, repository: Repository | None) -> None:
        """Look the credential up again the next time: it may have been rotated meanwhile."""
        if repository:
            self._held.drop(repository)

    def _candidates(self, repository: Repository | None) -> tuple[Pinned, ...]:
        if repository is None or repository in self._anonymous:
            return ()
        held = self._held.get(repository)
        if held is None:
            held = self._credentials(repository)
            self._held.put(repository, held)
        return held

    def _anywhere(self, repository: Repository, ask: Callable[[Origin], Response]) -> Response:
        """What *ask* gives for the registry's origin: https, or plain http where that is allowed and https is not spoken."""
        registry = repository.registry
        if known := self._origins.get(registry):
            return ask(known)
        origin = registry.origin()
        try:
            response = ask(origin)
        except TransportError as error:
            from registryauth._http.tls import NotTls

            if not isinstance(error, NotTls) or error.origin != origin or not (registry.is_loopback or self._may_be_plain(repository)):
                if provider_of(registry).name == "acr":
                    from registryauth.azure.acr_errors import unreached

                    unreached(error, registry)
                raise
            origin = registry.origin(plain_http=True)
            response = ask(origin)
        self._origins[registry] = origin
        return response

    def expect(self, response: Response, what: str, repository: Repository | None, *statuses: int) -> None:
        """Raise the error that *response* amounts to unless its status is one of *statuses*."""
        if response.status in statuses:
            return
        body = b""
        # The status says what it is; a body that is too long, compressed or cut would only have said why.
        with contextlib.suppress(SizeMismatch, TransportError):
            body = response.read(MAX_ERROR_BODY)
        candidates = self._candidates(repository)
        if response.status == 401:
            self._forget(repository)
        presented = "" if not candidates or isinstance(candidates[0].credential, Anonymous) else describe(candidates[0].credential)
        registry = str(repository.registry) if repository else response.url.origin.netloc
        error = refusal(what, response.status, response.headers, body, presented=presented, registry=registry)
        if response.status < 500:
            _sharpen(error, repository, response.status, candidates, body)
        raise error


def _sharpen(error: Error, repository: Repository | None, status: int, candidates: Sequence[Pinned], body: bytes = b"") -> None:
    """Add to *error* what the words of the registry's operator mean, where we know that."""
    if repository is None or provider_of(repository.registry).name != "acr":
        return
    from registryauth.auth.exchange import read_refusal
    from registryauth.azure.acr_errors import sharpen

    held = candidates[0].credential if candidates else Anonymous()
    account = None if isinstance(held, Anonymous) else held.username if isinstance(held, Basic) else ""
    is_catalog = not repository.path and not error.message.startswith(f"{repository.registry}/v2/")
    sharpen(error, repository.registry, status, account, words=read_refusal(body) if body else "", is_catalog=is_catalog)
