"""The requests of the Distribution API (https://github.com/opencontainers/distribution-spec/blob/main/spec.md). Pure."""

from __future__ import annotations

from registryauth._http import USER_AGENT, Request
from registryauth._origin import Origin, Url
from registryauth.content import ACCEPT
from registryauth.digest import Digest

_COMMON = (("user-agent", USER_AGENT), ("accept-encoding", "identity"))


def base(origin: Origin) -> Request:
    """end-1: whether this speaks the API, and what it asks for."""
    return _request("GET", origin, "/v2/")


def manifest(origin: Origin, path: str, target: str, *, method: str = "GET") -> Request:
    """end-3: the manifest with tag or digest *target*."""
    return _request(method, origin, f"/v2/{path}/manifests/{target}", ("accept", ACCEPT))


def blob(origin: Origin, path: str, digest: Digest, *, method: str = "GET") -> Request:
    """end-2: the blob."""
    return _request(method, origin, f"/v2/{path}/blobs/{digest}")


def elsewhere(url: Url) -> Request:
    """What a redirect leads to: no header of ours that says who we are to the registry."""
    return Request("GET", url, _COMMON)


def _request(method: str, origin: Origin, target: str, *headers: tuple[str, str]) -> Request:
    return Request(method, Url(origin, target), (*_COMMON, *headers))
