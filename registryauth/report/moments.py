"""Moments as the report writes them: RFC 3339 in UTC, null where nothing is said."""

from __future__ import annotations

from datetime import datetime

from registryauth.stores.expiry import moment


def stamp(seconds: float) -> str | None:
    """*seconds* since the epoch as `moment` writes them; None where that writes nothing."""
    return moment(seconds) or None


def read(text: str) -> datetime:
    """The moment that `stamp` wrote."""
    return datetime.fromisoformat(text)
