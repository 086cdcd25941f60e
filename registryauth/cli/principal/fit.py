"""Tables that fit a terminal: what is long loses its middle, and what nobody said loses its column."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence

from registryauth._redact import printable

#: Columns of a terminal that nobody told us about; what a pipe gets, too, so that both read the same.
USUAL = 80
#: No cell is cut to less than this.
_LEAST = 8
_GAP = 2

Rows = list[tuple[str, ...]]


def fit(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, floors: Mapping[int, int], optional: Sequence[int] = (), width: int = 0
) -> tuple[tuple[str, ...], Rows]:
    """*columns* and *rows* cut to *width* characters, by default the terminal's, at least 80.

    *floors* are the columns that may be cut, in the order in which they are, each first to so many characters, and only then,
    the widest of them first, to less. Columns in *optional* go where all their cells are empty.
    """
    width = width or max(USUAL, shutil.get_terminal_size((USUAL, 24)).columns)
    stays = [at for at in range(len(columns)) if at not in optional or any(row[at] for row in rows)]
    cells = [[printable(row[at]) for at in stays] for row in rows]
    heads = [columns[at] for at in stays]
    widths = [max(len(line[at]) for line in (heads, *cells)) for at in range(len(stays))]
    cut = [stays.index(column) for column in floors if column in stays]
    over = sum(widths) + _GAP * (len(widths) - 1) - width
    for at in cut:
        less = max(0, min(over, widths[at] - floors[stays[at]]))
        widths[at], over = widths[at] - less, over - less
    while over > 0 and cut and widths[widest := max(cut, key=widths.__getitem__)] > _LEAST:
        widths[widest], over = widths[widest] - 1, over - 1
    return tuple(heads), [tuple(_cut(cell, size) for cell, size in zip(line, widths, strict=True)) for line in cells]


def _cut(text: str, size: int) -> str:
    """*text* in *size* characters: its beginning and its end, which tell two of a kind apart."""
    if len(text) <= size:
        return text
    tail = (size - 1) // 2
    return f"{text[: size - 1 - tail]}…{text[len(text) - tail :]}"
