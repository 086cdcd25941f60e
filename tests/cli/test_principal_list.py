from __future__ import annotations

import json
import time

import pytest

from registryauth.stores import Check, Key
from registryauth.stores.last_used import LastUsed
from registryauth.stores.principal import ENTRA_LABEL

DAY = 86400
NOW = int(time.time())


@pytest.fixture
def listed(cli):
    """The addresses that a list has, in order, and its status."""

    def listed(*argv):
        done = cli("principal", "list", *argv, "--output", "json")
        assert done.status in (0, 7), done.err
        return [each["address"] for each in json.loads(done.out)["principals"]], done.status

    return listed


@pytest.fixture
def some(keep):
    keep("soon.example", dates={"expires_at": NOW + 5 * DAY}, owner="ml", labels=(("env", "prod"), ("team", "a")))
    keep("over.example", dates={"expires_at": NOW - DAY}, owner="ops", kind="robot")
    keep("late.example/team", dates={"expires_at": NOW + 90 * DAY}, labels=(("env", "test"),))
    keep("never.example", kind="service-principal")


def test_expiring_shows_what_dies_within_the_span_or_is_dead_with_status_7(listed, some):
    assert listed("--expiring", "30d") == (["over.example", "soon.example"], 7)
    assert listed("--expiring", "4d") == (["over.example"], 7)
    assert listed("--expiring", "100d") == (["late.example/team", "over.example", "soon.example"], 7)


def test_that_nothing_expires_is_said_with_status_0(cli, keep):
    keep("soon.example", dates={"expires_at": NOW + 50 * DAY})
    done = cli("principal", "list", "--expiring", "30d")
    assert (done.status, done.out) == (0, "")
    assert "nothing expires within 30d" in done.err
    done = cli("principal", "list", "--expiring", "30d", "-o", "json")
    assert (done.status, json.loads(done.out)["principals"]) == (0, [])


def test_one_that_is_disabled_is_nobody_s_alarm(listed, keep):
    keep("soon.example", dates={"expires_at": NOW + DAY}, disabled_at=5)
    assert listed("--expiring", "30d") == ([], 0)


def test_one_that_renews_itself_is_nobody_s_alarm_either(listed, keep):
    token = {"kind": "identity-token", "dates": {"expires_at": NOW + DAY}}
    keep("itself.example", **token, labels=((ENTRA_LABEL, "client-secret"),))
    keep("person.example", **token, labels=((ENTRA_LABEL, "device-code"),))
    assert listed("--expiring", "30d") == (["person.example"], 7)


@pytest.mark.parametrize("span", ["30", "d", "1 month", "-5d", "1.5d", "\x1b[2J"])
def test_a_span_that_is_none_is_status_2_with_an_example(cli, some, span):
    done = cli("principal", "list", f"--expiring={span}")
    assert done.status == 2
    assert "14d" in done.err
    assert "\x1b" not in done.err


def test_sorted_by_expiry_what_never_dies_is_last(listed, some):
    assert listed("--sort", "expires")[0] == ["over.example", "soon.example", "late.example/team", "never.example"]
    assert listed()[0] == ["late.example/team", "never.example", "over.example", "soon.example"]


@pytest.mark.parametrize(
    ("argv", "found"),
    [
        (("--owner", "ml"), ["soon.example"]),
        (("--kind", "robot"), ["over.example"]),
        (("--label", "env"), ["late.example/team", "soon.example"]),
        (("--label", "env=prod"), ["soon.example"]),
        (("--label", "env=prod", "--label", "team=b"), []),
        (("--label", "env="), []),
        (("--registry", "late.example"), ["late.example/team"]),
        (("--registry", "late.example/team"), ["late.example/team"]),
        (("--registry", "late.example/te"), []),
        (("--registry", "example.late"), []),
        (("--owner", "ml", "--kind", "robot"), []),
        (("--owner", "ops", "--expiring", "1d"), ["over.example"]),
    ],
)
def test_what_is_wanted_can_be_narrowed(listed, some, argv, found):
    assert listed(*argv)[0] == found


