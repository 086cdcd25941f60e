from __future__ import annotations

import pytest

from registryauth.audit.event import Event
from registryauth.audit.recorder import BEST_EFFORT, OFF, REQUIRED, Recorder, to_syslog
from registryauth.errors import StoreUnavailable

from .conftest import KEY


@pytest.fixture
def recorder(path):
    """Makes one that writes to this test's log."""

    def recorder(mode, where=None, **options):
        return Recorder(str(path) if where is None else where, mode, **options)

    return recorder


@pytest.fixture
def unwritable(path):
    """The log's directory is a file."""
    path.parent.write_text("")


def test_an_event_without_a_purpose_has_the_recorder_s(recorder, lines):
    recorder(BEST_EFFORT, purpose="resolve").record([Event("read"), Event("read", purpose="verify")], lambda: KEY)
    assert [line["purpose"] for line in lines()[1:]] == ["resolve", "verify"]


def test_off_writes_nothing(recorder, path):
    recorder(OFF).record([Event("read")], lambda: KEY)
    assert not path.parent.exists()


def test_what_cannot_be_written_is_said_once(recorder, unwritable, path):
    said = []
    for _ in range(2):
        recorder(BEST_EFFORT, warn=said.append).record([Event("read")], lambda: KEY)
    assert len(said) == 1
    assert str(path.parent) in said[0]
    assert "unrecorded" in said[0]


def test_where_nobody_listens_it_is_said_on_stderr(recorder, unwritable, capsys):
    recorder(BEST_EFFORT).record([Event("read")], lambda: KEY)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("registryauth: ")


def test_required_it_is_an_error_that_says_so(recorder, unwritable):
    with pytest.raises(StoreUnavailable, match=r"audit\.mode is required") as failed:
        recorder(REQUIRED).record([Event("read")], lambda: KEY)
    assert failed.value.exit_code == 5
    assert failed.value.hint


def test_without_a_home_directory_there_is_no_log(recorder):
    with pytest.raises(StoreUnavailable, match="no home directory") as failed:
        recorder(REQUIRED, where="").record([Event("read")], lambda: KEY)
    assert "REGISTRYAUTH_AUDIT_FILE" in failed.value.hint


def test_syslog_is_handed_every_line_as_it_stands_in_the_file(recorder, path):
    sent = []
    recorder(BEST_EFFORT, syslog=sent.append).record([Event("read"), Event("removed")], lambda: KEY)
    assert "".join(f"{line}\n" for line in sent) == path.read_text()
    assert len(sent) == 3


def test_the_system_s_log_has_it_under_authpriv_as_text_and_not_as_a_format(monkeypatch):
    import syslog

    calls = []
    monkeypatch.setattr(syslog, "openlog", lambda *args: calls.append(args))
    monkeypatch.setattr(syslog, "syslog", lambda *args: calls.append(args))
    to_syslog("100%s%n")
    assert calls == [("registryauth", syslog.LOG_PID, syslog.LOG_AUTHPRIV), (syslog.LOG_INFO, "100%s%n")]
