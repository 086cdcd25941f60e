"""The endpoints of the OCI Distribution specification over a `ContentShelf`: which request goes where, and what it needs."""

from __future__ import annotations

import re
from collections.abc import Callable

from registryauth import _grammar
from registryauth._http.messages import Request, Response
from registryauth.testing import answers, asked
from registryauth.testing.accounts import CATALOG_ACCESS, Access
from registryauth.testing.blob_api import BlobApi
from registryauth.testing.content_shelf import ContentShelf
from registryauth.testing.doorkeeper import May
from registryauth.testing.features import Features
from registryauth.testing.listings import Listings
from registryauth.testing.manifest_api import ManifestApi
from registryauth.testing.uploads import Uploads

_ROUTE = rf"/v2/(?P<name>{_grammar.PATH})/(?P<what>manifests|blobs/uploads|blobs|tags|referrers)/(?P<which>[^/]*)"
_CATALOG = "/v2/_catalog"

_NEEDED = {
    "GET": ("pull",),
    "HEAD": ("pull",),
    "POST": ("pull", "push"),
    "PATCH": ("pull", "push"),
    "PUT": ("pull", "push"),
    "DELETE": ("delete",),
}


class DistributionApi:
    """Answers requests that were let in; who may come in is decided elsewhere, from `needed` and `wished`."""

    def __init__(self, shelf: ContentShelf, features: Callable[[], Features]) -> None:
        self.blobs = BlobApi(shelf, features)
        self.manifests = ManifestApi(shelf, features)
        self.uploads = Uploads(shelf, features)
        self.listings = Listings(shelf, features)

    def needed(self, request: Request) -> Access:
        """The access that *request* needs, as distribution asks for it (registry/handlers/app.go, appendAccessRecords)."""
        if asked.path(request) == _CATALOG:
            return CATALOG_ACCESS
        route = _route(request)
        return Access("repository", route["name"], _NEEDED.get(request.method, ())) if route else Access("", "", ())

    def wished(self, request: Request) -> Access | None:
        """The access that a mount takes on the repository it is from, without which it is an ordinary upload."""
        source = asked.parameter(request, "from")
        route = _route(request) if source and request.method == "POST" else None
        return Access("repository", source, ("pull",)) if route and route["what"] == "blobs/uploads" else None

    def answer(self, request: Request, may: May) -> Response:
        """What the registry says to *request* of a caller who *may*."""
        if asked.path(request) in ("/v2/", "/v2"):
            return answers.document(request, 200, {})
        if asked.path(request) == _CATALOG and request.method == "GET":
            return self.listings.catalog(request)
        route = _route(request)
        if not route:
            return answers.error(request, 404, "NAME_INVALID", "no such endpoint, or no repository name")
        name, which = route["name"], route["which"]
        match route["what"], request.method:
            case "manifests", _:
                return self.manifests.answer(request, name, which)
            case "blobs", _:
                return self.blobs.answer(request, name, which)
            case "blobs/uploads", "POST" if not which:
                return self.uploads.open(request, name, may)
            case "blobs/uploads", _ if which:
                return self.uploads.answer(request, name, which)
            case "tags", "GET" if which == "list":
                return self.listings.tags(request, name)
            case "referrers", "GET":
                return self.listings.referrers(request, name, which)
        return answers.error(request, 405, "UNSUPPORTED", "the operation is unsupported")

    def fetches_manifest(self, request: Request) -> bool:
        """Whether that is a pull as rate limits count it."""
        route = _route(request)
        return bool(route) and request.method in ("GET", "HEAD") and "/manifests/" in request.url.target


def _route(request: Request) -> re.Match[str] | None:
    return re.fullmatch(_ROUTE, asked.path(request))
