"""One blob from a repository into a layout, from where it was left off."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable

from registryauth._http import Response
from registryauth.client import RepositoryClient
from registryauth.client.mirrors import blame
from registryauth.content.descriptor import Descriptor
from registryauth.content.layout import Layout
from registryauth.errors import ContentError, DigestMismatch, RegistryError, SizeMismatch, TransportError
from registryauth.reference import Repository
from registryauth.transfer.crew import Crew
from registryauth.transfer.graph import Graph
from registryauth.transfer.partial import Partial, begun, claim
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
    come kept for the next time. The hint of the first two names the mirrors that it came from.
    """
    with claim(layout, blob, crew.pause, crew.width) as partial:
        if partial is None:
            ledger.settled("present", blob)
            return
        fetching = _Fetching(repository, blob, partial, crew.pause, ledger.ticker("fetch", blob))
        try:
            fetching.run()
        except (DigestMismatch, SizeMismatch) as error:
            blame(error, fetching.places, repository.repository)
            raise
        ledger.moved(fetching.came)


class _Fetching:
    """*blob* on its way into *partial*: *came* counts the bytes that came now, *places* are who sent them."""

    def __init__(
        self, repository: RepositoryClient, blob: Descriptor, partial: Partial, pause: Callable[[float], None], tick: Callable[[int], None]
    ) -> None:
        self._repository = repository
        self._blob = blob
        self._partial = partial
        self._pause = pause
        self._tick = tick
        self.came = 0
        self.places: list[Repository] = []

    def run(self) -> None:
        """Fetch what is missing, and give the blob its final name."""
        before = self._partial.size
        self._fill()
        if before and not self._partial.is_right():
            # What the earlier process left was not what it wrote: a machine that lost power, or somebody's hand.
            self._partial.restart()
            self._fill()
        self._partial.finish()

    def _fill(self) -> None:
        stuck = 0
        self._tick(self._partial.size)
        for cut in range(_MAX_CUTS):
            start = self._partial.size
            if start == self._blob.size:
                return
            try:
                self._append()
            except TransportError:
                stuck = 0 if self._partial.size > start else stuck + 1
                if stuck == _MAX_STUCK or cut == _MAX_CUTS - 1:
                    raise
                self._pause(_FIRST_WAIT * 2**stuck)
            else:
                return
        raise AssertionError("the last cut was raised")

    def _append(self) -> None:
        partial = self._partial
        with self._answer(partial.size) as answer:
            if answer.status == 200 and partial.size:
                partial.restart()
            for piece in answer.chunks(partial.piece):
                partial.write(piece)
                self.came += len(piece)
                self._tick(partial.size)

    def _answer(self, offset: int) -> Response:
        try:
            return self._repository.open(self._blob, offset, answered=self.places.append)
        except RegistryError as error:
            if not offset or error.status not in (206, 416):
                raise
            # It has an idea of its own of what a range is: the whole will do.
            return self._repository.open(self._blob, answered=self.places.append)


def expect_room(blobs: Iterable[Descriptor], layout: Layout) -> None:
    """Raise `ContentError` where the disk cannot hold what is missing, rather than fill it."""
    free = shutil.disk_usage(layout.directory).free
    wanted = list(blobs)
    if sum(blob.size for blob in wanted) <= free:
        # Not looked at one by one: of thousands of small blobs that takes a tenth of all that is done for them.
        return
    missing = sum(blob.size - begun(layout, blob) for blob in wanted if layout.lacks(blob))
    if missing > free:
        raise ContentError(f"{missing} bytes are to be fetched, and {layout.what} has room for {free}", hint="free some space first")
