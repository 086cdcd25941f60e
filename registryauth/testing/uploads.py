"""The push side: upload sessions and manifests."""

from __future__ import annotations

import json
import re
import secrets
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs

from registryauth import _grammar
from registryauth._http.messages import Request, Response
from registryauth.digest import Digest
from registryauth.errors import InvalidDigest
from registryauth.testing import answers
from registryauth.testing.content_shelf import ContentShelf

#: What the specification asks every registry to accept for a manifest (§Pushing Manifests), and distribution's own limit.
MAX_MANIFEST = 4 * 1024 * 1024


class Uploads:
    """Upload sessions: opened by POST, fed by PATCH, closed by PUT with the digest of the whole."""

    def __init__(self, shelf: ContentShelf) -> None:
        self.shelf = shelf
        self._sessions: dict[str, bytes] = {}

    def answer(self, request: Request, name: str, session: str) -> Response:
        """What the registry says about the upload *session*; an empty one opens it."""
        digest = parse_qs(request.url.target.partition("?")[2]).get("digest", [""])[0]
        if not session:
            if request.method != "POST":
                return answers.error(request, 405, "UNSUPPORTED", "an upload is opened by POST")
            session = secrets.token_hex(16)
            self._sessions[session] = b""
            # A mount (?mount=…&from=…) may be answered with an ordinary session (§Mounting a blob from another repository).
            return self._close(request, name, session, digest) if digest else self._state(request, name, session, 202)
        if session not in self._sessions:
            return answers.error(request, 404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
        match request.method:
            case "GET":
                return self._state(request, name, session, 204)
            case "PATCH":
                return self._feed(request, name, session)
            case "PUT":
                return self._close(request, name, session, digest)
            case "DELETE":
                del self._sessions[session]
                return answers.empty(request, 204)
        return answers.error(request, 405, "UNSUPPORTED", "the operation is unsupported")

    def _state(self, request: Request, name: str, session: str, status: int) -> Response:
        fields = [
            ("location", f"/v2/{name}/blobs/uploads/{session}"),
            ("range", f"0-{max(0, len(self._sessions[session]) - 1)}"),
            ("docker-upload-uuid", session),
        ]
        return answers.empty(request, status, fields)

    def _feed(self, request: Request, name: str, session: str) -> Response:
        held = self._sessions[session]
        if chunk := request.header("content-range"):
            match = re.fullmatch(r"([0-9]+)-([0-9]+)", chunk)
            expected = (len(held), len(held) + len(request.body) - 1)
            if not match or (int(match[1]), int(match[2])) != expected:
                return self._state(request, name, session, 416)
        self._sessions[session] = held + request.body
        return self._state(request, name, session, 202)

    def _close(self, request: Request, name: str, session: str, digest: str) -> Response:
        whole = self._sessions[session] + request.body
        try:
            named = Digest.parse(digest)
        except InvalidDigest:
            named = None
        if not named or not named.matches(whole):
            return answers.error(request, 400, "DIGEST_INVALID", "provided digest did not match uploaded content", detail=digest)
        del self._sessions[session]
        self.shelf.add_blob(whole, named.algorithm)
        return answers.empty(request, 201, [("location", f"/v2/{name}/blobs/{named}"), ("docker-content-digest", str(named))])


def put_manifest(shelf: ContentShelf, request: Request, name: str, reference: str) -> Response:
    """Keep the manifest in *request*, if it is one and all that it names is here."""
    if len(request.body) > MAX_MANIFEST:
        return answers.error(request, 413, "SIZE_INVALID", f"a manifest has at most {MAX_MANIFEST} bytes")
    named = None
    if ":" in reference:
        with suppress(InvalidDigest):
            named = Digest.parse(reference)
        if not named or not named.matches(request.body):
            return answers.error(request, 400, "DIGEST_INVALID", "provided digest did not match uploaded content", detail=reference)
    elif not re.fullmatch(_grammar.TAG, reference):
        return answers.error(request, 400, "TAG_INVALID", "manifest tag did not match URI", detail=reference)
    media_type = request.header("content-type").partition(";")[0].strip()
    manifest = _parsed(request.body)
    if manifest is None or not media_type or manifest.get("mediaType", media_type) != media_type:
        return answers.error(request, 400, "MANIFEST_INVALID", "manifest invalid, or not of the type that it was sent as")
    if missing := _missing(shelf, name, manifest):
        return answers.error(request, 400, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry", detail={"digest": missing})
    digest = shelf.add_manifest(
        name, media_type, request.body, tag=None if named else reference, algorithm=named.algorithm if named else "sha256"
    )
    return answers.empty(request, 201, [("location", f"/v2/{name}/manifests/{digest}"), ("docker-content-digest", str(digest))])


def _parsed(body: bytes) -> dict[str, Any] | None:
    try:
        manifest = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return manifest if isinstance(manifest, dict) and manifest.get("schemaVersion") == 2 else None


def _missing(shelf: ContentShelf, name: str, manifest: dict[str, Any]) -> str:
    """The first digest that *manifest* names and the shelf lacks; empty if it lacks none."""
    blobs = [manifest["config"]] if "config" in manifest else []
    blobs += manifest.get("layers", [])
    for descriptor in blobs:
        if Digest.parse(descriptor["digest"]) not in shelf.blobs:
            return str(descriptor["digest"])
    for descriptor in manifest.get("manifests", []):
        if Digest.parse(descriptor["digest"]) not in shelf.manifests.get(name, {}):
            return str(descriptor["digest"])
    return ""
