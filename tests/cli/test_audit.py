from __future__ import annotations

import json
import os
import time

import pytest
import yaml

from .conftest import CANARY


@pytest.fixture
def log(home):
    """Where the log is."""
    return home / ".local" / "state" / "registryauth" / "audit.log"


@pytest.fixture
def login(cli):
    def login(address="registry.example", user="me"):
        done = cli("login", address, "--username", user, "--password-stdin", "--no-verify", stdin=CANARY)
        assert done.status == 0, done.err

    return login


@pytest.fixture
def events(load):
    def events(*options):
        found = load("audit", "show", *options)["events"]
        return [(each["event"], each["address"], each["account"], each["purpose"]) for each in found if each["event"] != "begun"]

    return events


def test_a_login_and_what_followed_are_shown_with_what_they_were_for(cli, login, events):
    login()
    cli("list")
    cli("resolve", "registry.example/x:v1")
    cli("logout", "registry.example")
    found = events()
    assert ("added", "registry.example", "me", "login") in found
    assert ("listed", "", "", "list") in found
    assert ("read", "registry.example", "me", "resolve") in found
    assert found[-1] == ("removed", "registry.example", "me", "logout")


def test_the_table_has_who_and_what(cli, login):
    login()
    head, begun, *rows = cli("audit", "show").out.splitlines()
    assert head.split() == ["TIME", "EVENT", "REGISTRY", "ACCOUNT", "PURPOSE", "USER", "PROGRAM"]
    assert "begun" in begun
    assert any(row.split()[1:5] == ["added", "registry.example", "me", "login"] for row in rows)


def test_no_way_of_showing_it_shows_a_secret(cli, login, log):
    login()
    for verb in ("show", "verify"):
        for output in ("table", "json", "yaml"):
            done = cli("audit", verb, "-o", output)
            assert done.status == 0
            assert CANARY not in done.out + done.err
    assert CANARY not in log.read_text()


def test_it_is_narrowed_by_registry_account_event_and_time(login, events, log):
    login()
    login("other.example/team", "robot")
    assert {found[1] for found in events("--registry", "other.example")} == {"other.example/team"}
    assert {found[2] for found in events("--account", "robot")} == {"robot"}
    assert {found[0] for found in events("--event", "added")} == {"added"}
    assert events("--since", "1h") == events()
    assert events("--since", "2020-01-01") == events()
    lines = log.read_text().splitlines(keepends=True)
    log.write_text("".join(lines).replace(time.strftime("%Y-", time.gmtime()), "2019-"))
    assert events("--since", "7d") == []
    assert events() != []


def test_of_many_the_last_are_shown_and_that_is_said(cli, login):
    login()
    done = cli("audit", "show", "--last", "1")
    assert len(done.out.splitlines()) == 2
    assert "Earlier ones are in" in done.err


@pytest.mark.parametrize("options", [["--event", "seen"], ["--since", "soon"], ["--since", "7y"], ["--last", "0"], ["--registry", "a b"]])
def test_what_cannot_be_meant_is_status_2(cli, options):
    done = cli("audit", "show", *options)
    assert done.status == 2
    assert done.out == ""


def test_without_a_log_there_is_nothing_to_show(cli):
    assert cli("audit", "show").out.splitlines()[1:] == []


def test_yaml_holds_the_same(cli, login, load):
    login()
    assert yaml.safe_load(cli("audit", "show", "-o", "yaml").out) == load("audit", "show")


def test_what_somebody_wrote_into_the_log_cannot_move_the_cursor(cli, login, log):
    login()
    with open(log, "a") as file:
        file.write(json.dumps({"event": "\x1b[2J", "account": "\x1b]0;owned\x07", "time": "\x9b31m", "sequence": 3}) + "\n")
    for argv in (["show"], ["show", "-o", "json"], ["verify"], ["verify", "-o", "json"]):
        done = cli("audit", *argv)
        assert not set("\x1b\x07\x9b") & set(done.out)


def test_a_whole_log_is_status_0_and_the_last_mac_is_shown(cli, login, load, log):
    login()
    done = cli("audit", "verify")
    assert done.status == 0
    found = load("audit", "verify")
    assert (found["whole"], found["begins_with_first_line"], found["faults"]["count"]) == (True, True, 0)
    assert found["lines"] == found["authentic"] == len(log.read_text().splitlines())
    assert found["last"]["mac"] == json.loads(log.read_text().splitlines()[-1])["mac"]
    assert found["last"]["mac"] in done.out


def test_a_changed_line_is_status_7_and_named(cli, login, log):
    login()
    log.write_text(log.read_text().replace('"added"', '"other"'))
    done = cli("audit", "verify")
    assert done.status == 7
    assert "is broken" in done.out
    assert "line 2" in done.out
    done = cli("audit", "verify", "-o", "json")
    assert done.status == 7
    assert [each["line"] for each in json.loads(done.out)["faults"]["lines"]] == [2]


def test_lines_that_nothing_vouches_for_are_counted_and_with_strict_status_7(cli, login, log):
    login()
    with open(log, "a") as file:
        file.write("torn")
    done = cli("audit", "verify")
    assert done.status == 0
    assert "torn, or not ours" in done.out
    assert cli("audit", "verify", "--strict").status == 7


def test_rotated_files_are_verified_together(cli, login, log, load):
    login()
    aside = log.with_name("audit.log.1")
    os.rename(log, aside)
    login()
    assert load("audit", "verify")["begins_with_first_line"] is False
    done = cli("audit", "verify")
    assert "after an earlier file" in done.out
    both = load("audit", "verify", str(aside), str(log))
    assert (both["whole"], both["begins_with_first_line"]) == (True, True)
    aside.write_text(aside.read_text().replace('"added"', '"other"'))
    done = cli("audit", "verify", aside, log)
    assert done.status == 7
    assert f"of {aside}" in done.out


def test_there_is_nothing_to_verify_without_a_log(cli, login, log):
    login()
    log.unlink()
    done = cli("audit", "verify")
    assert done.status == 5
    assert f"there is no audit log {log}" in done.err


def test_nothing_is_verified_while_the_store_is_locked(cli, login, home):
    login()
    (home / ".config" / "registryauth" / "store.key").unlink()
    done = cli("audit", "verify")
    assert done.status == 5
    assert done.out == ""


def test_required_and_impossible_it_is_status_5_and_nothing_is_shown(cli, login, log, monkeypatch):
    login()
    monkeypatch.setenv("REGISTRYAUTH_AUDIT_MODE", "required")
    monkeypatch.setenv("REGISTRYAUTH_AUDIT_FILE", str(log / "below-a-file"))
    for argv in (["list"], ["resolve", "registry.example/x", "--format", "docker-config"], ["logout", "registry.example"]):
        done = cli(*argv)
        assert done.status == 5, argv
        assert "audit.mode is required" in done.err
        assert CANARY not in done.out
        assert done.out == ""


def test_as_best_effort_and_impossible_it_is_one_warning(cli, login, log, monkeypatch):
    login()
    monkeypatch.setenv("REGISTRYAUTH_AUDIT_FILE", str(log / "below-a-file"))
    done = cli("list")
    assert done.status == 0
    assert "registry.example" in done.out
    assert done.err.startswith("warning: ")
    assert done.err.count("\n") == 1


def test_switched_off_there_is_no_log(cli, login, log, monkeypatch):
    monkeypatch.setenv("REGISTRYAUTH_AUDIT_MODE", "off")
    login()
    assert not log.exists()
