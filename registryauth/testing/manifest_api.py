"""Manifests: got, put, deleted."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from registryauth import _grammar
from registryauth._http.messages import Request, Response
from registryauth._value import Value
from registryauth.digest import Digest
from registryauth.errors import InvalidDigest
from registryauth.testing import answers, asked
from registryauth.testing.content_shelf import ContentShelf, StoredManifest
from registryauth.testing.features import Features

#: What the specification asks every registry to accept for a manifest (§Pushing Manifests), and distribution's own limit.
MAX_MANIFEST = 4 * 1024 * 1024

#: Layers that a registry need not have (image-spec 1.0, layer.md §Non-Distributable Layers; Docker's foreign layers).
_ELSEWHERE = re.compile(r"\.nondistributable\.|\.rootfs\.foreign\.")


class ManifestApi:
    """The manifests endpoint over a `ContentShelf`."""

    def __init__(self, shelf: ContentShelf, features: Callable[[], Features]) -> None:
        self.shelf = shelf
        self._features = features

    def answer(self, request: Request, name: str, reference: str) -> Response:
        """What the registry says about the manifest that *reference*, a tag or digest, names."""
        try:
            found = self.shelf.find(name, reference)
        except InvalidDigest:
            return _bad_digest(request, reference)
        match request.method:
            case "GET" | "HEAD":
                return self._get(request, reference, found)
            case "PUT":
                return self._put(request, name, reference, found)
            case "DELETE":
                return self._delete(request, name, reference)
        return answers.error(request, 405, "UNSUPPORTED", "the operation is unsupported")

    def _get(self, request: Request, reference: str, found: tuple[Digest, StoredManifest] | None) -> Response:
        if not found:
            return answers.error(request, 404, "MANIFEST_UNKNOWN", "manifest unknown", detail={"Tag": reference})
        digest, manifest = found
        if not _accepts(request, manifest.media_type):
            # As distribution does for OCI content (registry/handlers/manifests.go): a client must say what it reads.
            return answers.error(request, 404, "MANIFEST_UNKNOWN", f"the Accept header does not allow {manifest.media_type}")
        fields = [("docker-content-digest", str(digest))]
        if self._features().etags:
            fields.append(("etag", f'"{digest}"'))
            if _names(request.header("if-none-match"), digest):
                return answers.empty(request, 304, fields)
        return answers.content(request, 200, manifest.media_type, manifest.content, fields)

    def _put(self, request: Request, name: str, reference: str, found: tuple[Digest, StoredManifest] | None) -> Response:
        if self._features().if_match and not _still(request, found and found[0]):
            return answers.error(request, 412, "DENIED", "the manifest is not the one that If-Match or If-None-Match asks for")
        named = Digest.parse(reference) if ":" in reference else None
        tags = asked.parameters(request, "tag") if named and self._features().tag_parameters else [] if named else [reference]
        parsed = self._checked(request, name, named, tags)
        if isinstance(parsed, Response):
            return parsed
        digest = self.shelf.add_manifest(name, parsed.media_type, request.body, algorithm=named.algorithm if named else "sha256")
        for tag in tags:
            self.shelf.tags.setdefault(name, {})[tag] = digest
        fields = [("location", f"/v2/{name}/manifests/{digest}"), ("docker-content-digest", str(digest))]
        fields += [("oci-tag", tag) for tag in tags] if named else []
        if self._features().referrers and parsed.subject:
            fields.append(("oci-subject", str(parsed.subject)))
        return answers.empty(request, 201, fields)

    def _checked(self, request: Request, name: str, named: Digest | None, tags: list[str]) -> Manifest | Response:
        """The manifest in *request*, if it is one and all that it names is here."""
        if len(request.body) > MAX_MANIFEST:
            return answers.error(request, 413, "SIZE_INVALID", f"a manifest has at most {MAX_MANIFEST} bytes")
        if named and not named.matches(request.body):
            return _bad_digest(request, str(named))
        if bad := [tag for tag in tags if not re.fullmatch(_grammar.TAG, tag)]:
            return answers.error(request, 400, "TAG_INVALID", "manifest tag did not match URI", detail=bad[0])
        parsed = Manifest.parse(request.header("content-type").partition(";")[0].strip(), request.body)
        if parsed is None:
            return answers.error(request, 400, "MANIFEST_INVALID", "manifest invalid, or not of the type that it was sent as")
        missing = [blob for blob in parsed.blobs if self.shelf.blob(name, blob) is None]
        missing += [one for one in parsed.manifests if one not in self.shelf.manifests.get(name, {})]
        if missing and not self._features().sparse:
            return answers.error(request, 400, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry", detail={"digest": str(missing[0])})
        return parsed

    def _delete(self, request: Request, name: str, reference: str) -> Response:
        if ("manifests" if ":" in reference else "tags") not in self._features().delete:
            return answers.error(request, 405, "UNSUPPORTED", "the operation is unsupported")
        if name not in self.shelf.manifests:
            return answers.error(request, 404, "NAME_UNKNOWN", "repository name not known to registry", detail={"name": name})
        if not self.shelf.drop_manifest(name, reference):
            return answers.error(request, 404, "MANIFEST_UNKNOWN", "manifest unknown", detail={"Tag": reference})
        return answers.empty(request, 202)


class Manifest(Value):
    """What a registry reads in a manifest: the blobs and manifests that it is made of, and its subject."""

    media_type: str
    blobs: tuple[Digest, ...]
    manifests: tuple[Digest, ...]
    subject: Digest | None

    @classmethod
    def parse(cls, media_type: str, content: bytes) -> Manifest | None:
        """Read an image manifest or index; None if it is neither, or says it is of another type."""
        try:
            document = json.loads(content)
            if not media_type or document["schemaVersion"] != 2 or document.get("mediaType", media_type) != media_type:
                return None
            layers = [layer for layer in document.get("layers", []) if not _ELSEWHERE.search(layer.get("mediaType", ""))]
            config = [document["config"]] if "config" in document else []
            subject = document.get("subject")
            return cls(
                media_type,
                tuple(Digest.parse(described["digest"]) for described in [*config, *layers]),
                tuple(Digest.parse(described["digest"]) for described in document.get("manifests", [])),
                Digest.parse(subject["digest"]) if subject else None,
            )
        # Anything may be in there: a list where an object belongs, a number where a digest does.
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
            return None


def _still(request: Request, current: Digest | None) -> bool:
    """Whether the conditions of a PUT hold (RFC 9110 §13.1.1, §13.1.2)."""
    wanted, unwanted = request.header("if-match"), request.header("if-none-match")
    if wanted and not (current and _names(wanted, current)):
        return False
    return not (unwanted and current and _names(unwanted, current))


def _names(condition: str, digest: Digest) -> bool:
    """Whether an entity tag in *condition*, or ``*``, is that of *digest*."""
    tags = [tag.strip().removeprefix("W/").strip('"') for tag in condition.split(",")]
    return "*" in tags or str(digest) in tags


def _accepts(request: Request, media_type: str) -> bool:
    """Whether ``Accept`` covers *media_type*; no Accept at all accepts anything (RFC 9110 §12.5.1)."""
    wanted = [item.partition(";")[0].strip().lower() for key, value in request.headers if key == "accept" for item in value.split(",")]
    return not wanted or any(item in ("*/*", "application/*", media_type.lower()) for item in wanted)


def _bad_digest(request: Request, digest: str) -> Response:
    return answers.error(request, 400, "DIGEST_INVALID", "provided digest did not match uploaded content", detail=digest)
