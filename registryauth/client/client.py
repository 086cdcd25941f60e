"""`Client`: the Distribution API, verified."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from typing import Self

from registryauth._http import MAX_ERROR_BODY, Request, Response, open_transport
from registryauth._origin import Origin, Url, may_visit
from registryauth.auth import Authorizer, Scope
from registryauth.auth.drive import Flights, drive
from registryauth.client import endpoints
from registryauth.client.responses import claimed_digest, refusal
from registryauth.content.descriptor import Descriptor, Platform
from registryauth.content.manifest import MAX_MANIFEST, Index, Manifest, read_manifest, select
from registryauth.content.verify import save
from registryauth.credentials import Anonymous, Pinned, describe
from registryauth.digest import Digest
from registryauth.errors import ContentError, InvalidDigest, NotFound, RegistryError, TransportError
from registryauth.reference import Reference, Registry, Repository
from registryauth.registries import kind_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth._http.messages import Transport

Credentials = Callable[[Repository], tuple[Pinned, ...]]

#: Hops of one redirect chain; storage services need one or two.
_MAX_REDIRECTS = 5
#: Bytes of a blob whose size nobody told us; a descriptor's size bounds every other.
MAX_BLOB = 64 * 1024**3


def nobody(_: Repository) -> tuple[Pinned, ...]:
    """No credential for anything: an anonymous client's."""
    return ()


