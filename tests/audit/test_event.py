from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from registryauth.audit import chain
from registryauth.audit.event import EVENTS, Event, body, moment, who
from registryauth.audit.log import MAX_LINE


def said(event):
    return json.loads(body(event, 7, chain.NO_LINE, "0123abcd", 1_800_000_000.25))


def test_a_line_says_when_what_which_and_with_what_result():
    event = Event("read", "r.example/team", "robot", 3, purpose="resolve", result="failed", error="StoreCorrupt")
    found = said(event)
    assert {name: found[name] for name in ("sequence", "time", "event", "address", "account", "serial", "result", "error", "purpose")} == {
        "sequence": 7,
        "time": "2027-01-15T08:00:00.250Z",
        "event": "read",
        "address": "r.example/team",
        "account": "robot",
        "serial": 3,
        "result": "failed",
        "error": "StoreCorrupt",
        "purpose": "resolve",
    }


def test_it_says_who():
    script = "import json; from registryauth.audit.event import who; print(json.dumps(who()))"
    started = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    found = json.loads(started.stdout)
    assert found["uid"] == os.getuid()
    assert found["program"] == "-c"
    assert found["pid"] != os.getpid()
    with open(f"/proc/{os.getpid()}/comm") as comm:
        assert found["parent"] == comm.read().strip()


def test_a_package_that_python_runs_is_named_for_itself(monkeypatch):
    monkeypatch.setattr("sys.argv", ["/lib/registryauth/__main__.py", "list"])
    assert who()["program"] == "registryauth"


def test_the_user_s_name_is_not_what_the_environment_says(monkeypatch):
    before = who()["user"]
    for name in ("USER", "LOGNAME", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody-else")
    assert who()["user"] == before


def test_a_user_without_a_name_is_known_by_his_number(monkeypatch):
    monkeypatch.setattr("os.getuid", lambda: 3_999_999)
    assert (who()["user"], who()["uid"]) == ("", 3_999_999)


@pytest.mark.parametrize("field", ["address", "account", "purpose", "detail", "error"])
def test_what_is_too_long_is_cut_off_and_that_shows(field):
    found = said(Event("read", **{field: "x" * 100_000}))[field]
    assert found.endswith("x…")
    assert len(found) < 1000


def test_the_longest_line_is_as_long_as_is_read(monkeypatch):
    """Each character beyond the BMP is twelve bytes in JSON."""
    monkeypatch.setattr("sys.argv", ["\U0001f511" * 1000])
    long = "\U0001f511" * 100_000
    line = body(Event("read", long, long, 2**31, error=long, count=2**31, purpose=long, detail=long), 2**53, "f" * 64, "f" * 8, 4e9)
    assert len(chain.closed(line, b"k" * 32)) < MAX_LINE


def test_whatever_an_account_holds_stays_on_one_line_of_ascii():
    line = body(Event("read", account='a\nb\r\x1b[2J\u2028\ud83d"\\'), 1, "", None, 0)
    assert b"\n" not in line
    assert line.isascii()
    assert json.loads(line)["account"] == 'a\nb\r\x1b[2J\u2028\ud83d"\\'


def test_there_are_no_other_events_and_results():
    assert "read" in EVENTS
    for wrong in ({"event": "seen"}, {"event": "read", "result": "fine"}):
        with pytest.raises(ValueError, match="no event"):
            Event(**wrong)


def test_moments_have_thousandths():
    assert moment(0) == "1970-01-01T00:00:00.000Z"
    assert moment(1_800_000_000.9996) == "2027-01-15T08:00:00.999Z"
