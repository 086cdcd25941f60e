from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registryauth.config import load
from registryauth.stores import Slot
from registryauth.stores.expiry import ends_within, moment, outlook, state, too_early, warning, warning_span

#: 2027-01-15T08:00:00Z.
NOW = 1_800_000_000.0
DAY = 86400


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0, ""),
        (1, "1970-01-01T00:00:01Z"),
        (NOW, "2027-01-15T08:00:00Z"),
        (253402300799, "9999-12-31T23:59:59Z"),
        (253402300800, ""),
        (2**62, ""),
    ],
)
def test_a_moment_is_written_in_utc_as_far_as_calendars_go(seconds, written):
    assert moment(seconds) == written


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (400 * DAY, "expires in 400 days (2028-02-19)"),
        (5 * DAY, "expires in 5 days (2027-01-20)"),
        (5 * DAY - 1, "expires in 5 days (2027-01-20)"),
        (2 * DAY, "expires in 2 days (2027-01-17)"),
        (1.6 * DAY, "expires in 2 days (2027-01-16T22:24:00Z)"),
        (DAY, "expires in 1 day (2027-01-16T08:00:00Z)"),
        (30 * 3600, "expires in 30 hours (2027-01-16T14:00:00Z)"),
        (3600, "expires in 1 hour (2027-01-15T09:00:00Z)"),
        (90, "expires in 2 minutes (2027-01-15T08:01:30Z)"),
        (60, "expires in 1 minute (2027-01-15T08:01:00Z)"),
        (59, "expires in less than a minute (2027-01-15T08:00:59Z)"),
        (0, "expired less than a minute ago (2027-01-15T08:00:00Z)"),
        (-3 * 3600, "expired 3 hours ago (2027-01-15T05:00:00Z)"),
        (-3 * DAY, "expired 3 days ago (2027-01-12)"),
    ],
)
def test_how_long_a_secret_has_left_in_words_and_the_date_in_utc(left, words):
    assert outlook(int(NOW + left), NOW) == words


@pytest.mark.parametrize(
    ("expires_at", "date"),
    [
        (2**31, "2038-01-19"),
        (2**32, "2106-02-07"),
        (253_402_300_799, "9999-12-31"),
        (253_402_300_800, "after the year 9999"),
        (10**15, "after the year 9999"),
    ],
)
def test_dates_go_on_after_2038_and_none_is_too_late_to_be_told(expires_at, date):
    assert outlook(expires_at, NOW).endswith(f"({date})")


@pytest.mark.parametrize(
    ("dates", "within", "said"),
    [
        ({}, 30 * DAY, "ok"),
        ({"expires_at": int(NOW) - 1}, 30 * DAY, "expired"),
        ({"expires_at": int(NOW)}, 30 * DAY, "expired"),
        ({"expires_at": int(NOW) + 1}, 30 * DAY, "expiring"),
        ({"expires_at": int(NOW) + 30 * DAY}, 30 * DAY, "expiring"),
        ({"expires_at": int(NOW) + 30 * DAY + 1}, 30 * DAY, "ok"),
        ({"expires_at": int(NOW) + 1}, 0, "ok"),
        ({"expires_at": int(NOW) + 1}, None, "ok"),
        ({"expires_at": int(NOW)}, None, "expired"),
        ({"not_before": int(NOW) + 1}, 30 * DAY, "early"),
        ({"not_before": int(NOW)}, 30 * DAY, "ok"),
        ({"not_before": int(NOW) + 5, "expires_at": int(NOW) - 5}, 30 * DAY, "expired"),
    ],
)
def test_what_a_secret_s_dates_say_to_the_second(dates, within, said):
    assert state(Slot("s", **dates), NOW, within) == said


@given(st.integers(0, 2**40), st.integers(0, 2**40), st.integers(0, 10**9))
def test_what_ends_within_a_span_is_what_is_warned_about(expires_at, now, within):
    assert ends_within(expires_at, now, within) == bool(warning("me", "host.example", expires_at, now, within))
    assert ends_within(expires_at, now, within) == (state(Slot("s", expires_at=expires_at), now, within) in ("expiring", "expired"))


def test_a_warning_is_one_line_that_names_whose_secret_it_is():
    said = warning("ci", "registry.example", int(NOW) + 5 * DAY, NOW, 14 * DAY)
    assert said == "the secret of ci for registry.example expires in 5 days (2027-01-20)"


@pytest.mark.parametrize(("text", "seconds"), [("", None), ("14d", 14 * DAY), ("0d", 0), ("90s", 90)])
def test_the_span_is_configured_and_empty_is_never(text, seconds, home, tmp_path):
    config = tmp_path / "config.toml"
    config.write_text(f'[resolver]\nexpiry_warning = "{text}"\n')
    assert warning_span(load({"REGISTRYAUTH_CONFIG": str(config)})) == seconds
    if seconds is None:
        assert warning("me", "host.example", 1, NOW, warning_span(load({"REGISTRYAUTH_CONFIG": str(config)}))) == ""


def test_a_secret_before_its_first_day_and_a_clock_that_is_behind_are_told_apart():
    assert too_early("me", "host.example", Slot("s", added_at=int(NOW), not_before=int(NOW)), NOW) == ""
    early = too_early("me", "host.example", Slot("s", not_before=int(NOW) + 3 * DAY), NOW)
    assert early == "the secret of me for host.example is not valid for another 3 days (2027-01-18)"
    behind = too_early("me", "host.example", Slot("s", added_at=int(NOW) + DAY), NOW)
    assert "stored on 2027-01-16" in behind
    assert "is the clock right?" in behind
    assert too_early("me", "host.example", Slot("s", added_at=int(NOW) + 60), NOW) == "", "two machines' clocks are never the same"
