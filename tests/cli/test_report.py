"""The report as a user types it."""

from __future__ import annotations

import json
import os
import stat
import time

import pytest
import yaml

from registryauth.report import page
from registryauth.stores import Consumer

from .conftest import CANARY

DAY = 86400


@pytest.fixture
def fleet(keep):
    """Somebody whose secret is over, somebody whose ends soon, and nobody else."""
    now, given = int(time.time()), (Consumer("/etc/pull.json", "docker-config", 0, 5),)
    keep("old.example", "over", made_by="admin", consumers=given, verified_at=5, owner="ml", dates={"expires_at": now - 3 * DAY})
    keep("new.example/team", "soon", made_by="admin", consumers=given, verified_at=5, dates={"expires_at": now + 20 * DAY})
    keep("new.example", "fine", made_by="admin", consumers=given, verified_at=5, dates={"expires_at": now + 200 * DAY})


def test_a_table_says_what_needs_attention_and_stderr_what_to_do(cli, fleet):
    done = cli("report")
    assert done.status == 0
    lines = [line.split(maxsplit=3) for line in done.out.splitlines()]
    assert [line[:3] for line in lines] == [
        ["WHAT", "REGISTRY", "ACCOUNT"],
        ["expired", "old.example", "over"],
        ["expiring", "new.example/team", "soon"],
    ]
    assert lines[1][3].startswith("expired 3 days ago (")
    assert done.err.splitlines() == [
        "3 principals, 2 registries: 1 expired, 1 expires within 30 days.",
        "next: registryauth principal rotate old.example",
        "next: registryauth principal rotate new.example/team",
    ]


def test_json_and_yaml_are_the_same_document(cli, fleet):
    as_json, as_yaml = json.loads(cli("report", "-o", "json").out), yaml.safe_load(cli("report", "-o", "yaml").out)
    assert as_json["version"] == 1
    assert as_json["figures"] == as_yaml["figures"]
    assert [each["registry"] for each in as_json["registries"]] == ["new.example", "old.example"]
    assert as_json["asked"] is False


def test_the_page_is_for_its_owners_eyes_and_stdout_stays_silent(cli, fleet, tmp_path):
    done = cli("report", "--html", tmp_path / "report.html")
    assert (done.status, done.out) == (0, "")
    said = "3 principals, 2 registries: 1 expired, 1 expires within 30 days."
    assert done.err == f"Wrote {tmp_path}/report.html. {said}\n"
    assert stat.S_IMODE((tmp_path / "report.html").stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["report.html"]


def test_page_and_data_of_one_call_are_the_same(cli, fleet, tmp_path):
    done = cli("report", "--html", tmp_path / "report.html", "--output", "json")
    assert page(json.loads(done.out)) == (tmp_path / "report.html").read_text("utf-8")


def test_the_page_can_go_to_stdout(cli, fleet):
    done = cli("report", "--html", "-")
    assert (done.status, done.err) == (0, "")
    assert done.raw.startswith(b'<!DOCTYPE html>\n<html lang="en">')
    assert done.raw.endswith(b"</html>\n")


def test_a_page_replaces_the_one_before_and_a_failure_leaves_that(cli, fleet, tmp_path):
    file = tmp_path / "report.html"
    file.write_text("before")
    assert cli("report", "--html", file, "--expires-within", "x").status == 2
    assert file.read_text() == "before"
    assert cli("report", "--html", file).status == 0
    assert file.read_text().startswith("<!DOCTYPE html>")


def test_a_page_that_cannot_be_written_is_an_error_with_a_hint(cli, fleet, tmp_path):
    done = cli("report", "--html", tmp_path / "missing" / "report.html")
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith(f"error: {tmp_path}/missing/report.html cannot be written: No such file or directory\nhint: ")


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("--html", "-", "-o", "json"), "both want standard output"),
        (("--expires-within", "0d"), "longer than nothing"),
        (("--expires-within", "soon"), "is not a span of time"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(cli, fleet, argv, said):
    done = cli("report", *argv)
    assert (done.status, done.out) == (2, "")
    assert said in done.err


def test_what_is_soon_can_be_said(cli, fleet):
    figures = [
        json.loads(cli("report", "--expires-within", within, "-o", "json").out)["figures"]["expiring"] for within in ("10d", "3w", "999d")
    ]
    assert figures == [0, 1, 2]


def test_nobody_is_asked_without_verify(cli, fleet, online):
    assert cli("report").status == 0
    assert online.requests == []


def test_with_verify_every_registry_is_asked_and_the_records_keep_it(cli, keep, kept, online):
    online.tokens.accounts.rights = {"me": ["pull", "push"]}
    keep("registry.example/team", made_by="admin", needed=("pull",), consumers=(Consumer("f", "docker-config", 0, 5),))
    keep("other.example", "reader", "wrong-secret", made_by="admin", consumers=(Consumer("f", "docker-config", 0, 5),))
    keep("off.example", "reader", made_by="admin", disabled_at=5)
    data = json.loads(cli("report", "--verify", "-o", "json").out)
    assert data["asked"] is True
    assert [(issue["what"], issue["account"]) for issue in data["attention"]] == [("refused", "reader"), ("over-privileged", "me")]
    assert {record.account for record in kept() if record.verified_at} == {"me"}
    assert not [request for request in online.requests if "off.example" in str(request.url)]


def test_an_empty_store_says_where_it_begins(cli, tmp_path):
    done = cli("report")
    assert (done.status, done.out, done.err) == (0, "", "Nothing is registered yet: registryauth principal add REGISTRY\n")
    assert json.loads(cli("report", "-o", "json").out)["figures"]["principals"] == 0
    assert cli("report", "--html", tmp_path / "r.html").status == 0
    assert "Nothing is registered yet" in (tmp_path / "r.html").read_text()


def test_many_commands_are_counted_and_not_all_said(cli, keep):
    for at in range(7):
        keep(f"r{at}.example", dates={"expires_at": 5}, verified_at=5, consumers=(Consumer("f", "docker-config", 0, 5),))
    said = cli("report").err.splitlines()
    assert len([line for line in said if line.startswith("next: ")]) == 5
    assert said[-1] == "and 2 more: --output json and --html have each"


def test_no_secret_is_anywhere(cli, keep, fleet, tmp_path, online):
    keep("edge.example", "me", made_by="admin", purpose="x")
    said = [cli("report", *argv) for argv in ((), ("-o", "json"), ("-o", "yaml"), ("--html", "-"), ("--verify",))]
    cli("report", "--html", tmp_path / "r.html")
    everything = "".join(done.out + done.err for done in said) + (tmp_path / "r.html").read_text()
    assert "edge.example" in everything
    assert CANARY not in everything


@pytest.mark.parametrize("argv", [("report", "--html", "-"), ("report", "--verify"), ("principal", "verify", "registry.example")])
def test_to_report_and_to_verify_is_not_to_use(cli, keep, fleet, home, online, argv):
    keep("registry.example")
    assert cli(*argv).status in (0, 7)
    assert not [name for _, _, names in os.walk(home / ".local/state/registryauth/used") for name in names]
