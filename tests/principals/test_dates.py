from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registryauth.cli.console import moment
from registryauth.errors import ConfigurationError
from registryauth.principals.dates import parse_moment

NOW = 1_800_000_000.5


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", 0),
        ("2027-05-01", 1809129600),
        ("2027-05-01T12:00:00Z", 1809172800),
        ("2027-05-01T14:00:00+02:00", 1809172800),
        ("2027-05-01T12:00:00.5Z", 1809172800),
        ("12h", 1_800_000_000 + 12 * 3600),
        ("90d", 1_800_000_000 + 90 * 86400),
        ("2w", 1_800_000_000 + 14 * 86400),
        ("99999d", 1_800_000_000 + 99999 * 86400),
    ],
)
def test_dates_spans_and_nothing(text, seconds):
    assert parse_moment(text, NOW) == seconds


@pytest.mark.parametrize(
    "text",
    [
        " ", "0d", "-1d", "1.5d", "100000d", "d", "1m", "1y", "90 d", "90D", "\u0669\u0660d", "tomorrow", "01.05.2027", "5/1/2027",
        "2027", "2027-13-01",
        "2027-02-30", "2027-05-01T25:00", "2027-05-01 ", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00+23:59", "\x1b[2J", "\ud800",
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_an_example(text):
    with pytest.raises(ConfigurationError, match="is not a date") as failure:
        parse_moment(text, NOW)
    assert "2027-05-01" in failure.value.hint
    assert "\x1b" not in str(failure.value)
    assert len(str(failure.value)) < 400


@pytest.mark.parametrize("text", ["2026-05-01", "1970-01-01", "0001-01-01", "2027-01-15T08:00:00Z"])
def test_a_date_that_is_over_is_refused_for_the_year_is_wrong_more_often_than_the_secret_dead(text):
    with pytest.raises(ConfigurationError, match="is over already") as failure:
        parse_moment(text, NOW)
    assert "year" in failure.value.hint


@given(st.text(max_size=30) | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}([+-][0-9]{2}:[0-9]{2})?)?", fullmatch=True))
def test_whatever_is_accepted_can_be_shown(text):
    try:
        seconds = parse_moment(text, NOW)
    except ConfigurationError:
        return
    assert (seconds == 0) == (text == "")
    assert bool(moment(seconds)) == bool(text)
