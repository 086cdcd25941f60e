"""Whether a log is still as it was written: every line under its key, every line after the one before it."""

from __future__ import annotations

import os
import re

from registryauth._value import Value
from registryauth.audit import chain
from registryauth.audit.log import MAX_LINE, fields_of, open_to_read, sequence_of, settled_size
from registryauth.errors import StoreUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

#: Lines of a kind that are named one by one; a log that somebody sorted has as many faults as lines.
MAX_NAMED = 100
#: Other keys that are told apart; `rekey` makes one, and who makes one up is not to fill our memory.
_MAX_KEYS = 1000


class Place(Value):
    """A *line*, counted from 1, of *file*, and *what* is wrong there, if anything is."""

    file: str
    line: int
    what: str = ""


class Places:
    """How many lines are of a kind (*count*), and the first `MAX_NAMED` of them."""

    def __init__(self) -> None:
        self.count = 0
        self.named: list[Place] = []

    def add(self, place: Place) -> None:
        """One more."""
        self.count += 1
        if len(self.named) < MAX_NAMED:
            self.named.append(place)

    def __bool__(self) -> bool:
        return self.count > 0


class Verdict(Value):
    """What was found in a log of *lines* lines.

    *authentic* are under the key, *carried* under an earlier key, and were checked when the key was changed. *open* are those
    that nothing vouches for (written while the store was locked, or under a key that is not at hand), *torn* those that a
    killed process left unfinished, or that are none of ours: that they stood there when the next authentic line was written
    is sure, who wrote them is not. *faults* are lines that were changed, moved, inserted or are missing. *begun* says that the
    log begins with its first line; otherwise it goes on from an earlier file.
    """

    lines: int
    authentic: int
    carried: int
    open: Places
    torn: Places
    faults: Places
    begun: bool
    last_sequence: int
    last_time: str
    last_mac: str


def verify(files: Iterable[str], key: bytes) -> Verdict:
    """Check the log in *files*, the oldest first, under *key*. Raise `StoreUnavailable` for a file that is not there or not ours alone."""
    check = _Check(key)
    for file in files:
        for number, line in _lines(file):
            check.take(Place(file, number), line)
    return check.verdict()


def _lines(file: str) -> Iterator[tuple[int, bytes]]:
    """Each line with its number, up to where the file ends now; of one too long to be ours only the beginning."""
    handle = open_to_read(file)
    if handle is None:
        raise StoreUnavailable(f"there is no audit log {file}", hint="'registryauth config show' says where it is, and whether it is kept")
    with os.fdopen(handle, "rb") as stream:
        left, number = settled_size(handle), 0
        while left > 0 and (line := stream.readline(min(left, MAX_LINE + 1))):
            left -= len(line)
            number += 1
            yield number, line.removesuffix(b"\n")
            while not line.endswith(b"\n") and left > 0 and (line := stream.readline(min(left, MAX_LINE))):
                left -= len(line)


class _Check:
    """What is known after the lines so far."""

    def __init__(self, key: bytes) -> None:
        self._key, self._key_id = key, chain.key_id(key)
        self._previous, self._sequence, self._suspect = chain.NO_LINE, 0, False
        self._at: Place | None = None
        self._lines = self._authentic = self._carried = 0
        self._begun = True
        self._last: dict[str, Any] = {}
        self._open, self._torn, self._faults = Places(), Places(), Places()
        # Lines under other keys, and for which further keys those vouch.
        self._foreign: dict[str, Places] = {}
        self._vouched: dict[str, set[str]] = {}

    def take(self, place: Place, line: bytes) -> None:
        """The next line, whatever it is."""
        self._lines += 1
        said = fields_of(line)
        if sequence := sequence_of(line):
            self._place(place, sequence, said)
            self._suspect = not self._is_right(place, line, said)
            self._sequence, self._last = sequence, said
        else:
            self._torn.add(place)
        self._previous, self._at = chain.hash_of(line), place

    def _place(self, place: Place, sequence: int, said: dict[str, Any]) -> None:
        """Whether the line follows the one before it."""
        if said.get("previous") == self._previous and sequence == self._sequence + 1:
            return
        if self._lines == 1 and said.get("event") == "begun":
            self._begun = False
        elif self._lines == 1:
            self._fault(place, "what was before it is missing")
        elif said.get("previous") == chain.NO_LINE:
            self._fault(place, "the log was begun anew here; what was between is not known")
        elif sequence > self._sequence + 1:
            missing = sequence - self._sequence - 1
            self._fault(place, f"{missing} {'lines are' if missing > 1 else 'line is'} missing before it (number {sequence})")
        elif sequence <= self._sequence:
            self._fault(place, f"it, or one before it, was inserted or moved (number {sequence} after {self._sequence})")
        elif not self._suspect and self._at:
            # Else that line gave itself away already.
            self._fault(self._at, "it was changed: the line after it knows it otherwise")

    def _is_right(self, place: Place, line: bytes, said: dict[str, Any]) -> bool:
        """Whether the line is what its writer wrote, as far as the key can tell."""
        key, carries = said.get("key"), said.get("carries") if said.get("event") == "rekeyed" else None
        if said.get("mac") is None or not isinstance(key, str):
            self._open.add(place)
        elif key != self._key_id:
            self._add_foreign(key, place, carries)
        elif not chain.is_authentic(line, self._key):
            self._fault(place, "it was changed, or written by somebody without the key")
            return False
        else:
            self._authentic += 1
            if isinstance(carries, str):
                self._carry(carries)
        return True

    def _add_foreign(self, key: str, place: Place, carries: object) -> None:
        if key not in self._foreign and len(self._foreign) >= _MAX_KEYS:
            key = ""
        self._foreign.setdefault(key, Places()).add(place)
        if isinstance(carries, str) and len(self._vouched) < _MAX_KEYS:
            self._vouched.setdefault(key, set()).add(carries)

    def _carry(self, key: str) -> None:
        """Count the lines so far under *key* as checked, and those under the keys that they vouch for."""
        waiting, seen = [key], {""}
        while waiting:
            if (found := waiting.pop()) not in seen:
                seen.add(found)
                self._carried += self._foreign.pop(found, Places()).count
                waiting += self._vouched.get(found, ())

    def _fault(self, place: Place, what: str) -> None:
        self._faults.add(place.replace(what=what))

    def verdict(self) -> Verdict:
        """What all lines together say."""
        for places in self._foreign.values():
            for place in places.named:
                self._open.add(place.replace(what="under a key that is not at hand"))
            self._open.count += places.count - len(places.named)
        self._open.named.sort(key=lambda place: place.line)
        return Verdict(
            self._lines,
            self._authentic,
            self._carried,
            self._open,
            self._torn,
            self._faults,
            self._begun,
            self._sequence,
            _only(r"[0-9T:.Z-]{1,40}", self._last.get("time")),
            _only(r"[0-9a-f]{64}", self._last.get("mac")),
        )


def _only(pattern: str, value: object) -> str:
    """*value* if it is such a text: a log that somebody wrote into is not to write on our terminal."""
    return value if isinstance(value, str) and re.fullmatch(pattern, value) else ""
