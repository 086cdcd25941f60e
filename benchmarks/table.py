"""Results as Markdown."""

from __future__ import annotations

from collections.abc import Mapping

BARE = "python -c pass"


def processes(title: str, seconds: Mapping[str, float], peer: str = "") -> str:
    """Milliseconds, and how many times a bare interpreter and, if it was timed, *peer*."""
    peer = peer if peer in seconds else ""
    header = ["whole process", "ms", f"times `{BARE}`", *([f"times {peer}"] if peer else [])]
    rows = [
        [name, f"{taken * 1000:.0f}", f"{taken / seconds[BARE]:.1f}", *([f"{taken / seconds[peer]:.2f}"] if peer else [])]
        for name, taken in seconds.items()
    ]
    return rendered(title, header, rows)


def rendered(title: str, header: list[str], rows: list[list[str]]) -> str:
    """A heading and a table; every column but the first is of figures."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join([f"### {title}", "", *(f"| {' | '.join(line)} |" for line in lines), ""])
