"""What reaches the terminal: data on stdout, talk on stderr."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from itertools import zip_longest
from typing import Any

from registryauth._redact import printable
from registryauth.cli.options import Output
from registryauth.stores import expiry

#: Between two columns.
_GAP = "  "
#: A column narrower than this is no easier to read than a long line.
_NARROWEST = 8
#: Columns of a terminal that does not say how many it has.
_USUAL_WIDTH = 80
#: What is one word, whatever stands in it.
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


class Level(IntEnum):
    """How much is said on standard error."""

    QUIET = -1
    USUAL = 0
    VERBOSE = 1


#: What holds for this command, and what was told in it already.
_level = Level.USUAL
_told: set[str] = set()

#: What `say` is told that no --quiet keeps back.
_NEVER_DROPPED = ("warning:", "error:", "notice:")


def level() -> Level:
    """How much this command says."""
    return _level


def set_level(wanted: Level) -> None:
    """From now on, say so much."""
    global _level  # noqa: PLW0603 - one terminal, one level
    _level = wanted
    _told.clear()


def say(text: str) -> None:
    """Tell the person something; not part of the result. With --quiet, only warnings."""
    if _level is not Level.QUIET or text.startswith(_NEVER_DROPPED):
        print(text, file=sys.stderr)


def insist(text: str) -> None:
    """Tell the person what the command cannot go on without, such as a code to type in."""
    print(text, file=sys.stderr)


def tell(text: str) -> None:
    """What --verbose adds."""
    if _level is Level.VERBOSE:
        # One call, so that lines of several threads stay whole.
        sys.stderr.write(f"{text}\n")


def tell_once(text: str) -> None:
    """The same, unless it was told before."""
    if text and text not in _told:
        _told.add(text)
        tell(text)


def show(output: Output, data: Mapping[str, Any], columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print *data* as JSON or YAML, or *rows* under *columns* as a table."""
    if output is Output.JSON:
        # In ASCII, where a tag or an owner's name could move the cursor or turn the text around.
        print(json.dumps(data, indent=2, ensure_ascii=not _harmless(data)))
    elif output is Output.YAML:
        from registryauth.exports.yaml_text import yaml_text

        print(yaml_text(data, ascii_only=not _harmless(data)), end="")
    else:
        print(table(columns, rows, _width()))


def said(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, optional: Sequence[str]
) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
    """*columns* and *rows* without those of the *optional* columns of which every cell is empty."""
    stays = [at for at, name in enumerate(columns) if name not in optional or any(row[at] for row in rows)]
    return [columns[at] for at in stays], [[row[at] for at in stays] for row in rows]


def _harmless(data: object) -> bool:
    """Whether every text in *data* can be printed as it is."""
    if isinstance(data, Mapping):
        return all(map(_harmless, (*data, *data.values())))
    if isinstance(data, Sequence) and not isinstance(data, str):
        return all(map(_harmless, data))
    return not isinstance(data, str) or data.isprintable()


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int = 0) -> str:
    """*rows* under *columns*, aligned; what stands in a cell cannot move the cursor.

    Where *width* is given and a line would be longer, the widest cells go on below themselves. Nothing is left out.
    """
    cells = [list(columns), *([printable(cell) or "-" for cell in row] for row in rows)]
    widths = [max(len(line[at]) for line in cells) for at in range(len(columns))]
    if width:
        widths = _fitting(widths, list(map(_least, zip(*cells, strict=True))), width)
    return "\n".join(shown for line in cells for shown in _lines(line, widths))


def _least(column: Sequence[str]) -> int:
    """How narrow a column with this heading and these cells may become: a heading and a moment are not parted."""
    heading, *cells = column
    return max(len(heading), *(len(cell) for cell in cells if _MOMENT.fullmatch(cell)), 0)


def _fitting(widths: Sequence[int], least: Sequence[int], width: int) -> list[int]:
    """*widths* made less, the greatest first, until they fit into *width*, or as they are where none could be read any more."""
    found = list(widths)
    while sum(found) + len(_GAP) * (len(found) - 1) > width:
        able = [at for at, one in enumerate(found) if one > max(least[at], _NARROWEST)]
        if not able:
            return list(widths)
        found[max(able, key=lambda at: found[at])] -= 1
    return found


def _lines(cells: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    """One row of a table, in as many lines as its longest cell needs."""
    folded = [_folded(cell, width) for cell, width in zip(cells, widths, strict=True)]
    for parts in zip_longest(*folded, fillvalue=""):
        yield _GAP.join(part.ljust(width) for part, width in zip(parts, widths, strict=True)).rstrip()


def _folded(text: str, width: int) -> list[str]:
    """*text* in parts of at most *width*, parted where a name is parted rather than in the middle of a word."""
    parts = []
    while len(text) > width:
        head = text[: width + 1]
        # A blank may be left out; any other mark stays at the end of its part.
        ends = [at for at in range(width // 2, width + 1) if head[at] == " " or head[at - 1] in "/-.,:@_"]
        cut = ends[-1] if ends else width
        parts.append(text[:cut].rstrip())
        text = text[cut:].lstrip()
    return [*parts, text]


def _width() -> int:
    """Columns of the terminal at standard output; 0 where there is none, and what is printed is for a program or a file."""
    if not is_terminal(sys.stdout):
        return 0
    said = os.environ.get("COLUMNS", "")[:6]
    if said.isdecimal() and int(said):
        return int(said)
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or _USUAL_WIDTH
    except (OSError, ValueError):
        return _USUAL_WIDTH


#: How every verb writes a date.
moment = expiry.moment


def is_terminal(stream: Any) -> bool:  # noqa: ANN401 - stdin or stdout, whichever stands there
    """Whether a person sits at the other end."""
    return bool(stream is not None and stream.isatty())
