"""The endpoints of the OCI Distribution specification 1.1, pull side, over a `ContentShelf`."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, unquote, urlencode

from registryauth import _grammar
from registryauth._http.messages import Request, Response
from registryauth.digest import Digest
from registryauth.errors import InvalidDigest
from registryauth.testing import answers
from registryauth.testing.accounts import Access
from registryauth.testing.content_shelf import ContentShelf
from registryauth.testing.uploads import Uploads, put_manifest

_ROUTE = rf"/v2/(?P<name>{_grammar.PATH})/(?P<what>manifests|blobs/uploads|blobs|tags)/(?P<which>[^/]*)"

_NEEDED = {
    "GET": ("pull",),
    "HEAD": ("pull",),
    "POST": ("pull", "push"),
    "PATCH": ("pull", "push"),
    "PUT": ("pull", "push"),
    "DELETE": ("delete",),
}


class DistributionApi:
    """Answers requests that were let in; who may come in is decided elsewhere, from `needed`."""

    def __init__(self, shelf: ContentShelf) -> None:
        self.shelf = shelf
        self.uploads = Uploads(shelf)

    def needed(self, request: Request) -> Access:
        """The access that *request* needs, as distribution asks for it (registry/handlers/app.go, appendAccessRecords)."""
        route = re.fullmatch(_ROUTE, _path(request))
        return Access("repository", route["name"], _NEEDED.get(request.method, ())) if route else Access("", "", ())

    def answer(self, request: Request) -> Response:
        """What the registry says to *request*."""
        if _path(request) in ("/v2/", "/v2"):
            return answers.document(request, 200, {})
        route = re.fullmatch(_ROUTE, _path(request))
        if not route:
            return answers.error(request, 404, "NAME_INVALID", "no such endpoint, or no repository name")
        name, which = route["name"], route["which"]
        if route["what"] == "blobs/uploads":
            return self.uploads.answer(request, name, which)
        match route["what"], request.method:
            case "manifests", "GET" | "HEAD":
                return self._manifest(request, name, which)
            case "manifests", "PUT":
                return put_manifest(self.shelf, request, name, which)
            case "blobs", "GET" | "HEAD":
                return self.blob(request, which)
            case "tags", "GET" if which == "list":
                return self._tags(request, name)
        return answers.error(request, 405, "UNSUPPORTED", "the operation is unsupported")

    def blob(self, request: Request, digest: str) -> Response:
        """A blob or the range of it that was asked for, to a caller who may have it."""
        try:
            found = self.shelf.blobs.get(Digest.parse(digest))
        except InvalidDigest:
            return answers.error(request, 400, "DIGEST_INVALID", "provided digest did not match uploaded content", detail=digest)
        if found is None:
            return answers.error(request, 404, "BLOB_UNKNOWN", "blob unknown to registry", detail={"digest": digest})
        fields = [("docker-content-digest", digest), ("accept-ranges", "bytes")]
        return _ranged(request, found, fields)

    def _manifest(self, request: Request, name: str, reference: str) -> Response:
        try:
            found = self.shelf.find(name, reference)
        except InvalidDigest:
            return answers.error(request, 400, "DIGEST_INVALID", "provided digest did not match uploaded content", detail=reference)
        if not found:
            return answers.error(request, 404, "MANIFEST_UNKNOWN", "manifest unknown", detail={"Tag": reference})
        digest, manifest = found
        if not _accepts(request, manifest.media_type):
            # As distribution does for OCI content (registry/handlers/manifests.go): a client must say what it reads.
            return answers.error(request, 404, "MANIFEST_UNKNOWN", f"the Accept header does not allow {manifest.media_type}")
        return answers.content(request, 200, manifest.media_type, manifest.content, [("docker-content-digest", str(digest))])

    def _tags(self, request: Request, name: str) -> Response:
        if name not in self.shelf.manifests:
            return answers.error(request, 404, "NAME_UNKNOWN", "repository name not known to registry", detail={"name": name})
        query = parse_qs(request.url.target.partition("?")[2])
        tags = sorted(tag for tag in self.shelf.tags.get(name, {}) if tag > query.get("last", [""])[0])
        asked = query.get("n", [""])[0]
        page = tags[: int(asked)] if asked.isdecimal() else tags
        fields = []
        if page and len(page) < len(tags):
            following = urlencode({"n": asked, "last": page[-1]})
            fields = [("link", f'</v2/{name}/tags/list?{following}>; rel="next"')]
        return answers.document(request, 200, {"name": name, "tags": page}, fields)


def _path(request: Request) -> str:
    return unquote(request.url.target.partition("?")[0])


def _accepts(request: Request, media_type: str) -> bool:
    """Whether ``Accept`` covers *media_type*; no Accept at all accepts anything (RFC 9110 §12.5.1)."""
    asked = [item.partition(";")[0].strip().lower() for key, value in request.headers if key == "accept" for item in value.split(",")]
    return not asked or any(item in ("*/*", "application/*", media_type.lower()) for item in asked)


def _ranged(request: Request, blob: bytes, fields: list[tuple[str, str]]) -> Response:
    """*blob*, or one range of it (RFC 9110 §14); several ranges are answered with the whole, as the RFC allows."""
    octets = "application/octet-stream"
    asked = re.fullmatch(r"bytes=([0-9]*)-([0-9]*)", request.header("range"))
    if not asked or request.method != "GET" or asked[0] == "bytes=-":
        return answers.content(request, 200, octets, blob, fields)
    if asked[1]:
        start, end = int(asked[1]), min(int(asked[2] or len(blob)), len(blob) - 1)
    else:
        start, end = max(0, len(blob) - int(asked[2])), len(blob) - 1
    if start > end:
        unmet = ("content-range", f"bytes */{len(blob)}")
        return answers.error(request, 416, "RANGE_INVALID", "the range is not in the blob", fields=[unmet])
    where = ("content-range", f"bytes {start}-{end}/{len(blob)}")
    return answers.content(request, 206, octets, blob[start : end + 1], [*fields, where])