class Client:
    """A registry client. Every digest is checked before content is handed over; usable as a context manager, safe to share between threads.

    *credentials* gives the credentials for a repository, at most two of one account (`Resolver.candidates` does);
    an empty answer means one anonymous attempt. *insecure* names registries that may be asked over plain http;
    loopback needs no leave. *ca_files* maps a ``host[:port]``, or ``*``, to a PEM file of further authorities.
    """

    def __init__(
        self,
        credentials: Credentials = nobody,
        *,
        transport: Transport | None = None,
        insecure: Collection[str] = (),
        ca_files: Mapping[str, str] | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._credentials = credentials
        self._transport = transport or open_transport(environ, ca_files=ca_files)
        self._insecure: set[str] = set()
        for host in insecure:
            self._allow_plain(Registry.parse(host, known=(host,)))
        self._authorizer = Authorizer(insecure=lambda origin: self._is_insecure(origin.netloc))
        self._flights = Flights()
        self._origins: dict[Registry, Origin] = {}
        # A lookup may decrypt, or run a credential helper: once for each repository is enough.
        self._held: dict[Repository, tuple[Pinned, ...]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self._transport.close()

    def repository(self, repository: Repository | str) -> RepositoryClient:
        """What can be done in one repository."""
        if isinstance(repository, str):
            # `kind_of` refuses a host-less azureml/… name, which must never be looked for on Docker Hub.
            Repository.parse(repository)
            repository = kind_of(Reference.parse(repository)).reference.repository
        return RepositoryClient(self, repository)

    def challenge(self, registry: Registry) -> Response:
        """The registry's bare answer to ``GET /v2/``, nothing sent that could tell who asks: 200 or 401, else raise."""
        response = self._anywhere(Repository(registry, ""), lambda origin: self._transport.send(endpoints.base(origin)))
        self._expect(response, f"{registry}/v2/", None, 200, 401)
        return response

    def ping(self, repository: Repository, *actions: str) -> tuple[str, ...] | None:
        """Ask ``GET /v2/`` with *repository*'s credential and a token for *actions* on it; raise if it is refused.

        Give the actions that the token says it grants; None where no token says so (Basic, an opaque token, an open registry).
        A token server may grant less than was asked for and call that success.
        """
        scopes = (Scope.of(repository, *actions),) if actions else ()
        response = self._anywhere(repository, lambda origin: self._authorized(endpoints.base(origin), repository, scopes))
        self._expect(response, f"{repository.registry}/v2/", repository, 200)
        response.close()
        return self._authorizer.granted(response.url.origin, repository, scopes, self._candidates(repository))

    def send(self, repository: Repository, build: Callable[[Origin], Request], *actions: str) -> Response:
        """Send what *build* makes for the registry's origin, with *actions* on *repository*; give the answer, whatever it is."""
        scopes = (Scope.of(repository, *actions),)
        return self._anywhere(repository, lambda origin: self._authorized(build(origin), repository, scopes))

    def follow(self, response: Response) -> Response:
        """The answer at the end of *response*'s redirects. No hop gets a secret, and none may lead where `may_visit` refuses."""
        start = response.url.origin
        for _ in range(_MAX_REDIRECTS):
            if response.status not in (301, 302, 303, 307, 308):
                return response
            location = response.headers.get("location")
            url = response.url
            response.close()
            if not location:
                raise RegistryError(f"{url.origin} redirected to nowhere", status=response.status)
            onward: Url = url.join(location)
            may_visit(start, onward, insecure=self._is_insecure(start.netloc))
            response = self._transport.send(endpoints.elsewhere(onward))
        response.close()
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
        return drive(flow, self._transport, self._candidates, self._flights)

    def _candidates(self, repository: Repository | None) -> tuple[Pinned, ...]:
        if repository is None:
            return ()
        if repository not in self._held:
            self._held[repository] = self._credentials(repository)
        return self._held[repository]

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

            if not isinstance(error, NotTls) or not (registry.is_loopback or self._may_be_plain(repository)):
                raise
            origin = registry.origin(plain_http=True)
            response = ask(origin)
        self._origins[registry] = origin
        return response

    def _expect(self, response: Response, what: str, repository: Repository | None, *statuses: int) -> None:
        """Raise the error that *response* amounts to unless its status is one of *statuses*."""
        if response.status in statuses:
            return
        body = b"" if response.status == 204 else response.read(MAX_ERROR_BODY)
        candidates = self._candidates(repository)
        if response.status == 401 and repository:
            # It may have been rotated meanwhile: look it up again the next time.
            self._held.pop(repository, None)
        presented = "" if not candidates or isinstance(candidates[0].credential, Anonymous) else describe(candidates[0].credential)
        raise refusal(what, response.status, response.headers, body, presented=presented)


class RepositoryClient:
    """Reads from one repository; made by `Client.repository`."""

    def __init__(self, client: Client, repository: Repository) -> None:
        self._client = client
        self.repository = repository

    def manifest(self, target: str | Digest | Descriptor, *, platform: str | Platform | None = None) -> Manifest | Index:
        """The manifest or index with tag or digest *target*, verified, at most 4 MiB.

        With *platform*, an index is followed to the manifest that suits it best, and what is given is a manifest.
        Raise `NotFound`, `DigestMismatch`, `UnsupportedMediaType` and the errors of authentication and transport.
        """
        found = self._manifest(_target(target))
        if platform is None or isinstance(found, Manifest):
            return found
        chosen = select(found, Platform.parse(platform) if isinstance(platform, str) else platform)
        inner = self._manifest(str(chosen.digest), chosen.size)
        if isinstance(inner, Index):
            raise ContentError(f"the index names another index for {platform}, not an image", hint="ask for the inner index by its digest")
        return inner

    def head(self, target: str | Digest) -> Descriptor:
        """Media type, digest and size of a manifest, without its content: the registry's word, checked where *target* is a digest."""
        name = _target(target)
        response = self._client.send(self.repository, lambda o: endpoints.manifest(o, self.repository.path, name, method="HEAD"), "pull")
        with response:
            self._expect(response, name)
            digest = claimed_digest(response.headers) or _as_digest(name)
            length = response.headers.get("content-length")
            if digest is None or not length.isdecimal():
                raise RegistryError(
                    f"{self.repository}: the registry's answer to HEAD lacks the digest or the size",
                    hint="use GET: 'registryauth manifest get'",
                )
            if _as_digest(name) not in (None, digest):
                raise RegistryError(f"{self.repository}: {name} was asked for, the registry answered for {digest}")
            return Descriptor(response.headers.get("content-type").partition(";")[0].strip(), digest, int(length))

    def download(self, blob: Descriptor | Digest, to: str | os.PathLike[str], *, progress: Callable[[int], None] = lambda _: None) -> int:
        """Fetch *blob* into the file *to*, which appears only once size and digest were verified; give its size in bytes.

        A redirect to a storage service is followed without any secret. *progress* is called with the bytes so far.
        """
        digest, size = (blob.digest, blob.size) if isinstance(blob, Descriptor) else (blob, None)
        response = self._client.send(self.repository, lambda o: endpoints.blob(o, self.repository.path, digest), "pull")
        with self._client.follow(response) as answer:
            if answer.url.origin != response.url.origin and answer.status in (401, 403):
                raise RegistryError(
                    f"the storage at {answer.url.origin} refused {digest} ({answer.status}); it was sent no credential",
                    status=answer.status,
                    hint="its link may have expired: try again",
                )
            self._expect(answer, str(digest))
            return save(answer.chunks(), os.fspath(to), digest, size, MAX_BLOB, progress)

    def _manifest(self, name: str, size: int | None = None) -> Manifest | Index:
        response = self._client.send(self.repository, lambda o: endpoints.manifest(o, self.repository.path, name), "pull")
        with self._client.follow(response) as answer:
            self._expect(answer, name)
            raw = answer.read(MAX_MANIFEST if size is None else min(size, MAX_MANIFEST))
            return read_manifest(raw, answer.headers.get("content-type"), _as_digest(name) or claimed_digest(answer.headers))

    def _expect(self, response: Response, name: str) -> None:
        what = f"{self.repository}{'@' if ':' in name else ':'}{name}"
        self._client._expect(response, what, self.repository, 200)  # noqa: SLF001 - one class in two parts


def _target(target: str | Digest | Descriptor) -> str:
    """*target* as it stands in a URL: a tag or digest by their grammar, so that nothing else gets into a path (CVE-2024-3727)."""
    if isinstance(target, Descriptor):
        return str(target.digest)
    if isinstance(target, Digest):
        return str(target)
    if ":" in target:
        return str(Digest.parse(target))
    # The reference grammar is the tag's, too.
    return Reference.parse(f"localhost/x:{target}").target


def _as_digest(name: str) -> Digest | None:
    try:
        return Digest.parse(name)
    except InvalidDigest:
        return None


__all__ = ["Client", "Credentials", "NotFound", "RepositoryClient", "nobody"]
