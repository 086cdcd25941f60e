"""Dates as people write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from registryauth.config.values import span
from registryauth.errors import ConfigurationError


def parse_moment(text: str, now: float, *, past: bool = False) -> int:
    """*text* in seconds since the epoch: ``2027-05-01`` (its first moment in UTC), RFC 3339, or ``90d``, ``12h``, ``2w`` from *now*.

    Empty text is 0, "not said". Raise `ConfigurationError` for anything else, and for a moment that is not after *now* unless it may be
    *past*.
    """
    if not text:
        return 0
    # Not every span: who writes 1m here means a month, and no secret lives for a minute.
    if re.fullmatch(r"[1-9][0-9]{0,4}[hdw]", text):
        return int(now) + span(text)
    try:
        written = datetime.fromisoformat(text)
        moment = (written if written.tzinfo else written.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ConfigurationError(f"{text[:40]!a} is not a date", hint="write 2027-05-01, 2027-05-01T12:00:00Z or 90d") from None
    if moment.timestamp() <= (0 if past else now):
        raise ConfigurationError(f"{text[:40]} is over already", hint="a secret that is dead cannot be registered; is the year right?")
    return int(moment.timestamp())
