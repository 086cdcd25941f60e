"""What refers to a manifest: by the API where a registry has it, by the fallback tag where it does not.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md, "Listing Referrers" and "Referrers Tag Schema".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from registryauth.client import endpoints
from registryauth.client.listing import pages
from registryauth.content.descriptor import Descriptor
from registryauth.content.manifest import OCI_INDEX, Index, Manifest
from registryauth.digest import Digest
from registryauth.errors import ContentError, NotFound, RegistryError

if TYPE_CHECKING:
    from registryauth.client.repository import RepositoryClient


def fallback_tag(subject: Digest) -> str:
    """The tag under which a registry without the API keeps what refers to *subject*."""
    return re.sub(r"[^A-Za-z0-9_.-]", "-", f"{subject.algorithm[:32]}-{subject.encoded[:64]}")


def listed(repository: RepositoryClient, subject: Digest, artifact_type: str = "") -> Iterator[Descriptor]:
    """What refers to *subject*, only of *artifact_type* if one is named; filtered here where the registry did not."""
    client, name = repository.client, repository.repository
    build = lambda o: endpoints.referrers(o, name.path, subject, artifact_type)  # noqa: E731 - one line
    try:
        for response, page in pages(client, name, build, "pull"):
            filtered = "artifactType" in response.headers.get("oci-filters-applied")
            yield from (d for d in _descriptors(page) if filtered or artifact_type in ("", d.artifact_type))
    except NotFound:
        rows = _fallback(repository, subject)[0]
        yield from (d for d in map(_descriptor, rows) if d and artifact_type in ("", d.artifact_type))


def _descriptors(page: dict[str, Any]) -> list[Descriptor]:
    rows = page.get("manifests")
    if not isinstance(rows, list):
        raise RegistryError("the registry's list of referrers is not an index")
    return [found for row in rows if isinstance(row, dict) and (found := _descriptor(row))]


def _descriptor(row: dict[str, Any]) -> Descriptor | None:
    try:
        return Descriptor.read(row, "manifests")
    except ContentError:
        return None


def _fallback(repository: RepositoryClient, subject: Digest) -> tuple[list[dict[str, Any]], Digest | None]:
    """The rows of the fallback index and its digest; no rows and None where there is none. Raise `ContentError` for what is no index."""
    try:
        found = repository.manifest(fallback_tag(subject))
    except NotFound:
        return [], None
    if not isinstance(found, Index):
        raise ContentError(
            f"{repository.repository}:{fallback_tag(subject)} should be an index of referrers and is none", hint="rename that tag"
        )
    return list(json.loads(found.raw).get("manifests", [])), found.digest


def record(repository: RepositoryClient, manifest: Manifest | Index) -> None:
    """Add *manifest*, whose registry has no referrers API, to the fallback index of its subject, once.

    Two writers at once can lose one of two entries: the specification offers no more, and few registries heed ``If-Match``.
    """
    plain = json.loads(manifest.raw)
    subject = Digest.parse(plain["subject"]["digest"])
    rows, _ = _fallback(repository, subject)
    if any(row.get("digest") == str(manifest.digest) for row in rows):
        return
    config = plain.get("config") or {}
    row = {
        "mediaType": manifest.media_type,
        "digest": str(manifest.digest),
        "size": len(manifest.raw),
        "artifactType": plain.get("artifactType") or config.get("mediaType"),
        "annotations": plain.get("annotations"),
    }
    _write(repository, subject, [*rows, {name: value for name, value in row.items() if value}])


def forget(repository: RepositoryClient, manifest: Manifest | Index) -> None:
    """Take *manifest*, which is to be deleted, out of the fallback index of its subject, if it is in one."""
    subject = json.loads(manifest.raw).get("subject")
    if not isinstance(subject, dict):
        return
    digest = Digest.parse(subject["digest"])
    rows, index = _fallback(repository, digest)
    kept = [row for row in rows if row.get("digest") != str(manifest.digest)]
    if index and len(kept) < len(rows):
        _write(repository, digest, kept)


def _write(repository: RepositoryClient, subject: Digest, rows: list[dict[str, Any]]) -> None:
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": rows}
    repository.put_manifest(json.dumps(index).encode(), tag=fallback_tag(subject))
