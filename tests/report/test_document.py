from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registryauth.principals import Finding, Rights
from registryauth.report import document

from ..principals.a_principal import PRINCIPALS
from .a_fleet import CANARY, DAY, NOW, WITHIN, check, consumer, fleet, principal, slot


def kinds(data):
    return [issue["what"] for issue in data["attention"]]


def test_the_figures_count_what_is_there(report):
    assert report(used=lambda key: 0 if key.account == "robot$legacy" else NOW)["figures"] == {
        "principals": 9,
        "registries": 5,
        "expired": 1,
        "expiring": 2,
        "over_privileged": 1,
        "never_used": 1,
        "never_verified": 1,
        "disabled": 1,
        "kept_secrets": 1,
    }


def test_what_is_urgent_comes_first(report):
    data = report(used=lambda key: 0 if key.account == "robot$legacy" else NOW)
    assert kinds(data) == [
        "expired",
        "over-privileged",
        "never-used",
        "lacking",
        "expiring",
        "expiring",
        "kept-secret",
        "consumers-behind",
        "never-verified",
    ]
    ending = [issue for issue in data["attention"] if issue["what"] == "expiring"]
    assert [issue["detail"] for issue in ending] == ["expires in 12 days (2026-12-04)", "expires in 27 days (2026-12-19)"]


def test_each_thing_to_mend_has_the_command_that_mends_it(report):
    said = {(i["what"], i["account"]): i["command"] for i in report(used=lambda key: 0 if "robot" in key.account else NOW)["attention"]}
    sp, edge = "7be1d0c4-51a2-4f0e-8c77-90e3c1a4d2f5", "c3a9f2d1-0000-4b7a-a1e2-6f1f0b9d8e7c"
    assert said == {
        ("expired", "0f5c2f6e-8b1d-4c6e-9a53-2d7f64c1b0aa"): "registryauth principal rotate contoso.azurecr.io/team",
        ("over-privileged", sp): f"registryauth principal verify contoso.azurecr.io/team/model --account {sp}",
        ("never-used", "robot$legacy"): "registryauth principal disable edge.azurecr.io --account 'robot$legacy'",
        ("lacking", "ci-pull"): "registryauth principal verify contoso.azurecr.io/team/model --account ci-pull",
        ("expiring", "ci-pull"): "registryauth principal rotate contoso.azurecr.io --account ci-pull",
        ("expiring", edge): f"registryauth principal rotate edge.azurecr.io --account {edge}",
        ("kept-secret", edge): f"registryauth principal prune edge.azurecr.io --account {edge}",
        ("consumers-behind", edge): f"registryauth principal consumers edge.azurecr.io --account {edge}",
        ("never-verified", "robot$legacy"): "registryauth principal verify edge.azurecr.io --account 'robot$legacy'",
    }


@pytest.mark.parametrize(
    ("said", "command"),
    [
        ({"made_by": "login", "kind": "user"}, "registryauth login r.example --username me"),
        ({"made_by": "docker", "kind": "identity-token"}, "registryauth login r.example"),
        ({"labels": (("registryauth/entra", "device-code"),), "kind": "identity-token"}, "registryauth azure acr login r.example"),
        ({}, "registryauth principal rotate r.example"),
    ],
)
def test_a_secret_is_renewed_as_it_came(report, said, command):
    (issue,) = report([principal("r.example", "me", slot(-1), verified_at=5, **said)])["attention"]
    assert (issue["what"], issue["command"]) == ("expired", command)


def test_an_account_that_cannot_be_typed_gets_no_command(report):
    data = report([principal("r.example", "a\nb", slot(-1)), principal("r.example", "c")])
    assert [issue["command"] for issue in data["attention"] if issue["account"] == "a\nb"] == [None, None]


def test_what_renews_itself_is_not_about_to_expire(report):
    token = principal("r.example", "t", slot(1), kind="identity-token", labels=(("registryauth/entra", "cli"),), verified_at=5)
    data = report([token])
    assert (data["figures"]["expiring"], kinds(data)) == (0, [])
    assert data["expiries"]["months"][0]["count"] == data["expiries"]["not_said"] == 0
    assert data["registries"][0]["principals"][0]["renews_itself"] is True


def test_one_that_is_disabled_counts_as_that_alone(report):
    off = principal("r.example", "me", slot(-3), disabled_at=5, checks=(check("x", "pull push"),))
    data = report([off], used=lambda _: 0)
    assert data["attention"] == []
    assert {name: count for name, count in data["figures"].items() if count} == {"principals": 1, "registries": 1, "disabled": 1}


def test_but_its_old_secret_is_asked_for(report):
    off = principal("r.example", "me", slot(9), slot(2, serial=0, remove_after=NOW - DAY), disabled_at=5)
    assert kinds(report([off])) == ["kept-secret"]


def test_an_old_secret_whose_time_has_not_come_needs_nothing(report):
    data = report([principal("r.example", "me", slot(90), slot(2, serial=0, remove_after=NOW + 1), verified_at=5)])
    assert (kinds(data), data["figures"]["kept_secrets"]) == ([], 1)


