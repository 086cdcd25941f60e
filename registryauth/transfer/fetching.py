"""One blob from a repository into a layout, from where it was left off."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable

from registryauth._http import Response
from registryauth.client import RepositoryClient
from registryauth.content.descriptor import Descriptor
from registryauth.content.layout import Layout
from registryauth.errors import ContentError, RegistryError, TransportError
from registryauth.transfer.crew import Crew
from registryauth.transfer.graph import Graph
from registryauth.transfer.partial import PIECE, Partial, begun, claim
from registryauth.transfer.progress import Ledger

#: Broken connections in a row that brought nothing before a blob is given up.
_MAX_STUCK = 3
#: Broken connections for one blob in all: a registry that sends a byte at a time is no registry.
_MAX_CUTS = 100
#: Seconds before a broken connection is tried again, each time twice as long.
_FIRST_WAIT = 0.1


def fetch_all(repository: RepositoryClient, graph: Graph, layout: Layout, crew: Crew, ledger: Ledger) -> None:
    """Bring all that *graph* names into *layout*, blobs before manifests; what is there already is checked and left."""
    ledger.left_out(graph.foreign)
    expect_room(graph.blobs, layout)
    crew.each(lambda blob: fetch(repository, blob, layout, crew, ledger), graph.blobs)
    for found in graph.manifests:
        layout.add(found.described.digest, found.content.raw)
        ledger.settled("manifest", found.described)


def fetch(repository: RepositoryClient, blob: Descriptor, layout: Layout, crew: Crew, ledger: Ledger) -> None:
    """Bring *blob* into *layout*, unless it is there.

    Raise `DigestMismatch`, `SizeMismatch` or `ContentError` with nothing under the final name, and `TransportError` with what has
    come kept for the next time.
    """
    with claim(layout, blob, crew.pause) as partial:
        if partial is None:
            ledger.settled("present", blob)
            return
        before = partial.size
        came = _fill(repository, blob, partial, crew.pause, ledger.ticker("fetch", blob))
        if before and not partial.is_right():
            # What the earlier process left was not what it wrote: a machine that lost power, or somebody's hand.
            partial.restart()
            came += _fill(repository, blob, partial, crew.pause, ledger.ticker("fetch", blob))
        partial.finish()
        ledger.moved(came)


def _fill(
    repository: RepositoryClient, blob: Descriptor, partial: Partial, pause: Callable[[float], None], tick: Callable[[int], None]
) -> int:
    """Fetch what is missing of *partial*; give the bytes that came."""
    came = stuck = 0
    tick(partial.size)
    for cut in range(_MAX_CUTS):
        start = partial.size
        if start == blob.size:
            return came
        try:
            came += _append(repository, blob, partial, tick)
        except TransportError:
            came += max(0, partial.size - start)
            stuck = 0 if partial.size > start else stuck + 1
            if stuck == _MAX_STUCK or cut == _MAX_CUTS - 1:
                raise
            pause(_FIRST_WAIT * 2**stuck)
        else:
            return came
    raise AssertionError("the last cut was raised")


def _append(repository: RepositoryClient, blob: Descriptor, partial: Partial, tick: Callable[[int], None]) -> int:
    with _from(repository, blob, partial.size) as answer:
        if answer.status == 200 and partial.size:
            partial.restart()
        start = partial.size
        # One byte more than is due, so that a byte too many is seen.
        for piece in answer.chunks(min(PIECE, blob.size - start + 1)):
            partial.write(piece)
            tick(partial.size)
        return partial.size - start


def _from(repository: RepositoryClient, blob: Descriptor, offset: int) -> Response:
    try:
        return repository.open(blob, offset)
    except RegistryError as error:
        if not offset or error.status not in (206, 416):
            raise
        # It has an idea of its own of what a range is: the whole will do.
        return repository.open(blob)


def expect_room(blobs: Iterable[Descriptor], layout: Layout) -> None:
    """Raise `ContentError` where the disk cannot hold what is missing, rather than fill it."""
    missing = sum(blob.size - begun(layout, blob) for blob in blobs if layout.lacks(blob))
    free = shutil.disk_usage(layout.directory).free
    if missing > free:
        raise ContentError(f"{missing} bytes are to be fetched, and {layout.what} has room for {free}", hint="free some space first")
