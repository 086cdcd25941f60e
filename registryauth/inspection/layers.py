"""An image's layers, read from the topmost down until every question has its final answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from itertools import count

from registryauth.client import RepositoryClient
from registryauth.digest import Digest
from registryauth.errors import ContentError, DigestMismatch, UnsupportedMediaType
from registryauth.inspection.blob import Allowance, Enough, Reading
from registryauth.inspection.fact import Fact
from registryauth.inspection.facts import Unread, fact
from registryauth.inspection.image import Image
from registryauth.inspection.rule import Rule
from registryauth.inspection.tar import Entry, entries
from registryauth.inspection.tree import Budget, File, Layer
from registryauth.inspection.unpacking import Meter, unpacked
from registryauth.inspection.view import View

#: Files read again for one fact: each name of an os-release at most once.
_MAX_AGAIN = 3


class Layers:
    """The layers of *image*; at most *limit* bytes of them are read, to the next 256 KiB, if that is given.

    An answer counts as final only after the layer that gives it was read to its end and verified: until then a later entry of the
    same name could replace it, and the bytes could be anybody's. *readings* are those of each layer, the lowest first, and then
    those of layers that had to be read again.
    """

    def __init__(
        self, repository: RepositoryClient, image: Image, *, limit: int | None = None, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._image = image
        self._again: Callable[[int], Reading] = lambda number: Reading(repository, image.layers[number], self._allowance, pause)
        self._allowance = Allowance(limit)
        self._budget = Budget()
        self._meter = Meter()
        self._view = View()
        self.readings = [self._again(number) for number in range(len(image.layers))]

    def answer(self, questions: Mapping[str, Rule | None]) -> dict[str, Fact]:
        """Each fact asked for, read no further than that takes; raise `ContentError` naming the layer for one that is damaged."""
        known = self._evaluated(questions, {})
        for number in reversed(range(len(self._image.layers))):
            if all(found.final for found in known.values()):
                break
            layer = Layer(number, self._budget)
            try:
                with closing(self._entries(self.readings[number], number, self._is_kept)) as found:
                    for entry in found:
                        layer.add(entry)
            except Enough:
                self._view.lay_under(layer.finish())
                return {name: found.replace(final=known[name].final) for name, found in self._evaluated(questions, known).items()}
            except ContentError as error:
                raise self._named(error, number) from error
            self._view.lay_under(layer.finish())
            self._view.complete = number == 0
            known = self._evaluated(questions, known)
        return known

    def _evaluated(self, questions: Mapping[str, Rule | None], known: Mapping[str, Fact]) -> dict[str, Fact]:
        """What is known now; what was final before stays as it was."""
        self._view.complete = self._view.complete or not self._image.layers
        return {name: known[name] if name in known and known[name].final else self._fact(name, rule) for name, rule in questions.items()}

    def _fact(self, name: str, rule: Rule | None) -> Fact:
        for attempt in count():
            try:
                return fact(name, self._image, self._view, rule)
            except Unread as unread:
                if attempt == _MAX_AGAIN:
                    break
                try:
                    self._read_again(unread.file)
                except Enough:
                    return Fact((), final=False, note="the file that says it was not read")
                except ContentError as error:
                    raise self._named(error, unread.file.layer) from error
        raise AssertionError("one fact needs no more files than that")

    def _read_again(self, file: File) -> None:
        """Read the layer of *file* once more for its content, and verify it once more: what comes now may not be what came before."""
        reading = self._again(file.layer)
        self.readings.append(reading)
        content = None
        with closing(self._entries(reading, file.layer, lambda entry: entry.number == file.number)) as found:
            for entry in found:
                content = entry.content if entry.number == file.number else content
        if content is None:
            raise UnsupportedMediaType("a file that says what system this is is sparse", hint="build the image again")
        file.content = content

    def _entries(self, reading: Reading, number: int, wanted: Callable[[Entry], bool]) -> Generator[Entry]:
        """The entries of layer *number*; at the end it is verified, packed and unpacked, as whoever runs the image verifies it."""
        described = self._image.diff_ids[number]
        hasher = described.hasher()

        def hashed(pieces: Iterator[memoryview]) -> Iterator[bytes | memoryview]:
            for piece in unpacked(pieces, reading.blob.size, self._meter):
                hasher.update(piece)
                yield piece

        # Closed here, so that a connection does not outlive what was wrong with its content.
        with closing(reading.pieces()) as pieces:
            yield from entries(hashed(pieces), wanted)
        came = Digest(described.algorithm, hasher.hexdigest())
        if came != described:
            raise DigestMismatch(f"it unpacks to {came}, and the image's configuration says {described}", hint="build the image again")

    def _is_kept(self, entry: Entry) -> bool:
        return "release" in entry.name.rpartition("/")[2] and self._budget.keep(entry.size)

    def _named(self, error: ContentError, number: int) -> ContentError:
        """*error* with the layer in its message."""
        digest = str(self._image.layers[number].digest)
        if digest in error.message:
            return error
        where = f"layer {number + 1} of {len(self._image.layers)}, {digest}"
        return type(error)(f"{where}: {error.message}", hint=error.hint or "build and push the image again")