def test_to_read_more_than_needed_is_no_alarm_and_to_write_is_one(report):
    reading = principal("r.example", "a", verified_at=5, checks=(check("x", "pull metadata_read catalog", "push delete"),))
    writing = principal(
        "r.example/w", "b", verified_at=5, checks=(check("w/x", "pull push metadata_write", ""), check("w/y", "pull delete"))
    )
    (issue,) = report([reading, writing])["attention"]
    assert issue["detail"] == "can also push, metadata_write and delete in w/x, w/y"
    # Which of the two counts goes by a mode that nobody told.
    assert all(role in issue["next"] for role in ("AcrPull", "Container Registry Repository Reader"))


def test_what_was_given_to_a_target_was_used(report):
    used, unused = (
        principal(f"{name}.example", name, verified_at=5, **said) for name, said in (("a", {"consumers": (consumer("f"),)}), ("b", {}))
    )
    data = report([used, unused], used=lambda _: 0)
    assert [(issue["what"], issue["account"]) for issue in data["attention"]] == [("never-used", "b")]
    assert data["attention"][0]["detail"] == "never asked for here; registered 300 days ago (2026-01-26)"


@pytest.mark.parametrize(("age", "kinds_of_it"), [(7 * DAY - 1, []), (7 * DAY, ["never-used"]), (NOW, ["never-used"])])
def test_one_that_is_new_may_wait_for_its_first_use(report, age, kinds_of_it):
    data = report([principal("r.example", "me", verified_at=5, created_at=NOW - age)], used=lambda _: 0)
    assert kinds(data) == kinds_of_it
    assert data["registries"][0]["principals"][0]["never_used"] is bool(kinds_of_it)


def test_the_dates_that_end_are_counted_by_month(report):
    days = (-1, 0.5, 40, 45, 400, None)
    data = report([principal(f"r{at}.example", "me", slot(each and int(each * 2) / 2 if each else each)) for at, each in enumerate(days)])
    expiries = data["expiries"]
    assert {month["month"]: month["count"] for month in expiries["months"] if month["count"]} == {"2026-11": 1, "2027-01": 2}
    assert (expiries["expired"], expiries["later"], expiries["not_said"], len(expiries["months"])) == (1, 1, 1, 12)


def test_rights_are_told_with_whose_word_and_when(report):
    data = report([principal("r.example", "me", needed=("push",), checks=(check("x", "pull delete", "push", evidence="the token says"),))])
    assert data["registries"][0]["principals"][0]["rights"] == [
        {
            "repository": "x",
            "granted": ["pull", "delete"],
            "refused": ["push"],
            "unknown": ["metadata_read", "catalog"],
            "not_needed": ["delete"],
            "lacking": ["push"],
            "evidence": "the token says",
            "checked_at": "2026-11-20T12:00:00Z",
        }
    ]


@pytest.mark.parametrize(
    ("verdict", "kind"), [("refused", "refused"), ("unreachable", "unanswered"), ("failed", "unanswered"), ("unverified", "never-verified")]
)
def test_what_a_registry_says_now_counts(report, verdict, kind):
    record = principal("r.example", "me")
    found = Finding(record, "x", verdict, "it says no", hint="do this", rights=Rights(), checked_at=NOW)
    data = report([record], asked={record.key: [found]})
    assert data["asked"] is True
    assert [(issue["what"], issue["detail"], issue["next"]) for issue in data["attention"]] == [(kind, "it says no", "do this")]
    assert data["registries"][0]["principals"][0]["answers"][0]["verdict"] == verdict


def test_principals_stand_below_their_registry_in_the_order_of_their_names(report):
    data = report()
    assert [registry["registry"] for registry in data["registries"]] == [
        "*.apps.contoso.example",
        "contoso.azurecr.io",
        "docker.io",
        "edge.azurecr.io",
        "registry.contoso.example:5000",
    ]
    assert [registry["provider"] for registry in data["registries"]] == [
        None,
        "Azure Container Registry",
        "Docker Hub",
        "Azure Container Registry",
        None,
    ]
    assert [len(registry["principals"]) for registry in data["registries"]] == [1, 3, 1, 2, 2]


@given(st.lists(PRINCIPALS, max_size=4, unique_by=lambda record: record.key), st.integers(0, 2**40), st.integers(1, 2**40))
def test_whatever_is_stored_gives_a_document_that_json_can_carry(records, used, within):
    data = document(records, lambda _: used, NOW, within)
    assert json.loads(json.dumps(data)) == data
    assert data["figures"]["principals"] == len(records) == sum(len(registry["principals"]) for registry in data["registries"])


def test_no_secret_is_in_it():
    assert CANARY in repr([each.secret for record in fleet() for each in record.slots])
    assert CANARY not in json.dumps(document(fleet(), lambda _: 0, NOW, WITHIN))
