"""What can be listed: tags, repositories, referrers; in pages."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from registryauth._http.messages import Request, Response
from registryauth.digest import Digest
from registryauth.errors import InvalidDigest
from registryauth.testing import answers, asked
from registryauth.testing.content_shelf import OCI_INDEX, ContentShelf, StoredManifest
from registryauth.testing.features import Features


class Listings:
    """The listing endpoints over a `ContentShelf`."""

    def __init__(self, shelf: ContentShelf, features: Callable[[], Features]) -> None:
        self.shelf = shelf
        self._features = features

    def tags(self, request: Request, name: str) -> Response:
        """The tags of a repository, in the order of their bytes."""
        if name not in self.shelf.manifests:
            return answers.error(request, 404, "NAME_UNKNOWN", "repository name not known to registry", detail={"name": name})
        return self._named(request, sorted(self.shelf.tags.get(name, {})), {"name": name}, "tags")

    def catalog(self, request: Request) -> Response:
        """Every repository that has, or had, a manifest."""
        if not self._features().catalog:
            return answers.error(request, 404, "UNSUPPORTED", "the operation is unsupported")
        return self._named(request, sorted(self.shelf.manifests), {}, "repositories")

    def referrers(self, request: Request, name: str, subject: str) -> Response:
        """An index of the manifests whose subject is the digest *subject*, empty if there are none."""
        if not self._features().referrers:
            return answers.error(request, 404, "UNSUPPORTED", "the operation is unsupported")
        try:
            digest = Digest.parse(subject)
        except InvalidDigest:
            return answers.error(request, 400, "DIGEST_INVALID", "this is not a digest", detail=subject)
        kind = asked.parameter(request, "artifactType") if self._features().filters else ""
        manifests = sorted(self.shelf.manifests.get(name, {}).items(), key=lambda item: str(item[0]))
        found = [described for one, manifest in manifests if (described := _referrer(one, manifest, digest))]
        left = [one for one in found if one["digest"] > asked.parameter(request, "last") and kind in ("", one.get("artifactType"))]
        page = left[: self._features().page_size or len(left)]
        fields = [("oci-filters-applied", "artifactType")] if kind else []
        if len(page) < len(left):
            fields.append(_next(request, {**({"artifactType": kind} if kind else {}), "last": page[-1]["digest"]}))
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": page}
        return answers.content(request, 200, OCI_INDEX, json.dumps(index).encode(), fields)

    def _named(self, request: Request, names: Sequence[str], document: dict[str, Any], key: str) -> Response:
        """A page of *names*; ``n`` is how many at most, ``last`` the one before the first."""
        wanted = asked.parameter(request, "n")
        if wanted and not (wanted.isdecimal() and len(wanted) < 10):
            return answers.error(request, 400, "PAGINATION_NUMBER_INVALID", "n is not a number of results", detail={"n": wanted[:20]})
        left = [name for name in names if name > asked.parameter(request, "last")]
        limits = [limit for limit in (int(wanted) if wanted else None, self._features().page_size or None) if limit is not None]
        page = left[: min(limits, default=len(left))]
        more = page and len(page) < len(left)
        fields = [_next(request, {**({"n": wanted} if wanted else {}), "last": page[-1]})] if more else []
        return answers.document(request, 200, {**document, key: page}, fields)


def _referrer(digest: Digest, manifest: StoredManifest, subject: Digest) -> dict[str, Any] | None:
    """The descriptor of *manifest* if its subject is that one (specification §Listing Referrers)."""
    document = json.loads(manifest.content)
    if (document.get("subject") or {}).get("digest") != str(subject):
        return None
    kind = document.get("artifactType") or document.get("config", {}).get("mediaType", "")
    described = {"mediaType": manifest.media_type, "digest": str(digest), "size": len(manifest.content)}
    annotations = {"annotations": document["annotations"]} if document.get("annotations") else {}
    return {**described, **({"artifactType": kind} if kind else {}), **annotations}


def _next(request: Request, parameters: dict[str, str]) -> tuple[str, str]:
    # RFC 8288. A digest's colon needs no escape in a query, and clients that cut at the comma never see one.
    return ("link", f'<{asked.path(request)}?{urlencode(parameters, quote_via=quote)}>; rel="next"')
