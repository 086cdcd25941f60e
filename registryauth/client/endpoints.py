"""The requests of the Distribution API (https://github.com/opencontainers/distribution-spec/blob/main/spec.md). Pure."""

from __future__ import annotations

from urllib.parse import urlencode

from registryauth._http import USER_AGENT, Request
from registryauth._http.messages import Body
from registryauth._origin import Origin, Url
from registryauth.content import ACCEPT
from registryauth.content.manifest import OCI_INDEX
from registryauth.digest import Digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_COMMON = (("user-agent", USER_AGENT), ("accept-encoding", "identity"))
_OCTETS = ("content-type", "application/octet-stream")


def base(origin: Origin) -> Request:
    """end-1: whether this speaks the API, and what it asks for."""
    return _request("GET", origin, "/v2/")


def blob(origin: Origin, path: str, digest: Digest, *, method: str = "GET", offset: int = 0) -> Request:
    """end-2 and end-10: the blob, from byte *offset* on."""
    ranged = (("range", f"bytes={offset}-"),) if offset else ()
    return _request(method, origin, f"/v2/{path}/blobs/{digest}", *ranged)


def manifest(origin: Origin, path: str, target: str, *, method: str = "GET") -> Request:
    """end-3 and end-9: the manifest with tag or digest *target*."""
    return _request(method, origin, f"/v2/{path}/manifests/{target}", ("accept", ACCEPT))


def put_manifest(origin: Origin, path: str, target: str, media_type: str, raw: bytes, tags: Sequence[str] = ()) -> Request:
    """end-7: put *raw*, byte for byte, under tag or digest *target*; end-7b, in specification 1.2: under a digest and *tags*."""
    query = f"?{urlencode([('tag', tag) for tag in tags])}" if tags else ""
    return _request("PUT", origin, f"/v2/{path}/manifests/{target}{query}", ("content-type", media_type)).replace(body=raw)


def start_upload(origin: Origin, path: str, algorithm: str = "sha256") -> Request:
    """end-4a: open an upload session; end-4c, in specification 1.2, where the digest will be another *algorithm*'s."""
    query = "" if algorithm == "sha256" else f"?{urlencode({'digest-algorithm': algorithm})}"
    return _request("POST", origin, f"/v2/{path}/blobs/uploads/{query}")


def single_post(origin: Origin, path: str, digest: Digest, body: Body) -> Request:
    """end-4b: the blob with the request that else opens a session for it; a session is opened where that cannot be done."""
    query = urlencode({"digest": str(digest)}, safe=":")
    return _request("POST", origin, f"/v2/{path}/blobs/uploads/?{query}", _OCTETS).replace(upload=body)


def mount(origin: Origin, path: str, digest: Digest, source: str = "") -> Request:
    """end-11: take the blob from the repository *source* of the same registry, from any if none is named.

    A session is opened where that cannot be done.
    """
    query = {"mount": str(digest), **({"from": source} if source else {})}
    return _request("POST", origin, f"/v2/{path}/blobs/uploads/?{urlencode(query, safe=':/')}")


def put_upload(session: Url, digest: Digest, body: Body | None = None) -> Request:
    """end-6: close the session, with all of the content or what was left of it."""
    query = f"{'&' if '?' in session.target else '?'}{urlencode({'digest': str(digest)}, safe=':')}"
    return Request("PUT", session.replace(target=session.target + query), (*_COMMON, _OCTETS), upload=body)


def patch_upload(session: Url, offset: int, body: Body) -> Request:
    """end-5: the next bytes of the content, which start at *offset*."""
    where = ("content-range", f"{offset}-{offset + body.size - 1}")
    return Request("PATCH", session, (*_COMMON, _OCTETS, where), upload=body)


def ask_upload(session: Url, *, method: str = "GET") -> Request:
    """end-13 and end-14: how far the session is; with DELETE, give it up."""
    return Request(method, session, _COMMON)


def tags(origin: Origin, path: str, *, last: str = "", n: int | None = None) -> Request:
    """end-8: a page of tags, after *last*, at most *n* of them."""
    return _request("GET", origin, f"/v2/{path}/tags/list{_page(n, last)}")


def catalog(origin: Origin, *, last: str = "", n: int | None = None) -> Request:
    """A page of repositories. Not in the specification; distribution and ACR have it."""
    return _request("GET", origin, f"/v2/_catalog{_page(n, last)}")


def referrers(origin: Origin, path: str, digest: Digest, artifact_type: str = "") -> Request:
    """end-12: what refers to the manifest *digest*."""
    query = f"?{urlencode({'artifactType': artifact_type})}" if artifact_type else ""
    return _request("GET", origin, f"/v2/{path}/referrers/{digest}{query}", ("accept", OCI_INDEX))


def by_proxy(request: Request, host: str) -> Request:
    """The same *request* for content, which has no query, to a proxy for the registry *host* (specification 1.2, "Registry Proxying")."""
    query = urlencode({"ns": host}, safe=":")
    return request.replace(url=request.url.replace(target=f"{request.url.target}?{query}"))


def following(page: Request, url: Url) -> Request:
    """The next page of a listing, at the URL that its ``Link`` named."""
    return page.replace(url=url)


def _page(n: int | None, last: str) -> str:
    query = {name: value for name, value in (("n", "" if n is None else str(n)), ("last", last)) if value}
    return f"?{urlencode(query)}" if query else ""


def _request(method: str, origin: Origin, target: str, *headers: tuple[str, str]) -> Request:
    return Request(method, Url(origin, target), (*_COMMON, *headers))
