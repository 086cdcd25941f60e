"""From repository to repository, through memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from registryauth._http.messages import Body, Response
from registryauth.client import RepositoryClient
from registryauth.client.mirrors import blame
from registryauth.content.descriptor import Descriptor, Platform
from registryauth.content.manifest import Index, Manifest
from registryauth.digest import Digest
from registryauth.errors import ContentError, DigestMismatch, SizeMismatch
from registryauth.reference import Repository
from registryauth.transfer.crew import Crew
from registryauth.transfer.graph import ALL, Found, Graph, described, walk, wanted_platform
from registryauth.transfer.partial import PIECE
from registryauth.transfer.progress import Ledger, Progress, Transferred
from registryauth.transfer.sending import Part, check_tag, has_manifest, put_all, send

#: Manifests that refer to a copied one, and to those again; a registry that names more is no source of signatures.
_MAX_REFERRERS = 10_000


def copy(
    source: RepositoryClient,
    target: str | Digest,
    destination: RepositoryClient,
    tag: str | None = None,
    *,
    platform: str | Platform | None = ALL,
    referrers: bool = False,
    jobs: int = 4,
    progress: Callable[[Progress], None] | None = None,
) -> Transferred:
    """Copy the image or artifact with tag or digest *target* to *destination*, under *tag* or by its digest; all manifests to the byte.

    *platform* is as for `pull`, but all is the default. With *referrers*, what refers to the copied manifests (signatures, SBOMs)
    is copied, too, and what refers to that. Nothing touches the disk. What the destination has is not sent; within one registry
    blobs are mounted. Each blob is checked before its last byte is handed on, and a connection that breaks is taken up where it
    broke. *jobs* and *progress* are as for `pull`.
    """
    check_tag(tag)
    crew = Crew(jobs)
    ledger = Ledger(progress, crew.stop)
    root = source.manifest(target, platform=wanted_platform(platform))
    seen: set[Digest] = set()
    _copy_graph(source, destination, walk(root, source.manifest, crew.each), tag, crew, ledger, seen)
    waiting = sorted(seen, key=str) if referrers else []
    while waiting:
        for entry in source.referrers(waiting.pop()):
            if entry.digest in seen:
                continue
            if len(seen) >= _MAX_REFERRERS:
                raise ContentError(f"more than {_MAX_REFERRERS} manifests refer to this image", hint="copy it without its referrers")
            graph = walk(_referrer(source, entry), source.manifest, crew.each)
            before = set(seen)
            _copy_graph(source, destination, graph, None, crew, ledger, seen)
            waiting += sorted(seen - before, key=str)
    return ledger.result(described(root))


def _referrer(source: RepositoryClient, entry: Descriptor) -> Manifest | Index:
    found = source.manifest(entry)
    if len(found.raw) != entry.size:
        raise SizeMismatch(f"{entry.digest} has {len(found.raw)} bytes, {entry.size} by its description")
    return found


def _copy_graph(
    source: RepositoryClient, destination: RepositoryClient, graph: Graph, tag: str | None, crew: Crew, ledger: Ledger, seen: set[Digest]
) -> None:
    ledger.left_out(graph.foreign)
    seen.update(found.described.digest for found in graph.manifests)
    there = _there(destination, graph, crew)
    missing = _missing(graph, there, ledger)
    from_here = source.repository if source.repository.registry == destination.repository.registry else None
    crew.each(lambda blob: send(destination, blob, _streamed(source, blob, ledger), ledger, from_here), missing)
    put_all(destination, graph.manifests, tag, crew, ledger, there)


def _there(destination: RepositoryClient, graph: Graph, crew: Crew) -> set[Digest]:
    """The image manifests of *graph* that *destination* has. Not its indexes: a registry may hold one without all that it names."""
    images = [found.described for found in graph.manifests if isinstance(found.content, Manifest)]
    held = crew.each(lambda manifest: has_manifest(destination, manifest), images)
    return {manifest.digest for manifest, there in zip(images, held, strict=True) if there}


def _missing(graph: Graph, there: set[Digest], ledger: Ledger) -> list[Descriptor]:
    """The blobs of *graph* that none of the manifests *there* vouches for: a registry takes a manifest only with all that it names."""
    vouched = {blob.digest for found in graph.manifests if found.content.digest in there for blob in _blobs(found)}
    for blob in graph.blobs:
        if blob.digest in vouched:
            ledger.settled("present", blob)
    return [blob for blob in graph.blobs if blob.digest not in vouched]


def _blobs(found: Found) -> tuple[Descriptor, ...]:
    return (found.content.config, *found.content.layers) if isinstance(found.content, Manifest) else ()


def _streamed(source: RepositoryClient, blob: Descriptor, ledger: Ledger) -> Part:
    tick = ledger.ticker("send", blob)

    def part(start: int, end: int) -> Body:
        return Body(end - start, lambda: _pieces(source, blob, start, end, tick))

    return part


def _pieces(source: RepositoryClient, blob: Descriptor, start: int, end: int, tick: Callable[[int], None]) -> Iterator[memoryview]:
    """The bytes of *blob* from *start* up to *end*; of a whole blob, the last piece comes only if all of it was right."""
    places: list[Repository] = []
    try:
        with source.open(blob, start, answered=places.append) as answer:
            yield from _checked(answer, blob, start, end, tick)
    except (DigestMismatch, SizeMismatch) as error:
        blame(error, places, source.repository)
        raise


def _checked(answer: Response, blob: Descriptor, start: int, end: int, tick: Callable[[int], None]) -> Iterator[memoryview]:
    hasher = blob.digest.hasher() if (start, end) == (0, blob.size) else None
    at = start if answer.status == 206 else 0
    for received in answer.chunks(min(PIECE, blob.size - at + 1)):
        piece = received[max(0, start - at) : max(0, end - at)]
        at += len(received)
        if at > blob.size:
            raise SizeMismatch(f"{blob.digest} is larger than the {blob.size} bytes described")
        if hasher:
            hasher.update(received)
            if at == blob.size and hasher.hexdigest() != blob.digest.encoded:
                raise DigestMismatch(f"what came is not {blob.digest}", hint="the registry or a proxy before it is damaged or lies")
        if len(piece):
            yield piece
            tick(min(at, end))
        if at >= end < blob.size:
            return
    if at < end:
        raise SizeMismatch(f"{blob.digest} has {blob.size} bytes by its description, {at} came")
