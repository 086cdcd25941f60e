"""The grammar of version rules, as requirement lists are written: ``16.04+``, ``4.5.#+``, ``3.5.# or 3.6.#``.

- ``versions = version *( SP "or" SP version )``
- ``version = "#" / ( number *( "." number ) [ ".#" ] [ "+" ] )``
- ``number = 1*9DIGIT``

A version admits every one that begins with its numbers: ``3.6``, like ``3.6.#``, admits 3.6 and 3.6.8, not 3.61. With ``+`` it
admits all later ones, too, number by number: ``3.6+`` admits 3.10 and 4.0. ``#`` admits any.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from registryauth._value import Value

_NUMBERS = r"[0-9]{1,9}(?:\.[0-9]{1,9})*"
#: Bytes of a rule; those of requirement lists have twenty.
MAX_RULE = 200


class Version(Value):
    """One alternative: the *numbers* that a version must begin with, or follow, if *above*."""

    numbers: tuple[int, ...]
    above: bool = False
    text: str = ""

    @classmethod
    def parse(cls, text: str) -> Version:
        """Read ``4.5.#+``; raise `ValueError` with the complaint."""
        if text == "#":
            return cls((), False, text)
        found = re.fullmatch(rf"({_NUMBERS})(?:\.#)?(\+)?", text)
        if not found:
            raise ValueError("must be a version such as 3.6, 3.6.#, 3.6+ or #, or several joined by ' or '")
        return cls(numbers_of(found[1]), bool(found[2]), text)

    def admits(self, found: tuple[int, ...]) -> bool | None:
        """Whether the version of numbers *found* is one of these; None where *found* says too little to tell."""
        for wanted, there in zip(self.numbers, found, strict=False):
            if there != wanted:
                return self.above and there > wanted
        rest = self.numbers[len(found) :]
        # 3.6 may be any 3.6: all of them are 3.6.0 or later, not all are 3.6.5.
        return True if not rest or (self.above and found and not any(rest)) else None


class Versions(Value):
    """Alternatives, any of which will do."""

    alternatives: tuple[Version, ...]

    @classmethod
    def parse(cls, text: str) -> Versions:
        """Read ``3.5.# or 3.6.#``; raise `ValueError` with the complaint."""
        return cls(tuple(map(Version.parse, alternatives(text))))

    def admits(self, found: tuple[int, ...]) -> bool | None:
        """Whether one of them admits *found*; None where *found* says too little to tell."""
        return any_of(version.admits(found) for version in self.alternatives)

    def __str__(self) -> str:
        return " or ".join(version.text for version in self.alternatives)


def any_of(verdicts: Iterable[bool | None]) -> bool | None:
    """True if one verdict is, else None if one is, else False."""
    said = list(verdicts)
    return True if True in said else None if None in said else False


def alternatives(text: str) -> list[str]:
    """The parts of *text* between " or "; raise `ValueError` where it is longer than `MAX_RULE`."""
    if len(text) > MAX_RULE:
        raise ValueError(f"must have at most {MAX_RULE} characters")
    return re.split(" +or +", text)


def numbers_of(version: str) -> tuple[int, ...]:
    """The numbers that *version* begins with, at most eight: ``4.5.12`` and ``4.5.12rc1`` give ``(4, 5, 12)``."""
    found = re.match(_NUMBERS, version)
    return tuple(map(int, found[0].split(".")[:8])) if found else ()
