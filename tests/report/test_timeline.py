from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest

from registryauth.report.moments import read, stamp
from registryauth.report.timeline import scale

from .a_fleet import DAY, NOW, WITHIN


def ends(*days):
    return [stamp(NOW + each * DAY) for each in days]


@pytest.mark.parametrize("days", [(1,), (20, 400), (-4000, 5), (-1,), (60,), (200,), (100000,), (3000, -3000), (0,)])
def test_all_is_in_sight_and_today_is_left(days):
    drawn = scale(ends(*days), stamp(NOW), WITHIN)
    places = [float(drawn.at(read(end))[:-1]) for end in ends(*days)]
    assert all(0 <= place <= 100 for place in places)
    assert 1 <= float(drawn.at(drawn.now)[:-1]) <= 14
    assert drawn.now < drawn.soon < drawn.end


@pytest.mark.parametrize("days", [5, 10, 37, 61, 62, 90, 150, 365, 500, 1000, 5000])
def test_names_of_moments_do_not_run_into_each_other(days):
    drawn = scale(ends(days), stamp(NOW), WITHIN)
    places = [float(drawn.at(day)[:-1]) for day, _ in drawn.ticks()]
    names = [name for _, name in drawn.ticks()]
    assert 1 <= len(names) == len(set(names)) <= 6
    around = [float(drawn.at(drawn.now)[:-1]), *places, 108]
    assert all(after - before >= 12 for before, after in pairwise(around))


def test_a_tick_is_the_first_day_of_the_month_that_it_names():
    drawn = scale(ends(365), stamp(NOW), WITHIN)
    assert [(day.day, f"{day:%b %Y}") for day, _ in drawn.ticks()] == [(1, name) for _, name in drawn.ticks()]
    assert timedelta(days=365) < drawn.end - drawn.now < timedelta(days=375)
