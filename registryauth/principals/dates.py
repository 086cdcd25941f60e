"""Dates as people write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from registryauth.errors import ConfigurationError

_UNITS = {"h": 3600, "d": 86400, "w": 7 * 86400}


def parse_moment(text: str, now: float) -> int:
    """*text* in seconds since the epoch: ``2027-05-01`` (its first moment in UTC), RFC 3339, or ``90d``, ``12h``, ``2w`` from *now*.

    Empty text is 0, "not said". Raise `ConfigurationError` for anything else, and for a moment that is not after *now*.
    """
    if not text:
        return 0
    if span := re.fullmatch(r"([1-9][0-9]{0,4})([hdw])", text):
        return int(now) + int(span[1]) * _UNITS[span[2]]
    try:
        written = datetime.fromisoformat(text)
        moment = (written if written.tzinfo else written.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ConfigurationError(f"{text[:40]!a} is not a date", hint="write 2027-05-01, 2027-05-01T12:00:00Z or 90d") from None
    if moment.timestamp() <= now:
        raise ConfigurationError(f"{text[:40]} is over already", hint="a secret that is dead cannot be registered; is the year right?")
    return int(moment.timestamp())
