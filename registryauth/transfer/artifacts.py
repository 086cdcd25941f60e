"""Files as an artifact (https://github.com/opencontainers/image-spec/blob/main/manifest.md, "Guidelines for Artifact Usage")."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from registryauth._http.messages import Body
from registryauth.client import RepositoryClient
from registryauth.content.descriptor import Descriptor
from registryauth.content.layout import Region
from registryauth.content.manifest import OCI_MANIFEST, read_manifest
from registryauth.content.verify import digest_of, size_of
from registryauth.digest import Digest
from registryauth.errors import ContentError
from registryauth.transfer.crew import Crew
from registryauth.transfer.files import TITLE
from registryauth.transfer.graph import described, walk
from registryauth.transfer.progress import Ledger, Progress, Transferred
from registryauth.transfer.sending import check_tag, put_all, send, send_region

#: The content that stands for none: ``{}``.
_EMPTY = Descriptor("application/vnd.oci.empty.v1+json", Digest.of(b"{}"), 2)
#: What an artifact is whose maker did not say, as oras has it.
UNKNOWN_ARTIFACT = "application/vnd.unknown.artifact.v1"
#: RFC 6838 §4.2.
_MEDIA_TYPE = r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"


def push_files(
    repository: RepositoryClient,
    files: Iterable[tuple[str | os.PathLike[str], str]],
    *,
    artifact_type: str = "",
    annotations: Mapping[str, str] | None = None,
    subject: Descriptor | None = None,
    tag: str | None = None,
    jobs: int = 4,
    progress: Callable[[Progress], None] | None = None,
) -> Transferred:
    """Push *files*, each a path and its media type, as one artifact; under *tag*, or by its digest alone.

    A relative path becomes the file's title as it is, of any other the last part does. *subject* is the manifest that the artifact
    is about; `RepositoryClient.referrers` then lists it. The same files, types and annotations give the same digest: no date is
    added. *jobs* and *progress* are as for `pull`.

    Raise `ContentError` for files that cannot be read, are directories or have the same title.
    """
    check_tag(tag)
    crew = Crew(jobs)
    ledger = Ledger(progress, crew.stop)
    named = [(os.fspath(path), _checked(media_type)) for path, media_type in files]
    titles = [_title(path) for path, _ in named]
    if len(set(titles)) < len(titles):
        raise ContentError("two of the files have the same title", hint="push them from the directory above, by relative paths")
    layers = crew.each(lambda pair: _layer(*pair), named)
    manifest: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": _checked(artifact_type or UNKNOWN_ARTIFACT),
        "config": _plain(_EMPTY),
        "layers": [_plain(layer) | {"annotations": {TITLE: title}} for layer, title in zip(layers, titles, strict=True)]
        or [_plain(_EMPTY)],
    }
    manifest |= {"subject": _plain(subject)} if subject else {}
    manifest |= {"annotations": dict(annotations)} if annotations else {}
    root = read_manifest(json.dumps(manifest, separators=(",", ":"), ensure_ascii=False).encode(), OCI_MANIFEST, None)
    graph = walk(root, repository.manifest, crew.each)
    regions = {layer.digest: Region(path, 0, layer.size) for layer, (path, _) in zip(layers, named, strict=True)}

    def put(blob: Descriptor) -> None:
        if blob.digest in regions:
            send_region(repository, blob, regions[blob.digest], ledger)
        else:
            send(repository, blob, lambda start, end: Body(end - start, lambda: iter((b"{}"[start:end],))), ledger)

    crew.each(put, graph.blobs)
    put_all(repository, graph.manifests, tag, crew, ledger)
    return ledger.result(described(root))


def _layer(path: str, media_type: str) -> Descriptor:
    if os.path.isdir(path):
        raise ContentError(f"{path} is a directory", hint="pack it first: tar -czf")
    size = size_of(path)
    return Descriptor(media_type, digest_of(path), size)


def _title(path: str) -> str:
    parts = [part for part in path.split("/") if part not in ("", ".")]
    return parts[-1] if os.path.isabs(path) or ".." in parts else "/".join(parts)


def _checked(media_type: str) -> str:
    if not re.fullmatch(_MEDIA_TYPE, media_type):
        raise ContentError(f"{media_type!a} is no media type", hint="write it as type/subtype, for example text/plain")
    return media_type


def _plain(blob: Descriptor) -> dict[str, Any]:
    return {"mediaType": blob.media_type, "digest": str(blob.digest), "size": blob.size}
