"""Blobs and manifests into a repository: what is there is not sent again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from registryauth._http import Request
from registryauth._http.messages import Body
from registryauth._origin import Origin
from registryauth.client import RepositoryClient, endpoints
from registryauth.client.uploads import Upload, slice_of
from registryauth.content.descriptor import Descriptor
from registryauth.content.layout import Region
from registryauth.content.manifest import Index
from registryauth.digest import Digest
from registryauth.reference import Reference, Repository
from registryauth.transfer.crew import Crew
from registryauth.transfer.graph import Found
from registryauth.transfer.progress import Ledger

#: Blobs that had to be sent, and none that was there, until the rest is taken to be missing, too; and the bytes of a blob of which
#: that is assumed: where the guess is wrong and the registry does not say so, that many are sent for nothing.
_TELLING = 8
_SMALL = 1024 * 1024
#: The bytes of a blob from one offset up to another.
Part = Callable[[int, int], Body]


def check_tag(tag: str | None) -> None:
    """Raise `InvalidReference` for a *tag* that is none: now, rather than when everything but the manifest was sent."""
    if tag is not None:
        # The reference grammar is the tag's, too.
        Reference.parse(f"localhost/x:{tag}")


def has_blob(repository: RepositoryClient, blob: Descriptor) -> bool:
    """Whether *repository* holds *blob*, asked with the right to push, so that one token does for all that follows."""
    return _has(repository, lambda o: endpoints.blob(o, repository.repository.path, blob.digest, method="HEAD"), str(blob.digest))


def has_manifest(repository: RepositoryClient, manifest: Descriptor) -> bool:
    """Whether *repository* holds *manifest*."""
    name = str(manifest.digest)
    return _has(repository, lambda o: endpoints.manifest(o, repository.repository.path, name, method="HEAD"), name)


def _has(repository: RepositoryClient, build: Callable[[Origin], Request], name: str) -> bool:
    client, whole = repository.client, repository.repository
    with client.explaining(whole), client.send(whole, build, "pull", "push") as answer:
        client.expect(answer, f"{whole}@{name}", whole, 200, 404)
        return answer.status == 200


def send(repository: RepositoryClient, blob: Descriptor, part: Part, ledger: Ledger, mount_from: Repository | None = None) -> None:
    """Put *blob* into *repository* unless it is there; take it from *mount_from* where the registry does that.

    A HEAD tells whether it is there. In a repository that lacked all so far, a small blob is mounted from that very repository: the
    registry says that it has it, or opens the upload at once, in one request where HEAD and POST are two.
    """
    guess = not mount_from and blob.size <= _SMALL and ledger.has_only_moved(_TELLING)
    if not guess and has_blob(repository, blob):
        ledger.settled("present", blob)
        return
    source = repository.repository if guess else mount_from
    with repository.client.explaining(repository.repository):
        sent = Upload(repository.client, repository.repository, blob.digest, blob.size, part).send(source)
    if sent:
        ledger.moved(blob.size)
    else:
        ledger.settled("present" if guess else "mounted", blob)


def send_region(repository: RepositoryClient, blob: Descriptor, region: Region, ledger: Ledger) -> None:
    """Put *blob*, whose content is *region*, into *repository*. The registry checks it against its digest."""
    tick = ledger.ticker("send", blob)

    def part(start: int, end: int) -> Body:
        return slice_of(region.path, region.start + start, region.start + end, lambda at: tick(at - region.start))

    send(repository, blob, part, ledger)


def put_all(
    repository: RepositoryClient,
    manifests: Iterable[Found],
    tag: str | None,
    crew: Crew,
    ledger: Ledger,
    there: Collection[Digest] = (),
    more_tags: Sequence[str] = (),
) -> None:
    """Put *manifests* but for those *there*, children first, the root last and under *tag* and *more_tags*, each byte for byte."""

    def put(found: Found, name: str, *tags: str) -> None:
        repository.put_manifest(found.content.raw, tag=name, more_tags=tags, media_type=found.described.media_type)
        ledger.settled("manifest", found.described)

    *others, root = manifests
    inner = [found for found in others if found.content.digest not in there]
    # Images stand on blobs alone, so their order does not matter; an index stands on them.
    crew.each(lambda found: put(found, str(found.described.digest)), [found for found in inner if not isinstance(found.content, Index)])
    for found in inner:
        if isinstance(found.content, Index):
            put(found, str(found.described.digest))
    if tag or root.content.digest not in there:
        put(root, tag or str(root.described.digest), *more_tags)
