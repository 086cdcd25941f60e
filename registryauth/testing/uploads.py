"""The push side: upload sessions, opened by POST, fed by PATCH, closed by PUT with the digest of the whole; and mounts."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from urllib.parse import urlencode

from registryauth._http.messages import Request, Response
from registryauth.digest import ALGORITHMS, Digest
from registryauth.errors import InvalidDigest
from registryauth.testing import answers, asked
from registryauth.testing.accounts import Access
from registryauth.testing.content_shelf import ContentShelf
from registryauth.testing.doorkeeper import May
from registryauth.testing.features import Features

#: A session is held in memory: its chunks together may have this many bytes, 256 MiB.
MAX_BLOB = 256 * 1024 * 1024


class Session:
    """An upload to *repository* that is under way."""

    def __init__(self, repository: str) -> None:
        self.repository = repository
        self.name = secrets.token_hex(16)
        self.held = bytearray()
        #: A chunk shorter than the least came: it can only have been the last.
        self.ended = False


class Uploads:
    """Every upload session of a registry."""

    def __init__(self, shelf: ContentShelf, features: Callable[[], Features]) -> None:
        self.shelf = shelf
        self._features = features
        self._sessions: dict[str, Session] = {}

    def open(self, request: Request, repository: str, may: May) -> Response:
        """A mount, a whole blob, or a session to put one in."""
        digest, mount = asked.parameter(request, "digest"), asked.parameter(request, "mount")
        if mount and (mounted := self._mounted(repository, mount, asked.parameter(request, "from"), may)):
            return _created(request, repository, mounted)
        if asked.parameter(request, "digest-algorithm") not in ("", *ALGORITHMS):
            return answers.error(request, 400, "DIGEST_INVALID", "the digest algorithm is not supported")
        session = Session(repository)
        if digest and self._features().single_post:
            return self._take(request, session) or self._close(request, session, digest)
        self._sessions[session.name] = session
        minimum = self._features().chunk_minimum
        return self._state(request, session, 202, [("oci-chunk-min-length", str(minimum))] if minimum else [])

    def answer(self, request: Request, repository: str, name: str) -> Response:
        """What the registry says about the session *name* of *repository*."""
        return self._answer(request, self._sessions.get(name), repository)

    def unscoped(self, request: Request, name: str) -> Response:
        """What an object store says, which knows no repositories."""
        session = self._sessions.get(name)
        return self._answer(request, session, session.repository if session else "")

    def _answer(self, request: Request, session: Session | None, repository: str) -> Response:
        if session is None or session.repository != repository:
            return answers.error(request, 404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
        match request.method:
            case "GET":
                return self._state(request, session, 204)
            case "DELETE":
                del self._sessions[session.name]
                return answers.empty(request, 204)
            case "PATCH":
                return self._take(request, session) or self._state(request, session, 202)
            case "PUT":
                return self._take(request, session) or self._close(request, session, asked.parameter(request, "digest"))
        return answers.error(request, 405, "UNSUPPORTED", "the operation is unsupported")

    def _mounted(self, repository: str, digest: str, source: str, may: May) -> Digest | None:
        """The blob that *repository* now has, too; None if the caller has to send it."""
        mount = self._features().mount
        try:
            wanted = Digest.parse(digest)
        except InvalidDigest:
            return None
        if mount == "never" or (mount == "from" and not source):
            return None
        sources = [source] if source else [repository, *self.shelf.holders(wanted)]
        for one in sources:
            if self.shelf.blob(one, wanted) is not None and may(Access("repository", one, ("pull",))):
                self.shelf.link_blob(repository, wanted)
                return wanted
        return None

    def _state(self, request: Request, session: Session, status: int, fields: answers.Fields = ()) -> Response:
        # An empty session has no last byte; distribution writes 0-0 then, and so do we.
        described = [
            ("location", self._location(request, session)),
            ("range", f"0-{max(0, len(session.held) - 1)}"),
            ("docker-upload-uuid", session.name),
        ]
        return answers.empty(request, status, [*described, *fields])

    def _location(self, request: Request, session: Session) -> str:
        state = "?" + urlencode({"_state": _state_of(session)}) if self._features().upload_state else ""
        if store := self._features().upload_store:
            return f"{store}{session.name}{state}"
        origin = str(request.url.origin) if self._features().absolute_locations else ""
        return f"{origin}/v2/{session.repository}/blobs/uploads/{session.name}{state}"

    def _take(self, request: Request, session: Session) -> Response | None:
        """Keep the bytes of a chunk; the refusal if they are not those that come next."""
        if refusal := self._out_of_place(request, session):
            return refusal
        if len(session.held) + len(request.body) > MAX_BLOB:
            return answers.error(request, 413, "SIZE_INVALID", f"a blob has at most {MAX_BLOB} bytes here")
        session.ended = request.method == "PATCH" and len(request.body) < self._features().chunk_minimum
        session.held += request.body
        return None

    def _out_of_place(self, request: Request, session: Session) -> Response | None:
        first, last = -1, -1
        if chunk := request.header("content-range"):
            match = re.fullmatch(r"([0-9]{1,18})-([0-9]{1,18})", chunk)
            if not match:
                return answers.error(request, 400, "BLOB_UPLOAD_INVALID", "Content-Range is not <first>-<last>")
            first, last = int(match[1]), int(match[2])
        stale = self._features().upload_state and request.method != "POST" and asked.parameter(request, "_state") != _state_of(session)
        if stale or first not in (-1, len(session.held)):
            return self._state(request, session, 416)
        if session.ended and request.body:
            return answers.error(request, 400, "SIZE_INVALID", "only the last chunk may be shorter than OCI-Chunk-Min-Length")
        if chunk and last - first + 1 != len(request.body):
            return answers.error(request, 400, "SIZE_INVALID", "Content-Range does not say how much came")
        return None

    def _close(self, request: Request, session: Session, digest: str) -> Response:
        whole = bytes(session.held)
        try:
            named = Digest.parse(digest)
        except InvalidDigest:
            named = None
        if not named or not named.matches(whole):
            # The bytes of this request are forgotten, so that another try starts where this one did.
            del session.held[len(whole) - len(request.body) :]
            return answers.error(request, 400, "DIGEST_INVALID", "provided digest did not match uploaded content", detail=digest)
        self._sessions.pop(session.name, None)
        self.shelf.add_blob(whole, named.algorithm, repository=session.repository)
        return _created(request, session.repository, named)


def arrived(request: Request, body: bytes) -> Request | None:
    """What a registry makes of a request whose connection broke after *body*; None if it comes to nothing.

    The bytes of a chunk stay in the session, which stays open (distribution, registry/handlers/blobupload.go). Half a
    manifest becomes a PATCH that no manifest takes.
    """
    if request.method not in ("PATCH", "PUT") or not body:
        return None
    first, _, last = request.header("content-range").partition("-")
    cut = request.replace(method="PATCH", body=body)
    if not (first.isdecimal() and last.isdecimal() and len(first) < 19):
        return cut
    return cut.with_header("content-range", f"{first}-{int(first) + len(body) - 1}")


def _state_of(session: Session) -> str:
    return f"{session.name[:8]}.{len(session.held)}"


def _created(request: Request, repository: str, digest: Digest) -> Response:
    return answers.empty(request, 201, [("location", f"/v2/{repository}/blobs/{digest}"), ("docker-content-digest", str(digest))])
