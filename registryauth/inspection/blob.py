"""A layer on its way from the registry: every byte counted and hashed, taken up again where a connection broke."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator

from registryauth._http import Response
from registryauth.client import RepositoryClient
from registryauth.client.mirrors import blame
from registryauth.content.descriptor import Descriptor
from registryauth.digest import Digest
from registryauth.errors import DigestMismatch, RegistryError, SizeMismatch, TransportError
from registryauth.reference import Repository

VERIFIED, IN_PART, UNREAD = "verified", "read in part: not verified", "not read"

#: Broken connections in a row that brought nothing, and in all, before a layer is given up.
_MAX_STUCK, _MAX_CUTS = 3, 20
#: Seconds before a broken connection is tried again, each time twice as long.
_FIRST_WAIT = 0.1
_PIECE = 256 * 1024


class Enough(Exception):
    """As many bytes were read as the caller allows; raised through whatever unpacks them."""


class Allowance:
    """Bytes that may still be read; None if that is not limited."""

    def __init__(self, left: int | None) -> None:
        self.left = left

    def take(self, wanted: int) -> int:
        """How many of *wanted* bytes may be read now; raise `Enough` where it is none."""
        if self.left is None:
            return wanted
        if self.left <= 0:
            raise Enough
        return min(wanted, self.left)

    def spend(self, count: int) -> None:
        """Note that *count* bytes were read."""
        if self.left is not None:
            self.left -= count


class Reading:
    """The layer *blob* of *repository*, read at most once from its start to its end.

    *came* counts the bytes that came, a broken connection's included. *state* is `VERIFIED` only after size and digest were right.
    """

    def __init__(
        self, repository: RepositoryClient, blob: Descriptor, allowance: Allowance, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self.blob = blob
        self.came = 0
        self._verified = False
        self._repository = repository
        self._allowance = allowance
        self._pause = pause
        self._hasher = blob.digest.hasher()
        self._at = 0
        self._places: list[Repository] = []

    @property
    def state(self) -> str:
        """`UNREAD`, `IN_PART` or `VERIFIED`."""
        return VERIFIED if self._verified else IN_PART if self.came else UNREAD

    def pieces(self) -> Generator[memoryview]:
        """The content in pieces, each valid until the next is asked for. What has come is believed only when the last was taken:
        then it is verified, or `SizeMismatch` or `DigestMismatch` is raised. Raise `Enough` where no more may be read.
        """
        stuck = 0
        for cut in range(_MAX_CUTS):
            before = self._at
            try:
                yield from self._rest()
                break
            except TransportError:
                stuck = 0 if self._at > before else stuck + 1
                if stuck == _MAX_STUCK or cut == _MAX_CUTS - 1:
                    raise
                self._pause(_FIRST_WAIT * 2**stuck)
        self._verify()
        self._verified = True

    def _rest(self) -> Iterator[memoryview]:
        if self._at == self.blob.size and self._at:
            return
        # Before the request: nothing is asked for that may not be read.
        step = self._allowance.take(_PIECE)
        with self._answer() as answer:
            # A registry that knows no ranges sends from the start.
            known = self._at if answer.status == 200 else 0
            for piece in answer.chunks(step):
                self.came += len(piece)
                self._allowance.spend(len(piece))
                fresh = piece[known:]
                known = max(0, known - len(piece))
                if fresh:
                    self._at += len(fresh)
                    self._expect_no_more()
                    self._hasher.update(fresh)
                    yield fresh
                if self._at < self.blob.size:
                    self._allowance.take(1)

    def _answer(self) -> Response:
        try:
            return self._repository.open(self.blob, self._at, answered=self._places.append)
        except RegistryError as error:
            if not self._at or error.status not in (206, 416):
                raise
            return self._repository.open(self.blob, answered=self._places.append)

    def _expect_no_more(self) -> None:
        if self._at > self.blob.size:
            self._refuse(SizeMismatch(f"the layer {self.blob.digest} is larger than the {self.blob.size} bytes described"))

    def _verify(self) -> None:
        if self._at != self.blob.size:
            self._refuse(SizeMismatch(f"the layer {self.blob.digest} has {self.blob.size} bytes by its description, {self._at} came"))
        came = Digest(self.blob.digest.algorithm, self._hasher.hexdigest())
        if came != self.blob.digest:
            self._refuse(DigestMismatch(f"what came is not the layer {self.blob.digest}, but {came}"))

    def _refuse(self, error: SizeMismatch | DigestMismatch) -> None:
        error.hint = "the registry or a proxy before it is damaged or lies"
        blame(error, self._places, self._repository.repository)
        raise error
