"""One requirement on one fact, and whether what was found meets it. Pure.

- ``os``: ``system *( SP "or" SP system )``, where ``system = name [ SP version ]``
- ``conda``, ``python``, ``pythons``: ``versions``, see `inspection.versions`
- ``shell``: an absolute path
- ``architecture``, ``image_type``: ``word *( SP "or" SP word )``
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from registryauth._value import Value
from registryauth.inspection.fact import Fact, Sighting
from registryauth.inspection.versions import Version, Versions, alternatives, any_of, numbers_of

PASS, FAIL, UNCONFIRMED = "pass", "fail", "unconfirmed"


class System(Value):
    """One distribution by its ``ID``, in a version that *version* admits."""

    name: str
    version: Version

    @classmethod
    def parse(cls, text: str) -> System:
        """Read ``Ubuntu 16.04+`` or ``alpine``; raise `ValueError` with the complaint."""
        found = re.fullmatch(r"([A-Za-z][A-Za-z0-9._-]{0,63})(?: +(\S+))?", text)
        if not found:
            raise ValueError("must be a distribution and a version, such as Ubuntu 16.04+, or several joined by ' or '")
        # os-release(5): an ID is lower case.
        return cls(found[1].lower(), Version.parse(found[2] or "#"))

    def admits(self, seen: Sighting) -> bool | None:
        """Whether *seen* is this distribution in such a version."""
        if seen.name != self.name:
            return False
        numbers = numbers_of(seen.version)
        # A distribution that gives no version has none, as Debian's testing and Arch have.
        return self.version.admits(numbers) if numbers else not self.version.numbers


class Rule(Value):
    """That *fact* must be as *text* says. *wanted* is what was read from it."""

    fact: str
    text: str
    wanted: Any

    @classmethod
    def parse(cls, fact: str, text: str) -> Rule:
        """Read *text* by the grammar of *fact*'s rules; raise `ValueError` with the complaint."""
        return cls(fact, text, _GRAMMARS[fact](text))

    def verdict(self, found: Fact) -> str:
        """`PASS`, `FAIL` or `UNCONFIRMED`: what *found* was may still change, or says too little."""
        if not found.final:
            return UNCONFIRMED
        said = [self._admits(seen) for seen in found.seen]
        if not said or False in said:
            return FAIL
        return UNCONFIRMED if None in said else PASS

    def _admits(self, seen: Sighting) -> bool | None:
        if self.fact == "os":
            return any_of(system.admits(seen) for system in self.wanted)
        if isinstance(self.wanted, Versions):
            return self.wanted.admits(numbers_of(seen.version))
        return seen.name in self.wanted


def _systems(text: str) -> tuple[System, ...]:
    return tuple(map(System.parse, alternatives(text)))


def _path(text: str) -> tuple[str, ...]:
    if not re.fullmatch(r"(?:/[A-Za-z0-9_+-][A-Za-z0-9._+-]*)+", text) or len(text) > 200:
        raise ValueError("must be an absolute path, such as /bin/sh")
    return (text,)


def _words(*known: str) -> Callable[[str], tuple[str, ...]]:
    def parse(text: str) -> tuple[str, ...]:
        words = tuple(alternatives(text))
        for word in words:
            if known and word not in known:
                raise ValueError(f"must be {' or '.join(known)}, or both joined by ' or '")
            if not re.fullmatch(r"[a-z0-9_]{1,40}(?:/[a-z0-9_]{1,40})?", word):
                raise ValueError("must be an architecture such as amd64, or several joined by ' or '")
        return words

    return parse


_GRAMMARS: Mapping[str, Callable[[str], Any]] = {
    "image_type": _words("docker", "oci"),
    "architecture": _words(),
    "os": _systems,
    "conda": Versions.parse,
    "python": Versions.parse,
    "pythons": Versions.parse,
    "shell": _path,
}
#: What a rule can be about, in the order in which it is reported.
FACTS = tuple(_GRAMMARS)
