"""`RepositoryClient`: what can be asked of one repository."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from registryauth._http import Request, Response
from registryauth._http.messages import Body
from registryauth._origin import Origin
from registryauth._redact import printable
from registryauth.client import endpoints, referrers, tagging
from registryauth.client.client import Client
from registryauth.client.listing import names, pages
from registryauth.client.responses import claimed_digest
from registryauth.client.tagging import Kept
from registryauth.client.uploads import Upload, file_body, slice_of
from registryauth.content.descriptor import Descriptor, Platform
from registryauth.content.manifest import MAX_MANIFEST, Index, Manifest, read_manifest, select
from registryauth.content.verify import digest_of, save
from registryauth.digest import Digest
from registryauth.errors import ContentError, DigestMismatch, InvalidDigest, InvalidReference, RegistryError, UnsupportedMediaType
from registryauth.reference import Reference, Registry, Repository

T = TypeVar("T")

#: Bytes of a blob whose size nobody told us; a descriptor's size bounds every other.
MAX_BLOB = 64 * 1024**3


class RepositoryClient:
    """Reads from one repository, and writes to it; made by `Client.repository`.

    *mirrored* is the registry whose content it is that is read here, if this is a mirror of it.
    """

    def __init__(self, client: Client, repository: Repository, *, mirrored: Registry | None = None) -> None:
        self.client = client
        self.repository = repository
        self._mirrored = mirrored

    def manifest(self, target: str | Digest | Descriptor, *, platform: str | Platform | None = None) -> Manifest | Index:
        """The manifest or index with tag or digest *target*, verified, at most 4 MiB.

        With *platform*, an index is followed to the manifest that suits it best, and what is given is a manifest.
        Raise `NotFound`, `DigestMismatch`, `UnsupportedMediaType` and the errors of authentication and transport.
        """
        with self.client.explaining(self.repository):
            return self._platform_manifest(_target(target), platform)

    def _platform_manifest(self, name: str, platform: str | Platform | None) -> Manifest | Index:
        found = self._manifest(name)
        if platform is None or isinstance(found, Manifest):
            return found
        chosen = select(found, Platform.parse(platform) if isinstance(platform, str) else platform)
        inner = self._manifest(str(chosen.digest), chosen.size)
        if isinstance(inner, Index):
            raise ContentError(f"the index names another index for {platform}, not an image", hint="ask for the inner index by its digest")
        return inner

    def head(self, target: str | Digest) -> Descriptor:
        """Media type, digest and size of a manifest, without its content: the registry's word, checked where *target* is a digest.

        A registry whose answer to HEAD lacks the digest or the size is asked for the content, and that is verified.
        """
        name = _target(target)
        with self.client.explaining(self.repository):
            return self._read(lambda place: RepositoryClient._head(place, name), name)

    def _head(self, name: str) -> Descriptor:
        with self._ask(lambda o: endpoints.manifest(o, self.repository.path, name, method="HEAD")) as response:
            self._expect(response, name)
            digest = claimed_digest(response.headers) or _as_digest(name)
            length = response.headers.get("content-length")
            if digest and _as_digest(name) not in (None, digest):
                raise RegistryError(f"{self.repository}: {name} was asked for, the registry answered for {digest}")
            if digest and re.fullmatch(r"[0-9]{1,18}", length):
                return Descriptor(response.headers.get("content-type").partition(";")[0].strip(), digest, int(length))
        found, _ = self._fetch(name)
        return Descriptor(found.media_type, found.digest, len(found.raw))

    def download(self, blob: Descriptor | Digest, to: str | os.PathLike[str], *, progress: Callable[[int], None] = lambda _: None) -> int:
        """Fetch *blob* into the file *to*, which appears only once size and digest were verified; give its size in bytes.

        A redirect to a storage service is followed without any secret. *progress* is called with the bytes so far.
        """
        digest, size = (blob.digest, blob.size) if isinstance(blob, Descriptor) else (blob, None)

        def fetch(place: RepositoryClient) -> int:
            with RepositoryClient._open(place, digest, size) as answer:
                return save(answer.chunks(), os.fspath(to), digest, size, MAX_BLOB, progress)

        with self.client.explaining(self.repository):
            return self._read(fetch, str(digest))

    def open(self, blob: Descriptor | Digest, offset: int = 0, *, answered: Callable[[Repository], object] = lambda _: None) -> Response:
        """The content of *blob* from byte *offset* on, as it comes: the caller checks it against the digest, and closes the answer.

        *answered* is told who gives it, this repository or a mirror of it. Its status is 206 if it starts at *offset*, 200 if the
        registry sends the whole blob all the same. Raise `RegistryError` for another part than the one asked for (RFC 9110 §15.3.7).
        """
        digest, size = (blob.digest, blob.size) if isinstance(blob, Descriptor) else (blob, None)

        def begin(place: RepositoryClient) -> Response:
            answer = RepositoryClient._open(place, digest, size, offset)
            answered(place.repository)
            # Who takes a broken answer up at its offset then asks somebody else.
            return answer if place is self else answer.watched(lambda error: self.client.mirrors.failed(place.repository, error))

        with self.client.explaining(self.repository):
            return self._read(begin, str(digest))

    def _open(self, digest: Digest, size: int | None, offset: int = 0) -> Response:
        answer = self._ask(lambda o: endpoints.blob(o, self.repository.path, digest, offset=offset))
        try:
            self._expect_content(answer, digest, size, offset)
        except BaseException:
            answer.close()
            raise
        return answer

    def _expect_content(self, answer: Response, digest: Digest, size: int | None, offset: int) -> None:
        if answer.url.origin != self.client.origin(self.repository.registry) and answer.status in (401, 403):
            raise RegistryError(
                f"the storage at {answer.url.origin} refused {digest} ({answer.status}); it was sent no credential",
                status=answer.status,
                hint="its link may have expired: try again",
            )
        self._expect(answer, str(digest), *((200, 206) if offset else (200,)))
        if answer.status == 206 and not _continues(answer.headers.get("content-range"), offset, size):
            raise RegistryError(
                f"{self.repository}: {digest} was asked for from byte {offset} on, and another part of it came",
                status=206,
                hint="the registry or a proxy before it is damaged or lies",
            )

    def has(self, digest: Digest) -> bool:
        """Whether the repository itself, not a mirror of it, holds the blob *digest*, by HEAD (end-2)."""
        with self.client.explaining(self.repository):
            return self._has(digest, "pull")

    def _has(self, digest: Digest, *actions: str) -> bool:
        build = lambda o: endpoints.blob(o, self.repository.path, digest, method="HEAD")  # noqa: E731 - one line
        with self.client.send(self.repository, build, *actions) as answer:
            self._expect(answer, str(digest), 200, 404)
            return answer.status == 200

    def upload(
        self,
        path: str | os.PathLike[str],
        digest: Digest | None = None,
        *,
        mount_from: Repository | None = None,
        progress: Callable[[int], None] = lambda _: None,
    ) -> Digest:
        """Push the file *path* as a blob, unless the repository has it; give its digest.

        *digest* may be given where it is known, and then the registry alone checks it. *mount_from* names a repository of the
        same registry that has it, so that nothing need be sent. A broken connection is taken up where it broke. *progress* is
        called with the bytes so far.
        """
        name = os.fspath(path)
        size = file_body(name).size
        digest = digest or digest_of(name)
        with self.client.explaining(self.repository):
            # Asked with the rights that sending takes: one token does for both.
            if not self._has(digest, "pull", "push"):
                part = lambda start, end: slice_of(name, start, end, progress)  # noqa: E731 - one line
                Upload(self.client, self.repository, digest, size, part).send(mount_from)
        return digest

    def push(self, content: bytes, digest: Digest | None = None) -> Descriptor:
        """Push *content* as a blob, unless the repository has it; for what is small enough to hold."""
        digest = digest or Digest.of(content)
        with self.client.explaining(self.repository):
            if not self._has(digest, "pull", "push"):
                part = lambda start, end: Body(end - start, lambda: iter((content[start:end],)))  # noqa: E731 - one line
                Upload(self.client, self.repository, digest, len(content), part).send()
        return Descriptor("application/octet-stream", digest, len(content))

    def put_manifest(self, raw: bytes, *, tag: str | None = None, more_tags: Sequence[str] = (), media_type: str = "") -> Descriptor:
        """Put a manifest or index, byte for byte, under *tag* or its digest, and under *more_tags*; give its descriptor (end-7).

        *tag* may be the digest to put it under, where that is no sha256. *media_type* is its own ``mediaType`` unless it has none.
        Several tags are one request where the registry takes them so (end-7b), else one each. Where it has a subject and the
        registry no referrers API, the fallback tag is brought up to date. Raise `ContentError` for what is no manifest,
        `DigestMismatch` if it is not that digest's or the registry made something else of it.
        """
        name = _target(tag) if tag else ""
        tags = [_tag(more) for more in more_tags]
        found = read_manifest(raw, media_type, _as_digest(name))
        if media_type and media_type.partition(";")[0].strip().lower() != found.media_type:
            raise UnsupportedMediaType(
                f"the manifest is {printable(found.media_type)}, not {printable(media_type)}", hint="leave the media type out"
            )
        subject = referrers.subject_of(found)
        name = name or str(found.digest)
        with self.client.explaining(self.repository):
            kept = tagging.put(self, found, name, tags) if tags else self.put_as(found, name)
            if subject and kept.subject != str(subject):
                referrers.record(self, found, subject)
        return Descriptor(found.media_type, found.digest, len(raw))

    def put_tagged(self, raw: bytes, tag: str, *, if_match: str = "") -> None:
        """Put the manifest *raw* under *tag* if that still has the entity tag *if_match*; raise `RegistryError` of status 412 if not."""
        self.put_as(read_manifest(raw, "", None), _target(tag), *((("if-match", if_match),) if if_match else ()))

    def put_as(self, found: Manifest | Index, name: str, *conditions: tuple[str, str], tags: Sequence[str] = ()) -> Kept:
        """Put *found* under *name* with one request, and with *tags* if that is its digest; give what the registry did with it."""

        def build(origin: Origin) -> Request:
            request = endpoints.put_manifest(origin, self.repository.path, name, found.media_type, found.raw, tags)
            return request.replace(headers=(*request.headers, *conditions))

        with self.client.send(self.repository, build, "pull", "push") as answer:
            self._expect(answer, name, 200, 201, 202)
            claimed = claimed_digest(answer.headers)
            kept = tagging.kept(answer.headers)
        if claimed and not claimed.matches(found.raw):
            raise DigestMismatch(
                f"{self.repository}: {found.digest} was put, the registry made {claimed} of it",
                hint="the registry or a proxy before it is damaged or lies",
            )
        if claimed and ":" in name and str(claimed) != name:
            raise DigestMismatch(
                f"{self.repository}: {name} was put, the registry keeps it as {claimed} alone",
                hint=f"it is there by its {claimed.algorithm} digest; this registry knows no other",
            )
        return kept

    def delete_manifest(self, target: str | Digest) -> None:
        """Delete a tag, or a manifest by its digest (end-9); raise `Unsupported` where the registry does not offer that."""
        name = _target(target)
        with self.client.explaining(self.repository):
            gone = self._deletable(name) if ":" in name else None
            self._delete(lambda o: endpoints.manifest(o, self.repository.path, name, method="DELETE"), name)
            if gone:
                referrers.forget(self, gone)

    def _deletable(self, name: str) -> Manifest | Index | None:
        """The manifest, None if it cannot be read: then there is nothing to learn from it, and all the more reason to delete it."""
        try:
            return self._fetch(name)[0]
        except ContentError:
            return None

    def delete_blob(self, digest: Digest) -> None:
        """Delete a blob (end-10); raise `Unsupported` where the registry does not offer that."""
        with self.client.explaining(self.repository):
            self._delete(lambda o: endpoints.blob(o, self.repository.path, digest, method="DELETE"), str(digest))

    def tags(self, *, last: str = "", n: int | None = None) -> Iterator[str]:
        """The tags, after *last*, page by page as they are asked for, *n* to a page (end-8)."""
        with self.client.explaining(self.repository):
            for _, page in pages(self.client, self.repository, lambda o: endpoints.tags(o, self.repository.path, last=last, n=n), "pull"):
                yield from names(page, "tags")

    def referrers(self, subject: Digest, *, artifact_type: str = "") -> Iterator[Descriptor]:
        """What refers to the manifest *subject*, by the API or the fallback tag (end-12)."""
        with self.client.explaining(self.repository):
            yield from referrers.listed(self, subject, artifact_type)

    def _delete(self, build: Callable[[Origin], Request], name: str) -> None:
        with self.client.send(self.repository, build, "delete") as answer:
            self._expect(answer, name, 200, 202, 204)

    def tagged(self, tag: str) -> tuple[Manifest | Index, str]:
        """The manifest under *tag* at the registry itself, and its entity tag, empty where the registry gives none."""
        return self._fetch(_target(tag))

    def _manifest(self, name: str, size: int | None = None) -> Manifest | Index:
        return self._read(lambda place: RepositoryClient._fetch(place, name, size)[0], name)

    def _read(self, ask: Callable[[RepositoryClient], T], name: str) -> T:
        """What *ask* gives at a mirror, or here; see `Mirrors.read`."""

        def at(place: Repository) -> T:
            self.client.keep_apart(place, self.repository)
            mirrored = self.repository.registry if place.registry != self.repository.registry else None
            return ask(self if place == self.repository else RepositoryClient(self.client, place, mirrored=mirrored))

        return self.client.mirrors.read(self.repository, at, by_digest=":" in name)

    def _fetch(self, name: str, size: int | None = None) -> tuple[Manifest | Index, str]:
        with self._ask(lambda o: endpoints.manifest(o, self.repository.path, name)) as answer:
            self._expect(answer, name)
            raw = answer.read(MAX_MANIFEST if size is None else min(size, MAX_MANIFEST))
            expected = _as_digest(name) or claimed_digest(answer.headers)
            return read_manifest(raw, answer.headers.get("content-type"), expected), answer.headers.get("etag")

    def _ask(self, build: Callable[[Origin], Request]) -> Response:
        """The answer to a request for content; a mirror is told whose."""
        host = str(self._mirrored or "")
        return self.client.send(self.repository, (lambda o: endpoints.by_proxy(build(o), host)) if host else build, "pull")

    def _expect(self, response: Response, name: str, *statuses: int) -> None:
        what = f"{self.repository}{'@' if ':' in name else ':'}{name}"
        self.client.expect(response, what, self.repository, *(statuses or (200,)))


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


def _tag(text: str) -> str:
    """*text* if it is a tag; raise `InvalidReference` if not."""
    if ":" in text:
        raise InvalidReference("a tag has no colon", text=text, span=(text.index(":"), len(text)), hint="write the tag alone: v1")
    return _target(text)


def _continues(content_range: str, offset: int, size: int | None) -> bool:
    """Whether ``Content-Range`` says that all from *offset* on came, of *size* bytes if that is known."""
    match = re.fullmatch(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})", content_range)
    if not match:
        return False
    first, last, total = map(int, match.groups())
    return first == offset and last == total - 1 and size in (None, total)


def _as_digest(name: str) -> Digest | None:
    try:
        return Digest.parse(name)
    except InvalidDigest:
        return None
