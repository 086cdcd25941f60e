from __future__ import annotations

import os

import pytest

from registryauth.audit.event import Event
from registryauth.audit.recent import Wanted, recent
from registryauth.errors import StoreUnavailable

from .conftest import KEY


@pytest.fixture
def accounts(path):
    """The accounts of the events that are wanted, and whether that is all."""

    def accounts(limit=100, max_read=1_000_000, **wanted):
        found, complete = recent(str(path), Wanted(**wanted), limit, max_read=max_read)
        return [each["account"] for each in found if each["event"] != "begun"], complete

    return accounts


def test_the_newest_is_last(write, accounts):
    write("a", "b", "c")
    assert accounts() == (["a", "b", "c"], True)


def test_of_too_many_the_last_are_shown_and_that_is_said(write, accounts):
    write("a", "b", "c")
    assert accounts(limit=2) == (["b", "c"], False)


def test_only_the_end_of_a_long_log_is_read(write, accounts):
    write(*map(str, range(100)))
    found, complete = accounts(max_read=5000)
    assert not complete
    assert 5 < len(found) < 20
    assert found[-1] == "99"


def test_a_registry_is_with_its_paths_and_no_other_that_begins_like_it(log, accounts):
    addresses = ("r.example", "r.example/a", "r.example/ab", "r.example.evil", "r.example:5000")
    log.append([Event("read", address, address) for address in addresses], KEY)
    assert accounts(address="r.example") == (["r.example", "r.example/a", "r.example/ab"], True)
    assert accounts(address="r.example/a") == (["r.example/a"], True)


def test_events_are_chosen_by_kind_account_and_time(log, accounts):
    """The clock begins at 2027-01-15T08:00:00Z and goes on by a second a line."""
    log.append([Event("read", "r.example", "a"), Event("added", "r.example", "b"), Event("read", "r.example", "b")], KEY)
    assert accounts(event="added") == (["b"], True)
    assert accounts(account="b") == (["b", "b"], True)
    assert accounts(since="2027-01-15T08:00:02.000Z") == (["b", "b"], True)


def test_what_is_none_of_ours_is_left_out(write, path, accounts):
    write("a")
    with open(path, "ab") as file:
        file.write(b'\xff\n{"event":7}\n[]\n{"event":"read","account":["x"],"uid":"y"}\n{"eve')
    assert accounts() == (["a", ""], True)


def test_no_log_has_no_events(accounts):
    assert accounts() == ([], True)


def test_a_link_is_not_read(write, path, accounts):
    write("a")
    os.rename(path, path.with_name("elsewhere"))
    path.symlink_to("elsewhere")
    with pytest.raises(StoreUnavailable, match="symbolic link"):
        accounts()
