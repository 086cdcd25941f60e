"""What reaches the terminal: data on stdout, talk on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from registryauth._redact import printable
from registryauth.cli.options import Output


def say(text: str) -> None:
    """Tell the person something; not part of the result."""
    print(text, file=sys.stderr)


def show(output: Output, data: Mapping[str, Any], columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print *data* as JSON or YAML, or *rows* under *columns* as a table."""
    if output is Output.JSON:
        # In ASCII, where a tag or an owner's name could move the cursor or turn the text around.
        print(json.dumps(data, indent=2, ensure_ascii=not _harmless(data)))
    elif output is Output.YAML:
        import yaml

        print(yaml.safe_dump(data, sort_keys=False, allow_unicode=_harmless(data)), end="")
    else:
        print(table(columns, rows))


def _harmless(data: object) -> bool:
    """Whether every text in *data* can be printed as it is."""
    if isinstance(data, Mapping):
        return all(map(_harmless, (*data, *data.values())))
    if isinstance(data, Sequence) and not isinstance(data, str):
        return all(map(_harmless, data))
    return not isinstance(data, str) or data.isprintable()


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """*rows* under *columns*, aligned; what stands in a cell cannot move the cursor."""
    cells = [list(columns), *([printable(cell) or "-" for cell in row] for row in rows)]
    widths = [max(len(line[at]) for line in cells) for at in range(len(columns))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells)


def moment(seconds: int) -> str:
    """RFC 3339 in UTC; empty for 0, which means "not said"."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if seconds else ""


def is_terminal(stream: Any) -> bool:  # noqa: ANN401 - stdin or stdout, whichever stands there
    """Whether a person sits at the other end."""
    return bool(stream is not None and stream.isatty())
