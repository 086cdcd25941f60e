"""The registry's own listing API, ``/acr/v1``: repositories, tags and manifests with their attributes.

Source: azure-rest-api-specs, containerregistry 2021-07-01, as azure-containerregistry 1.2.0 reads it.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from registryauth import _grammar
from registryauth._http.messages import Request, Response
from registryauth.digest import Digest
from registryauth.errors import InvalidDigest
from registryauth.testing import answers, asked
from registryauth.testing.accounts import CATALOG_ACCESS, Access
from registryauth.testing.azure.refusals import registry_error
from registryauth.testing.content_shelf import StoredManifest

if TYPE_CHECKING:
    from registryauth.testing.azure.acr import Gatekeeper
    from registryauth.testing.azure.registry import AzureRegistry

_ROUTE = rf"/acr/v1/(?P<name>{_grammar.PATH})(?:/(?P<what>_tags|_manifests)(?:/(?P<which>[^/]+))?)?"
#: Entries of an answer that asks for no number (azure-rest-api-specs, parameter n).
_PAGE = 100
_NEEDED = {"GET": "metadata_read", "PATCH": "metadata_write", "DELETE": "delete"}
_CHANGEABLE = {"deleteEnabled": True, "writeEnabled": True, "readEnabled": True, "listEnabled": True}


class AcrListing:
    """Answers from a registry's shelf; times are the registry's own creation, attributes those that were set."""

    def __init__(self, registry: AzureRegistry, gatekeeper: Gatekeeper) -> None:
        self.registry = registry
        self._gatekeeper = gatekeeper
        self._attributes: dict[tuple[str, str], dict[str, bool]] = {}

    def answer(self, request: Request) -> Response:
        """What the registry says to *request*."""
        catalog = asked.path(request) == "/acr/v1/_catalog"
        route = None if catalog else re.fullmatch(_ROUTE, asked.path(request))
        if not catalog and not route:
            return registry_error(request, 404, "NOT_FOUND", "404 page not found")
        needed = CATALOG_ACCESS if route is None else Access("repository", route["name"], (_NEEDED.get(request.method, "metadata_read"),))
        may = self._gatekeeper.admit(request, needed, None, "token", None)
        if isinstance(may, Response):
            return may
        if route is None:
            return self._page(request, sorted(self._shelf.manifests), {}, "repositories")
        if not self._shelf.manifests.get(route["name"]):
            message = f"repository name not known to registry: {route['name']}"
            return registry_error(request, 404, "NAME_UNKNOWN", message, detail={"name": route["name"]})
        return self._of_repository(request, route["name"], route["what"], route["which"])

    @property
    def _shelf(self) -> Any:  # noqa: ANN401 - a ContentShelf; named so to keep the lines short
        return self.registry.images.shelf

    def _of_repository(self, request: Request, name: str, what: str | None, which: str | None) -> Response:
        head = {"registry": self.registry.login_server, "imageName": name}
        match what, which:
            case "_tags", None:
                tags = [self._tag(name, tag) for tag in sorted(self._shelf.tags.get(name, {}))]
                return self._page(request, tags, head, "tags", key="name")
            case "_manifests", None:
                manifests = [self._manifest(name, digest, held) for digest, held in sorted(self._shelf.manifests[name].items(), key=str)]
                return self._page(request, manifests, head, "manifests", key="digest")
            case "_tags", str(tag) if tag in self._shelf.tags.get(name, {}):
                return self._one(request, name, tag, head | {"tag": self._tag(name, tag)})
            case "_manifests", text if found := self._found(name, text or ""):
                return self._one(request, name, str(found[0]), head | {"manifest": self._manifest(name, *found)})
            case None, _:
                return self._one(request, name, "", head | self._repository(name))
        code = "TAG_UNKNOWN" if what == "_tags" else "MANIFEST_UNKNOWN"
        return registry_error(request, 404, code, f"the specified {what} does not exist", detail={"name": which})

    def _one(self, request: Request, name: str, which: str, described: dict[str, Any]) -> Response:
        if request.method == "DELETE":
            if which:
                self._shelf.drop_manifest(name, which)
            else:
                self._shelf.tags.pop(name, None)
                self._shelf.manifests.pop(name)
            return answers.empty(request, 202)
        if request.method == "PATCH":
            self._attributes.setdefault((name, which), {}).update(json.loads(request.body))
            return self._of_repository(request.replace(method="GET"), name, *_place(which))
        return answers.document(request, 200, described)

    def _found(self, name: str, text: str) -> tuple[Digest, StoredManifest] | None:
        try:
            return self._shelf.find(name, text) if ":" in text else None
        except InvalidDigest:
            return None

    def _times(self) -> dict[str, str]:
        at = datetime.fromtimestamp(self.registry.created_at, UTC).strftime("%Y-%m-%dT%H:%M:%S.1234567Z")
        return {"createdTime": at, "lastUpdateTime": at}

    def _changeable(self, name: str, which: str) -> dict[str, bool]:
        return {**_CHANGEABLE, **self._attributes.get((name, which), {})}

    def _repository(self, name: str) -> dict[str, Any]:
        counts = {"manifestCount": len(self._shelf.manifests[name]), "tagCount": len(self._shelf.tags.get(name, {}))}
        return {**self._times(), **counts, "changeableAttributes": {**self._changeable(name, ""), "teleportEnabled": False}}

    def _tag(self, name: str, tag: str) -> dict[str, Any]:
        digest = str(self._shelf.tags[name][tag])
        return {"name": tag, "digest": digest, **self._times(), "signed": False, "changeableAttributes": self._changeable(name, tag)}

    def _manifest(self, name: str, digest: Digest, held: StoredManifest) -> dict[str, Any]:
        document = json.loads(held.content)
        layers = sum(one.get("size", 0) for one in document.get("layers", []))
        tags = sorted(tag for tag, one in self._shelf.tags.get(name, {}).items() if one == digest)
        return {
            "digest": str(digest),
            "imageSize": layers + document.get("config", {}).get("size", 0),
            **self._times(),
            "mediaType": held.media_type,
            "configMediaType": document.get("config", {}).get("mediaType"),
            "architecture": "amd64",
            "os": "linux",
            "tags": tags,
            "changeableAttributes": self._changeable(name, str(digest)),
        }

    def _page(self, request: Request, entries: list[Any], head: dict[str, Any], field: str, key: str = "") -> Response:
        """A page of *entries*, the next one named in ``Link``; there is no field where there is nothing (recordings: ``null``)."""
        last, size = asked.parameter(request, "last"), int(asked.parameter(request, "n") or _PAGE)
        named = [(entry[key] if key else entry, entry) for entry in entries]
        left = [(name, entry) for name, entry in named if name > last]
        page = left[:size]
        fields = []
        if len(page) < len(left):
            path = asked.path(request)
            fields.append(("link", f'<{path}?{urlencode({"last": page[-1][0], "n": size, "orderby": ""})}>; rel="next"'))
        return answers.document(request, 200, {**head, field: [entry for _, entry in page] or None}, fields)


def _place(which: str) -> tuple[str | None, str | None]:
    return (None, None) if not which else ("_manifests" if ":" in which else "_tags", which)
