"""Text from elsewhere, made safe to print."""

from __future__ import annotations

#: A registry's message is shown on one line of a terminal; more helps nobody.
MAX_SHOWN = 300


def printable(text: str, limit: int = MAX_SHOWN) -> str:
    """*text* on one line, without terminal escapes, bidirectional controls or what exceeds *limit*."""
    head = text[: limit * 4]
    # isprintable: no control, format or private-use character, no surrogate, no separator but the space.
    cleaned = " ".join("".join(c if c.isprintable() else " " for c in head).split())
    return cleaned if len(cleaned) <= limit and len(head) == len(text) else cleaned[: limit - 1] + "…"
