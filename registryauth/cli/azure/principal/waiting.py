"""What is waited for, shown on standard error."""

from __future__ import annotations

import sys
from shutil import get_terminal_size

from registryauth._redact import printable
from registryauth.cli.console import Level, is_terminal, level, say


class Waiting:
    """Progress: one line that is rewritten at a terminal, elsewhere one for each thing that is waited for.

    A context manager around what waits: whatever is said after it begins on a line of its own.
    """

    def __init__(self) -> None:
        self._rewrites = is_terminal(sys.stderr) and level() is not Level.QUIET
        self._last, self._width = "", 0

    def show(self, what: str, seconds: float) -> None:
        """Say *what* is waited for, and since when."""
        if self._rewrites:
            # What is longer than a line could not be rewritten.
            text = printable(f"waiting: {what} ({seconds:.0f} s)", get_terminal_size().columns - 1)
            print(f"\r{text.ljust(self._width)}", end="", file=sys.stderr, flush=True)
            self._width = len(text)
        elif what != self._last:
            say(f"Waiting: {what}.")
        self._last = what

    def __enter__(self) -> Waiting:
        return self

    def __exit__(self, *_: object) -> None:
        if self._width:
            print(file=sys.stderr)
        self._width = 0
