"""Text from elsewhere, made safe to print."""

from __future__ import annotations

import re

from registryauth._grammar import CONTROL

#: A registry's message is shown on one line of a terminal; more helps nobody.
MAX_SHOWN = 300


def printable(text: str, limit: int = MAX_SHOWN) -> str:
    """*text* on one line, without terminal escapes, bidirectional controls or what exceeds *limit*."""
    cleaned = re.sub(CONTROL, " ", text[: limit * 4])
    cleaned = " ".join(cleaned.split())
    # A lone surrogate cannot be encoded for output.
    cleaned = cleaned.encode("utf-8", "replace").decode("utf-8")
    return cleaned if len(cleaned) <= limit else cleaned[: limit - 1] + "…"
