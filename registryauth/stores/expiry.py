"""When a secret dies, and what to say about it in time. Pure: dates in, words out."""

from __future__ import annotations

from registryauth.config.values import span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    from registryauth.config import Config
    from registryauth.stores.principal import Slot

    #: What the dates of a secret say at a moment; ``early`` is before its first day.
    State = Literal["ok", "early", "expiring", "expired"]

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
#: Seconds by which two machines' clocks may differ without a word.
_SKEW = 300


def warning_span(config: Config) -> int | None:
    """Seconds before its end from which on a secret is warned about; None where the user wants no warning."""
    return span(config.expiry_warning) if config.expiry_warning else None


def ends_within(expires_at: int, now: float, within: int) -> bool:
    """Whether a secret that dies at *expires_at* (0: nobody said) does so at most *within* seconds after *now*, or is dead already."""
    return bool(expires_at) and expires_at - now <= within


def state(slot: Slot, now: float, within: int | None) -> State:
    """What *slot*'s dates say at *now*; the very second of its end is past it. *within* None knows no ``expiring``."""
    if slot.expires_at and slot.expires_at <= now:
        return "expired"
    if slot.not_before > now:
        return "early"
    return "expiring" if within is not None and ends_within(slot.expires_at, now, within) else "ok"


def outlook(expires_at: int, now: float) -> str:
    """``expires in 5 days (2027-05-01)`` or ``expired 3 hours ago (2027-05-01T12:00:00Z)``; the date is UTC's."""
    left = expires_at - now
    words = f"expires in {_length(left)}" if left > 0 else f"expired {_length(-left)} ago"
    return f"{words} ({_date(expires_at, exact=abs(left) < 2 * _DAY)})"


def warning(account: str, where: object, expires_at: int, now: float, within: int | None) -> str:
    """One line about the secret of *account* for *where* if it dies within *within* seconds or is dead; empty otherwise."""
    if within is None or not ends_within(expires_at, now, within):
        return ""
    return f"the secret of {account} for {where} {outlook(expires_at, now)}"


def too_early(account: str, where: object, slot: Slot, now: float) -> str:
    """One line if *now* is before the dates of *slot*: its own first day, or the day when it was stored, which no right clock shows."""
    if slot.not_before > now:
        at = slot.not_before
        words = f"is not valid for another {_length(at - now)} ({_date(at, exact=at - now < 2 * _DAY)})"
    elif slot.added_at > now + _SKEW:
        words = f"was stored on {_date(slot.added_at)}, which this machine's clock has yet to reach: is the clock right?"
    else:
        return ""
    return f"the secret of {account} for {where} {words}"


def _length(seconds: float) -> str:
    for size, name in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute")):
        # From one and a half on: "30 hours" is still said, "1 day" is not said of 30 hours.
        if seconds >= 1.5 * size or (size == _MINUTE and seconds >= size) or round(seconds) == size:
            count = round(seconds / size)
            return f"{count} {name}{'' if count == 1 else 's'}"
    return "less than a minute"


def moment(seconds: float) -> str:
    """*seconds* since the epoch as RFC 3339 in UTC; empty for 0, "not said", and for what lies beyond the years of a calendar."""
    from datetime import UTC, datetime

    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if seconds else ""
    except (ValueError, OverflowError, OSError):
        # Python's ends with the year 9999.
        return ""


def _date(seconds: int, *, exact: bool = False) -> str:
    said = moment(seconds)
    return (said if exact else said[:10]) or "after the year 9999"
