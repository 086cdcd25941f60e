"""What refers to a manifest: by the API where a registry has it, by the fallback tag where it does not.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md, "Listing Referrers" and "Referrers Tag Schema".
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from registryauth.client import endpoints
from registryauth.client.listing import pages
from registryauth.content.descriptor import Descriptor
from registryauth.content.manifest import OCI_INDEX, Index, Manifest
from registryauth.digest import Digest
from registryauth.errors import ContentError, DigestMismatch, NotFound, RegistryError, Unsupported

if TYPE_CHECKING:
    from registryauth.client.repository import RepositoryClient

#: Writers of one fallback index who may be faster than we are.
_MAX_TRIES = 5


def fallback_tag(subject: Digest) -> str:
    """The tag under which a registry without the API keeps what refers to *subject*."""
    return re.sub(r"[^A-Za-z0-9_.-]", "-", f"{subject.algorithm[:32]}-{subject.encoded[:64]}")


def listed(repository: RepositoryClient, subject: Digest, artifact_type: str = "") -> Iterator[Descriptor]:
    """What refers to *subject*, only of *artifact_type* if one is named; filtered here where the registry did not."""
    client, name = repository.client, repository.repository
    build = lambda o: endpoints.referrers(o, name.path, subject, artifact_type)  # noqa: E731 - one line
    found = pages(client, name, build, "pull")
    try:
        first = next(found)
    # Some registries answer 405, or 404 with the code UNSUPPORTED, where they have no such endpoint.
    except (NotFound, Unsupported):
        yield from (d for d in _fallen_back(repository, subject) if artifact_type in ("", d.artifact_type))
        return
    for response, page in itertools.chain((first,), found):
        applied = [name.strip() for name in response.headers.get("oci-filters-applied").split(",")]
        yield from (d for d in _descriptors(page) if "artifactType" in applied or artifact_type in ("", d.artifact_type))


def _fallen_back(repository: RepositoryClient, subject: Digest) -> list[Descriptor]:
    """What the fallback index lists; what is under that tag and is no index counts for nothing, as the specification has it."""
    try:
        rows, _ = _fallback(repository, subject)
    except DigestMismatch:
        raise
    except ContentError:
        return []
    return [found for row in rows if (found := _descriptor(row))]


def subject_of(manifest: Manifest | Index) -> Digest | None:
    """What *manifest* refers to; raise `ContentError` where that is no descriptor."""
    subject = json.loads(manifest.raw).get("subject")
    if subject is None:
        return None
    if not isinstance(subject, dict):
        raise ContentError("subject is not a descriptor in the manifest")
    return Descriptor.read(subject, "subject").digest


def _descriptors(page: dict[str, Any]) -> list[Descriptor]:
    rows = [] if page.get("manifests", "") is None else page.get("manifests")
    if not isinstance(rows, list):
        raise RegistryError("the registry's list of referrers is not an index")
    return [found for row in rows if isinstance(row, dict) and (found := _descriptor(row))]


def _descriptor(row: dict[str, Any]) -> Descriptor | None:
    try:
        return Descriptor.read(row, "manifests")
    except ContentError:
        return None


def _fallback(repository: RepositoryClient, subject: Digest) -> tuple[list[dict[str, Any]], str]:
    """The rows of the fallback index and the ``If-Match`` of a change to it, empty where the registry has none.

    No rows where there is none. Raise `ContentError` for what is no index.
    """
    tag = fallback_tag(subject)
    try:
        found, etag = repository.tagged(tag)
    except NotFound:
        return [], ""
    if not isinstance(found, Index):
        raise ContentError(f"{repository.repository}:{tag} should be an index of referrers and is none", hint="rename that tag")
    # A weak one is good for nothing here (RFC 9110 §13.1.1).
    return list(json.loads(found.raw)["manifests"]), etag if re.fullmatch(r'"[!#-~]*"', etag) else ""


def record(repository: RepositoryClient, manifest: Manifest | Index, subject: Digest) -> None:
    """Add *manifest*, whose registry has no referrers API, to the fallback index of its *subject*, once.

    Two writers at once can lose one of two entries where the registry heeds no ``If-Match``: the specification offers no more.
    """
    plain = json.loads(manifest.raw)
    config = plain.get("config") or {}
    kept = {
        "mediaType": manifest.media_type,
        "digest": str(manifest.digest),
        "size": len(manifest.raw),
        "artifactType": plain.get("artifactType") or config.get("mediaType"),
        "annotations": plain.get("annotations"),
    }
    row = {name: value for name, value in kept.items() if value}
    _change(repository, subject, lambda rows: rows if any(r.get("digest") == row["digest"] for r in rows) else [*rows, row])


def forget(repository: RepositoryClient, manifest: Manifest | Index) -> None:
    """Take *manifest*, which was deleted, out of the fallback index of its subject, if it is in one."""
    try:
        subject = subject_of(manifest)
    except ContentError:
        return
    if subject:
        _change(repository, subject, lambda rows: [row for row in rows if row.get("digest") != str(manifest.digest)])


def _change(repository: RepositoryClient, subject: Digest, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
    """Write what *change* makes of the fallback index, if that is something else; read it again where somebody was faster."""
    for left in reversed(range(_MAX_TRIES)):
        rows, etag = _fallback(repository, subject)
        changed = change(rows)
        if changed == rows:
            return
        index = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": changed}).encode()
        try:
            repository.put_tagged(index, fallback_tag(subject), if_match=etag)
        except RegistryError as error:
            if error.status != 412 or not left:
                raise
        else:
            return
