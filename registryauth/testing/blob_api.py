"""Blobs: got, whole or a range of them, and deleted."""

from __future__ import annotations

import re
from collections.abc import Callable

from registryauth._http.messages import Request, Response
from registryauth.digest import Digest
from registryauth.errors import InvalidDigest
from registryauth.testing import answers
from registryauth.testing.content_shelf import ContentShelf
from registryauth.testing.features import Features


class BlobApi:
    """The blobs endpoint over a `ContentShelf`."""

    def __init__(self, shelf: ContentShelf, features: Callable[[], Features]) -> None:
        self.shelf = shelf
        self._features = features

    def answer(self, request: Request, name: str, text: str) -> Response:
        """What the registry says about a blob of the repository *name*."""
        try:
            digest = Digest.parse(text)
        except InvalidDigest:
            return answers.error(request, 400, "DIGEST_INVALID", "provided digest did not match uploaded content", detail=text)
        match request.method:
            case "GET" | "HEAD":
                return _got(request, digest, self.shelf.blob(name, digest))
            case "DELETE" if "blobs" in self._features().delete:
                return answers.empty(request, 202) if self.shelf.drop_blob(name, digest) else _unknown(request, digest)
        return answers.error(request, 405, "UNSUPPORTED", "the operation is unsupported")

    def unscoped(self, request: Request, text: str) -> Response:
        """A blob as an object store has it, which knows no repositories."""
        try:
            digest = Digest.parse(text)
        except InvalidDigest:
            return answers.error(request, 400, "DIGEST_INVALID", "no such object", detail=text)
        return _got(request, digest, self.shelf.blobs.get(digest))


def _got(request: Request, digest: Digest, blob: bytes | None) -> Response:
    if blob is None:
        return _unknown(request, digest)
    return _ranged(request, blob, [("docker-content-digest", str(digest)), ("accept-ranges", "bytes")])


def _unknown(request: Request, digest: Digest) -> Response:
    return answers.error(request, 404, "BLOB_UNKNOWN", "blob unknown to registry", detail={"digest": str(digest)})


def _ranged(request: Request, blob: bytes, fields: list[tuple[str, str]]) -> Response:
    """*blob*, or one range of it (RFC 9110 §14); several ranges are answered with the whole, as the RFC allows."""
    octets = "application/octet-stream"
    wanted = re.fullmatch(r"bytes=([0-9]{0,18})-([0-9]{0,18})", request.header("range"))
    if not wanted or request.method != "GET" or wanted[0] == "bytes=-":
        return answers.content(request, 200, octets, blob, fields)
    if wanted[1]:
        start, end = int(wanted[1]), min(int(wanted[2] or len(blob)), len(blob) - 1)
    else:
        start, end = max(0, len(blob) - int(wanted[2])), len(blob) - 1
    if start > end:
        unmet = ("content-range", f"bytes */{len(blob)}")
        return answers.error(request, 416, "RANGE_INVALID", "the range is not in the blob", fields=[unmet])
    where = ("content-range", f"bytes {start}-{end}/{len(blob)}")
    return answers.content(request, 206, octets, blob[start : end + 1], [*fields, where])
