"""Moments as the report writes them: RFC 3339 in UTC."""

from __future__ import annotations

from datetime import UTC, datetime


def stamp(seconds: float) -> str | None:
    """*seconds* since the epoch as RFC 3339; None for 0, "not said", and for what lies beyond the year 9999, where calendars end."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if seconds else None
    except (ValueError, OverflowError, OSError):
        return None


def read(text: str) -> datetime:
    """The moment that `stamp` wrote."""
    return datetime.fromisoformat(text)
