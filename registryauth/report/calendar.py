"""How many secrets die in which month. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from registryauth.report.moments import stamp

#: Months that are counted one by one, the present one among them.
MONTHS = 12


def calendar(ends: Iterable[int], now: float) -> dict[str, Any]:
    """Counts of *ends*, in seconds since the epoch: ``expired``, each of the next `MONTHS` months, ``later``, and ``not_said`` for 0."""
    first = datetime.fromtimestamp(now, UTC)
    names = [month_name(first.year, first.month - 1 + ahead) for ahead in range(MONTHS)]
    counts = Counter(_bucket(end, now, names) for end in ends)
    return {
        "expired": counts["expired"],
        "months": [{"month": name, "count": counts[name]} for name in names],
        "later": counts["later"],
        "not_said": counts["not_said"],
    }


def month_name(year: int, month: int) -> str:
    """``2027-05`` for the month that is *month* months after the January of *year*."""
    return f"{year + month // 12:04d}-{month % 12 + 1:02d}"


def _bucket(end: int, now: float, names: list[str]) -> str:
    if not end:
        return "not_said"
    if end <= now:
        return "expired"
    month = (stamp(end) or "")[:7]
    return month if month in names else "later"
