"""Where else the content of a registry may be read: mirrors, asked in order before the registry itself.

What is asked for by digest proves itself, so any mirror may give it; which digest a tag stands for is the registry's
to say, unless its mirrors are trusted with that. A mirror is a registry of its own: what is sent to it is what was
registered for its own host, never what was for the registry that it mirrors.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TypeVar

from registryauth._redact import printable
from registryauth.errors import AuthError, ContentError, Error, RegistryError, TransportError
from registryauth.reference import Address, Registry, Repository

T = TypeVar("T")

#: Seconds for which a mirror that could not be reached, failed or let nobody in is passed over.
REST = 60.0


class Mirrors:
    """The mirrors of each registry, and which of them are not worth asking at the moment; safe to share between threads.

    *addresses* maps a registry's ``host[:port]`` to its mirrors' ``host[:port][/prefix]``; those of the registries *for_tags* may
    be asked for tags, too. *clock* gives seconds. Raise `InvalidReference` for what is no address.
    """

    def __init__(
        self,
        addresses: Mapping[str, Sequence[str]] | None = None,
        for_tags: Collection[str] = (),
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._addresses = {_registry(host): tuple(map(_address, mirrors)) for host, mirrors in (addresses or {}).items()}
        self._for_tags = frozenset(map(_registry, for_tags))
        self._clock = clock
        self._resting: dict[Repository, float] = {}

    def of(self, repository: Repository, *, by_digest: bool) -> tuple[Repository, ...]:
        """Where to look for *repository*'s content, or for a tag of it, before the registry itself is asked."""
        if not by_digest and repository.registry not in self._for_tags:
            return ()
        return tuple(mirrored(repository, address) for address in self._addresses.get(repository.registry, ()))

    def read(self, repository: Repository, ask: Callable[[Repository], T], *, by_digest: bool) -> T:
        """What *ask* gives at the first mirror that answers, or at *repository* itself.

        A mirror that has it not, fails, lets us not in or is not there is passed over; one that sends the wrong content is not.
        The hint of an error says which mirrors were asked, and what came of it.
        """
        told: list[str] = []
        for place in self.of(repository, by_digest=by_digest):
            if self._clock() < self._resting.get(place, 0.0):
                told.append(f"{place}: not asked again so soon after it failed")
                continue
            try:
                return ask(place)
            except (AuthError, RegistryError, TransportError) as error:
                self.failed(place, error)
                told.append(f"{place}: {printable(error.message)}")
            except ContentError as error:
                blame(error, (place,), repository)
                raise
        try:
            return ask(repository)
        except Error as error:
            if told:
                _explain(error, "mirrors asked before:", told)
            raise

    def failed(self, place: Repository, error: Error) -> None:
        """Leave the mirror *place* alone for `REST` seconds if *error* says more about it than that it lacks something."""
        lasting = error.status in (401, 403, 429) or error.status >= 500 if isinstance(error, RegistryError) else True
        if lasting:
            self._resting[place] = self._clock() + REST


def mirrored(repository: Repository, mirror: Address) -> Repository:
    """Where *mirror* keeps what *repository* has: under the same path, after its prefix."""
    return Repository(mirror.registry, f"{mirror.path}/{repository.path}" if mirror.path else repository.path)


def blame(error: Error, places: Iterable[Repository], repository: Repository) -> None:
    """Have the hint of *error*, which is about wrong content, name those of *places* that it came from and that are mirrors."""
    if mirrors := [str(place) for place in dict.fromkeys(places) if place != repository]:
        _explain(error, "that came from a mirror:", mirrors)


def _explain(error: Error, title: str, lines: Sequence[str]) -> None:
    error.hint = "\n".join((error.hint, title, *(f"  {line}" for line in lines))).strip()


def _registry(text: str) -> Registry:
    # Named by the user in so many words, so it may look mistyped.
    return Registry.parse(text, known=(text, text.partition(":")[0].lower()))


def _address(text: str) -> Address:
    host = text.partition("/")[0]
    return Address.parse(text, known=(host, host.partition(":")[0].lower()))
