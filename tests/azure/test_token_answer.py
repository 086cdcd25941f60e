"""When a token dies, however its giver writes that."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registryauth.azure.token_answer import expiry

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("lifetime", "date", "dies"),
    [
        (3599, None, NOW + 3599),
        ("3599", None, NOW + 3599),
        (3599, "1", NOW + 3599),
        (None, 1_561_000_000, 1_561_000_000),
        (None, "1561000000", 1_561_000_000),
        (None, "06/20/2019 02:57:58 +00:00", 1_560_999_478),
        (None, "6/20/2019 2:57:58 AM +00:00", 1_560_999_478),
        (None, "06/20/2019 02:57:58 PM +00:00", 1_561_042_678),
        (None, "06/20/2019 12:00:00 AM +00:00", 1_560_988_800),
        (None, "06/20/2019 14:57:58 AM +00:00", 1_561_042_678),
        (None, "13/45/2019 02:57:58 +00:00", NOW + 300),
        (None, "tomorrow", NOW + 300),
        (None, None, NOW + 300),
        (True, [], NOW + 300),
        ("-5", "1e9", NOW + 300),
    ],
)
def test_each_form_that_was_seen(lifetime, date, dies):
    assert expiry(lifetime, date, NOW) == dies


@given(st.integers(min_value=86_400, max_value=7_000_000_000))
def test_a_written_date_is_read_as_it_was_meant(seconds):
    moment = datetime.fromtimestamp(seconds, UTC)
    for style in ("%m/%d/%Y %H:%M:%S +00:00", "%m/%d/%Y %I:%M:%S %p +00:00"):
        assert expiry(None, moment.strftime(style), NOW) == seconds


@given(st.one_of(st.none(), st.text(), st.integers(), st.floats(), st.booleans(), st.lists(st.integers())))
def test_anything_else_is_read_without_a_fault(said):
    expiry(said, said, NOW)
