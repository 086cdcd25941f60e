"""How a transfer goes, on stderr: a line that is rewritten, JSON lines, or nothing."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Annotated

import typer

from registryauth.cli import unless_gone
from registryauth.cli.console import Level, is_terminal, level
from registryauth.cli.groups import Group

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.transfer import Progress, Transferred

#: Seconds between two pictures of the same line.
_REDRAW = 0.1
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


class Style(StrEnum):
    """How to show progress."""

    BAR = "bar"
    JSON = "json"
    NONE = "none"


ProgressOption = Annotated[
    Style | None,
    typer.Option("--progress", help="How to show progress, on standard error: bar at a terminal, else none.", show_default=False),
]
JobsOption = Annotated[int, typer.Option("--jobs", metavar="N", min=1, max=64, help="Requests under way at once.")]


class Pace(Group):
    """How a transfer goes about it, and what it shows of that."""

    jobs: JobsOption = 4
    progress: ProgressOption = None


@contextmanager
def shown(style: Style | None) -> Iterator[Callable[[Progress], None] | None]:
    """What a transfer is to be given as its *progress*."""
    chosen = style or (Style.BAR if is_terminal(sys.stderr) and level() is not Level.QUIET else Style.NONE)
    if chosen is Style.NONE:
        yield None
    elif chosen is Style.JSON:
        yield lambda step: unless_gone(lambda: _say_json(step))
    else:
        line = _Line()
        try:
            yield lambda step: unless_gone(lambda: line.show(step))
        finally:
            unless_gone(line.end)


def _say_json(step: Progress) -> None:
    print(json.dumps({"what": step.what, "digest": str(step.digest), "done": step.done, "total": step.total}), file=sys.stderr)


class _Line:
    """One line of sums, rewritten in place."""

    def __init__(self) -> None:
        self._done: dict[str, tuple[int, int]] = {}
        # Blobs alone: manifests are not counted in the sum that the verb ends with, either.
        self._settled: Counter[str] = Counter()
        self._drawn = 0.0
        self._width = 0

    def show(self, step: Progress) -> None:
        """Take *step* in, and redraw if it is time."""
        if step.what in ("fetch", "send"):
            self._done[str(step.digest)] = step.done, step.total
        elif step.what in ("present", "mounted"):
            self._settled[step.what] += 1
        if time.monotonic() - self._drawn >= _REDRAW:
            self._draw()

    def end(self) -> None:
        """Leave the last picture standing."""
        if self._done or self._settled:
            self._draw()
            print(file=sys.stderr)

    def _draw(self) -> None:
        done, total = (sum(pair[at] for pair in self._done.values()) for at in (0, 1))
        ready = sum(1 for has, of in self._done.values() if has >= of)
        mounted = f", {self._settled['mounted']} mounted" if self._settled["mounted"] else ""
        text = f"{size(done)} of {size(total)}, {ready} of {_blobs(len(self._done))} moved{mounted}, {_there(self._settled['present'])}"
        print(f"\r{text.ljust(self._width)}", end="", file=sys.stderr, flush=True)
        self._width, self._drawn = len(text), time.monotonic()


def summary(done: Transferred, verb: str, *, mounts: bool = False) -> str:
    """What *done* amounted to, in a sentence: its blobs were *verb*, ``fetched`` or ``sent``."""
    mounted = f"{done.mounted} mounted, " if mounts else ""
    return f"{_blobs(done.moved)} ({size(done.size)}) {verb}, {mounted}{_there(done.present)}."


def _blobs(count: int) -> str:
    return f"{count} blob{'' if count == 1 else 's'}"


def _there(count: int) -> str:
    return f"{count} {'was' if count == 1 else 'were'} there"


def size(count: int) -> str:
    """*count* bytes as people read them."""
    amount, unit = float(count), 0
    while amount >= 1024 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1024, unit + 1
    return f"{amount:.1f} {_UNITS[unit]}" if unit else f"{count} B"
