"""The verbs, with what they take, out of ``verbs.json``: quicker to read than the verbs themselves are to import.

``verbs.json`` is written by `generate`; a test compares the two.
"""

from __future__ import annotations

import json
import os

from registryauth._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

FILE = os.path.join(os.path.dirname(__file__), "verbs.json")


class Option(Value):
    """An option by its *names*; *takes* says what its value is (see `values.of`), empty for a switch. *many* may be repeated."""

    names: Sequence[str]
    text: str
    takes: str = ""
    many: bool = False


class Verb:
    """A verb, or a group of them, as ``verbs.json`` has *said*; only what is asked for is taken out of that."""

    def __init__(self, said: Mapping[str, Any]) -> None:
        self._said = said

    @property
    def options(self) -> list[Option]:
        """What it takes with hyphens."""
        return [Option(*option) for option in self._said.get("options", ())]

    @property
    def verbs(self) -> dict[str, str]:
        """The verbs in this group, each with what it does."""
        return {name: verb["text"] for name, verb in self._said.get("verbs", {}).items()}

    def verb(self, name: str) -> Verb:
        """The verb *name* of this group; one that takes nothing if there is none."""
        return Verb(self._said.get("verbs", {}).get(name, {}))

    def option(self, name: str) -> Option | None:
        """The option *name*, with its hyphens."""
        return next((option for option in self.options if name in option.names), None)

    def argument(self, number: int) -> str:
        """What argument *number*, from 0, is; empty where none is expected."""
        arguments = self._said.get("arguments", ())
        if number < len(arguments):
            return str(arguments[number])
        return str(arguments[-1]) if self._said.get("open") else ""


def root() -> Verb:
    """The program itself."""
    with open(FILE, encoding="utf-8") as file:
        return Verb(json.load(file))
