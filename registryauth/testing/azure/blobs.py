"""Blob storage as far as registries and builds use it: signed links, uploads, ranges, metadata.

Sources: Microsoft Learn "Blob service REST API" (Put Blob, Put Block, Put Block List, Get Blob, Get Blob Properties) and "Create a
service SAS"; an ``Authorization`` beside a signature is refused (Azure/acr FAQ, Azure/acr#217).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate
from urllib.parse import parse_qs, unquote, urlencode

from registryauth._http.messages import Request, Response
from registryauth.testing import answers, asked

_VERSION = "2021-08-06"
_SUFFIXES = {
    "AzureCloud": "blob.core.windows.net",
    "AzureChinaCloud": "blob.core.chinacloudapi.cn",
    "AzureUSGovernment": "blob.core.usgovcloudapi.net",
}


@dataclass
class Blob:
    """What is in it, or what gives it: a log grows. *metadata* likewise."""

    content: bytes | Callable[[], bytes] = b""
    metadata: Callable[[], dict[str, str]] = dict
    kind: str = "BlockBlob"
    blocks: dict[str, bytes] = field(default_factory=dict)

    @property
    def bytes(self) -> bytes:
        """Its bytes at this moment."""
        return self.content() if callable(self.content) else self.content


class BlobStore:
    """Every account of one cloud; a blob is found by ``host/container/name``."""

    def __init__(self, cloud: str, now: Callable[[], float]) -> None:
        self.suffix = _SUFFIXES.get(cloud, "blob.core.windows.net")
        self.now = now
        self.held: dict[str, Blob] = {}
        self._key = secrets.token_bytes(32)

    def add(self, url: str, blob: Blob) -> Blob:
        """Put *blob* at *url*."""
        self.held[_place(url)] = blob
        return blob

    def find(self, url: str) -> Blob | None:
        """What is at *url*, whatever its query."""
        return self.held.get(_place(url))

    def signed(self, url: str, *, lifetime: float, rights: str = "r") -> str:
        """*url* with a signature that is good for *lifetime* seconds and *rights* (``r`` read, ``c`` create, ``w`` write)."""
        until = datetime.fromtimestamp(self.now() + lifetime, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        query = {"sv": _VERSION, "se": until, "sr": "b", "sp": rights}
        return f"{url}?{urlencode(query | {'sig': self._signature(url, until, rights)})}"

    def _signature(self, url: str, until: str, rights: str) -> str:
        # Whichever host is asked: a client on the loopback comes by another name.
        path = _place(url).partition("/")[2]
        return base64.b64encode(hmac.digest(self._key, f"{path}\n{until}\n{rights}".encode(), hashlib.sha256)).decode()

    def refusal(self, request: Request) -> Response | None:
        """Why *request* may not have what it asks for; None if it may."""
        if request.header("authorization"):
            return xml_error(request, 400, "InvalidAuthenticationInfo", "Authentication information is not given in the correct format.")
        query = {key: values[0] for key, values in parse_qs(request.url.target.partition("?")[2]).items()}
        expected = self._signature(str(request.url), query.get("se", ""), query.get("sp", ""))
        fresh = query.get("se", "") > datetime.fromtimestamp(self.now(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        if not hmac.compare_digest(expected.encode(), query.get("sig", "").encode()) or not fresh:
            message = (
                "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including "
                "the signature."
            )
            return xml_error(request, 403, "AuthenticationFailed", message)
        wanted = "w" if request.method == "PUT" else "r"
        if wanted not in query["sp"] and not (wanted == "w" and "c" in query["sp"]):
            return xml_error(request, 403, "AuthorizationPermissionMismatch", "This request is not authorized to perform this operation.")
        return None

    def answer(self, request: Request) -> Response:
        """What the service says to *request*."""
        if refusal := self.refusal(request):
            return refusal
        if request.method == "PUT":
            return self._put(request)
        # A client on the loopback asks every host by one name: the path alone says which blob.
        found = self.find(str(request.url)) or self._by_path(request)
        if request.method not in ("GET", "HEAD"):
            return xml_error(request, 405, "UnsupportedHttpVerb", "The resource doesn't support specified Http Verb.")
        return self._get(request, found) if found else xml_error(request, 404, "BlobNotFound", "The specified blob does not exist.")

    def _by_path(self, request: Request) -> Blob | None:
        path = asked.path(request)
        return next((blob for place, blob in self.held.items() if place.partition("/")[2] == path.lstrip("/")), None)

    def _put(self, request: Request) -> Response:
        """Put Blob, or the blocks of one: a client that has much sends several."""
        done = [("etag", f'"0x{secrets.token_hex(8).upper()}"'), *_common(), ("last-modified", formatdate(self.now(), usegmt=True))]
        url, step = str(request.url), asked.parameter(request, "comp")
        # A client on the loopback comes by another name than the one that was signed.
        place = next((one for one in self.held if one.partition("/")[2] == asked.path(request).lstrip("/")), _place(url))
        blob = self.held.setdefault(place, Blob())
        if step == "block":
            blob.blocks[asked.parameter(request, "blockid")] = request.body
            return answers.empty(request, 201, done)
        if step == "blocklist":
            wanted = re.findall(rb"<(?:Latest|Uncommitted|Committed)>([^<]*)</", request.body)
            if any(one.decode() not in blob.blocks for one in wanted):
                return xml_error(request, 400, "InvalidBlockList", "The specified block list is invalid.")
            blob.content = b"".join(blob.blocks[one.decode()] for one in wanted)
            return answers.empty(request, 201, done)
        if not request.header("x-ms-blob-type"):
            message = "An HTTP header that's mandatory for this request is not specified."
            return xml_error(request, 400, "MissingRequiredHeader", message)
        blob.content = request.body
        return answers.empty(request, 201, done)

    def _get(self, request: Request, blob: Blob) -> Response:
        content = blob.bytes
        fields = [
            *_common(), ("etag", f'"0x{len(content):016X}"'), ("last-modified", formatdate(self.now(), usegmt=True)),
            ("x-ms-blob-type", blob.kind), ("accept-ranges", "bytes"),
            *((f"x-ms-meta-{key}", value) for key, value in blob.metadata().items()),
        ]  # fmt: skip
        wanted = re.fullmatch(r"bytes=(\d{1,18})-(\d{0,18})", request.header("x-ms-range") or request.header("range"))
        if request.method == "HEAD":
            described = [("content-length", str(len(content))), ("content-type", "application/octet-stream"), *fields]
            return Response.of(200, described, request.url)
        if not wanted:
            return answers.content(request, 200, "application/octet-stream", content, fields)
        first, last = int(wanted[1]), min(int(wanted[2] or len(content)), len(content) - 1)
        if first >= len(content):
            whole = ("content-range", f"bytes */{len(content)}")
            return xml_error(request, 416, "InvalidRange", "The range specified is invalid for the current size of the resource.", [whole])
        where = ("content-range", f"bytes {first}-{last}/{len(content)}")
        return answers.content(request, 206, "application/octet-stream", content[first : last + 1], [*fields, where])


def _place(url: str) -> str:
    return unquote(url.partition("?")[0].partition("://")[2])


def _common() -> answers.Fields:
    return [
        ("x-ms-version", _VERSION),
        ("x-ms-request-id", secrets.token_hex(16)),
        ("server", "Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0"),
    ]


def xml_error(request: Request, status: int, code: str, message: str, fields: answers.Fields = ()) -> Response:
    """An error as storage words it (Microsoft Learn "Status and error codes")."""
    body = f'\ufeff<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return answers.content(request, status, "application/xml", body.encode(), [("x-ms-error-code", code), *_common(), *fields])