@pytest.mark.parametrize(("argv", "said"), [(("--kind", "person"), "--kind is one of"), (("--sort", "owner"), "--sort is one of")])
def test_another_word_is_status_2_and_the_right_ones_are_named(cli, argv, said):
    done = cli("principal", "list", *argv)
    assert done.status == 2
    assert said in done.err


def test_the_json_has_all_that_is_known_but_the_secret(cli, keep, home):
    seen = Check("team/model", ("pull",), ("push",), "the token says", NOW - DAY)
    keep(
        "registry.example", secret="canary-77", labels=(("env", "prod"),), needed=("pull",), checks=(seen,), disabled_at=NOW,
        cloud="public", dates={"added_at": 5, "expires_at": 2**32, "not_before": 6, "remove_after": 7, "serial": 3, "key_id": "k"},
    )  # fmt: skip
    LastUsed.at_home().touch(Key.of("registry.example", "", "me"), NOW)
    done = cli("principal", "list", "-o", "json")
    [said] = json.loads(done.out)["principals"]
    assert "canary-77" not in done.out
    assert (said["labels"], said["needed"], said["disabled"], said["cloud"]) == ({"env": "prod"}, ["pull"], True, "public")
    assert said["last_used_at"][:10] == time.strftime("%Y-%m-%d", time.gmtime(NOW))
    [right] = said["rights"]
    assert right.pop("checked_at")
    assert right == {"repository": "team/model", "granted": ["pull"], "refused": ["push"], "evidence": "the token says"}
    assert said["secrets"] == [
        {
            "current": True,
            "serial": 3,
            "key_id": "k",
            "added_at": "1970-01-01T00:00:05Z",
            "not_before": "1970-01-01T00:00:06Z",
            "expires_at": "2106-02-07T06:28:16Z",
            "remove_after": "1970-01-01T00:00:07Z",
        }
    ]


def test_the_table_has_every_name_whole_and_leaves_out_what_nobody_said(cli, keep):
    keep("registry.example")
    assert cli("principal", "list").out.split("\n")[0].split() == ["REGISTRY", "ACCOUNT", "EXPIRES", "VERIFIED"]
    keep(
        "a-long-registry-name.azurecr.io/with/a/path/of/some/length", "0f5c2f6e-4b1a-4c3e-9d7a-aabbccddeeff",
        owner="machine learning platform", dates={"expires_at": NOW + DAY},
    )  # fmt: skip
    head, row, _ = cli("principal", "list").out.splitlines()
    assert head.split() == ["REGISTRY", "ACCOUNT", "OWNER", "EXPIRES", "VERIFIED", "STATE"]
    assert "a-long-registry-name.azurecr.io/with/a/path/of/some/length  0f5c2f6e-4b1a-4c3e-9d7a-aabbccddeeff  machine learning" in row
    assert row.endswith("expiring")


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ({"dates": {"expires_at": NOW - 1}}, "expired"),
        ({"dates": {"expires_at": NOW + DAY}}, "expiring"),
        ({"dates": {"not_before": NOW + DAY}}, "early"),
        ({"dates": {"expires_at": NOW - 1}, "disabled_at": 5}, "disabled"),
    ],
)
def test_the_state_of_each_is_told(cli, keep, said, state):
    keep("registry.example", **said)
    assert cli("principal", "list").out.rstrip().endswith(state)


@pytest.mark.parametrize("argv", [("list",), ("list", "-o", "json"), ("show", "far.example"), ("verify", "--all")])
def test_a_date_beyond_all_calendars_is_shown_as_one_that_nobody_said(cli, keep, online, argv):
    keep("far.example", dates={"expires_at": 253402300800})
    assert "far.example" in (done := cli("principal", *argv)).out + done.err
    assert done.status == 0
