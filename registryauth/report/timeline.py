"""When secrets die, drawn: lines of SVG that stretch with the page, each beside the words that say the same.

All horizontal measures are in percent of the drawing, so that text and lines keep their size whatever the page's width.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from registryauth._value import Value
from registryauth.report.calendar import month_name
from registryauth.report.markup import Markup, element, joined
from registryauth.report.moments import read

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
#: How far ahead is drawn at most; what ends later ends at the edge.
_FARTHEST = timedelta(days=3 * 366)
#: What is over is drawn in this part of the width at most.
_BEHIND = 0.15
#: Ticks that have room for their names on a narrow page.
_TICKS = 5
#: The part of a narrow page's width that a name takes.
_CLEAR = 0.17


class Scale(Value):
    """Days from *start* to *end* laid out over the width."""

    start: datetime
    end: datetime
    now: datetime
    soon: datetime

    def at(self, moment: datetime) -> str:
        """Where *moment* is, in percent; what lies outside is at the edge."""
        part = (moment - self.start) / (self.end - self.start)
        return f"{100 * min(1.0, max(0.0, part)):.2f}%"

    def ticks(self) -> list[tuple[datetime, str]]:
        """Moments to name, and their names: first days of months, or days where all lies within two months."""
        if self.end - self.now < timedelta(days=62):
            step = max(1, -(-(self.end - self.now).days // (_TICKS + 1)))
            days = (self.now + timedelta(days=step * count) for count in range(1, _TICKS + 1))
            return [(day, f"{day.day} {_MONTHS[day.month - 1]}") for day in days if day < self.end - (self.end - self.start) * _CLEAR / 2]
        months = (self.end.year - self.now.year) * 12 + self.end.month - self.now.month
        step = next(size for size in (1, 2, 3, 6, 12, 24) if months / size <= _TICKS or size == 24)
        first = (self.now.month - 1) // step * step + step
        names = [month_name(self.now.year, month) for month in range(first, first + months + 1, step)]
        firsts = [datetime(int(name[:4]), int(name[5:]), 1, tzinfo=UTC) for name in names]
        # A name at the very edge would stick out of it, one beside today's would run into that.
        width = self.end - self.start
        return [
            (day, f"{_MONTHS[day.month - 1]} {day.year}")
            for day in firsts
            if self.now + width * _CLEAR < day < self.end - width * _CLEAR / 2
        ]


def scale(ends: Sequence[str], generated_at: str, within: int) -> Scale:
    """The scale on which all of *ends* can be seen."""
    now, moments = read(generated_at), [read(end) for end in ends]
    soon = now + timedelta(seconds=min(within, _FARTHEST.total_seconds()))
    end = min(max([*moments, now + (soon - now) * 1.25, now + timedelta(days=7)]), now + _FARTHEST)
    # So that what ends last has its whole mark in sight.
    end += (end - now) * 0.02
    over = now - min([*moments, now])
    return Scale(now - max(min(over, (end - now) * _BEHIND), (end - now) * 0.02), end, now, soon)


def axis(scale: Scale) -> Markup:
    """The names of moments on *scale*."""
    named = [element("text", name, x=scale.at(day), y="75%", text_anchor="middle") for day, name in scale.ticks()]
    today = element("text", "today", x=scale.at(scale.now), y="75%", text_anchor="start")
    return _drawing(today, *named)


def strip(scale: Scale, end: str, state: str) -> Markup:
    """One secret's line from today to its *end*, or for one that is over, back to it; its mark has a shape for each *state*."""
    now, at = scale.at(scale.now), scale.at(read(end))
    return _drawing(
        element("rect", class_="soon", x=now, y="0", width=_less(scale.at(scale.soon), now), height="100%"),
        *(element("line", class_="tick", x1=scale.at(day), x2=scale.at(day), y1="0", y2="100%") for day, _ in scale.ticks()),
        element("line", class_=f"life {state}", x1=now, x2=at, y1="50%", y2="50%"),
        element("line", class_="now", x1=now, x2=now, y1="0", y2="100%"),
        element("svg", _mark(state), x=at, y="50%", overflow="visible"),
    )


def _mark(state: str) -> Markup:
    if state == "expired":
        return element("path", class_="mark expired", d="M-5-5L5 5M5-5L-5 5")
    if state == "expiring":
        return element("path", class_="mark expiring", d="M0-7L7 0L0 7L-7 0Z")
    return element("circle", class_=f"mark {state}", r="5.5")


def _less(right: str, left: str) -> str:
    return f"{float(right[:-1]) - float(left[:-1]):.2f}%"


def _drawing(*parts: str) -> Markup:
    return element("svg", *parts, aria_hidden="true", focusable="false")


def months(expiries: dict[str, Any]) -> Markup:
    """How many secrets die in each month, as bars with their figures; the same in words for who does not see them."""
    counted = expiries["months"]
    highest = max(1, *(month["count"] for month in counted))
    width = 100 / len(counted)
    bars = []
    for at, month in enumerate(counted):
        year, number = month["month"].split("-")
        name = _MONTHS[int(number) - 1]
        middle, height = f"{width * (at + 0.5):.2f}%", 62 * month["count"] / highest
        if month["count"]:
            bars.append(
                element(
                    "rect", x=f"{width * (at + 0.32):.2f}%", width=f"{width * 0.36:.2f}%", y=f"{76 - height:.2f}%", height=f"{height:.2f}%"
                )
            )
            bars.append(element("text", str(month["count"]), class_="value", x=middle, y=f"{72 - height:.2f}%"))
        bars.append(element("text", name, x=middle, y="87%"))
        if at == 0 or number == "01":
            bars.append(element("text", year, x=middle, y="99%"))
    base = element("line", class_="base", x1="0", x2="100%", y1="76%", y2="76%")
    words = "; ".join(f"{month['month']}: {month['count']}" for month in counted if month["count"])
    return element("svg", base, joined(bars), role="img", aria_label=f"Secrets that end, by month: {words or 'none'}")
