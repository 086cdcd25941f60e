from __future__ import annotations

import json
import os
import time

import pytest

from registryauth.stores import Slot, open_store
from registryauth.stores.principal import Check
from registryauth.testing import faults

from .conftest import CANARY

DAY = 86400


@pytest.fixture
def simulator(simulator):
    simulator.tokens.accounts.rights = {"me": ["pull"], "pusher": ["pull", "push"], "reader": []}
    simulator.tokens.accounts.passwords["pusher"] = CANARY
    return simulator


@pytest.fixture
def verify(cli, online):
    """Run the verb: its status, and the entries of its JSON."""

    def verify(*argv):
        done = cli("principal", "verify", *argv, "--output", "json")
        assert CANARY not in done.out + done.err
        assert {request.method for request in online.requests if request.url.target.startswith("/v2/")} <= {"GET"}
        return done.status, json.loads(done.out)["principals"] if done.out else None, done.err

    return verify


def test_one_principal_is_shown_line_by_line(cli, online, keep):
    keep("registry.example", owner="ml", verified_at=5)
    done = cli("principal", "verify", "registry.example/team/model")
    assert done.status == 0, done.err
    said = dict(line.split("  ", 1) for line in done.out.splitlines())
    lines = {name.strip(): value.strip() for name, value in said.items()}
    checked = lines.pop("checked at")
    assert checked.endswith("Z")
    assert lines == {
        "WHAT": "VALUE",
        "principal": "me at registry.example",
        "repository": "team/model",
        "accepted": "yes",
        "granted": "pull",
        "refused": "push, delete, metadata_read, catalog",
        "unknown": "-",
        "needed": "pull",
        "verdict": "ok: can pull",
        "evidence": "the token says",
        "secret": "-",
    }


def test_the_json_has_everything_and_the_record_keeps_it(verify, keep, kept):
    keep("registry.example")
    status, [said], _ = verify("registry.example/team/model")
    assert status == 0
    assert said.pop("checked_at")
    assert said == {
        "address": "registry.example",
        "account": "me",
        "repository": "team/model",
        "accepted": True,
        "granted": ["pull"],
        "refused": ["push", "delete", "metadata_read", "catalog"],
        "unknown": [],
        "needed": ["pull"],
        "verdict": "ok",
        "detail": "can pull",
        "hint": "",
        "evidence": "the token says",
        "notes": [],
        "expires_at": None,
        "dates": "ok",
        "kept": True,
    }
    [record] = kept()
    assert [(check.repository, check.granted) for check in record.checks] == [("team/model", ("pull",))]
    assert record.verified_at


def test_wider_than_asked_is_status_7(verify, keep):
    keep("registry.example", "pusher")
    status, [said], err = verify("registry.example/team/model")
    assert (status, said["verdict"]) == (7, "wider")
    assert said["detail"] == "can pull, and can also push: wider than asked"
    assert "hint: narrow the account's role" in err


@pytest.mark.parametrize(("account", "secret", "verdict"), [("me", "wrong-8d", "refused"), ("reader", CANARY, "lacking")])
def test_a_refused_secret_and_a_lacking_right_are_status_4_with_a_hint(verify, keep, sent, account, secret, verdict):
    keep("registry.example", account, secret)
    status, [said], err = verify("registry.example/team/model")
    assert (status, said["verdict"]) == (4, verdict)
    assert "hint: " in err
    if verdict == "refused":
        assert len(sent("wrong-8d")) == 1


def test_no_answer_is_status_6_and_leaves_the_record_alone(verify, online, keep, kept):
    keep("registry.example", verified_at=5)
    online.inject(faults.server_error("/token"))
    status, [said], _ = verify("registry.example/team/model")
    assert (status, said["verdict"], said["accepted"], said["kept"]) == (6, "unreachable", None, False)
    assert kept()[0].verified_at == 5


def test_an_open_registry_is_unverified_and_status_0(verify, online, keep, sent):
    keep("registry.example")
    online.auth = "none"
    status, [said], _ = verify("registry.example/team/model")
    assert (status, said["verdict"], said["accepted"], sent()) == (0, "unverified", None, [])


def test_a_secret_about_to_expire_is_status_7_though_its_rights_are_right(verify, keep):
    keep("registry.example", dates={"expires_at": int(time.time()) + 5 * DAY})
    status, [said], _ = verify("registry.example/team/model")
    assert (status, said["verdict"], said["dates"]) == (7, "ok", "expiring")


def test_the_span_of_warning_is_the_configured_one(verify, keep, monkeypatch):
    keep("registry.example", dates={"expires_at": int(time.time()) + 5 * DAY})
    monkeypatch.setenv("REGISTRYAUTH_RESOLVER_EXPIRY_WARNING", "3d")
    assert verify("registry.example/team/model")[0] == 0


# -- which principal, which repository --


def test_the_account_and_the_repository_can_be_named(verify, keep):
    keep("registry.example", "me")
    keep("registry.example", "pusher")
    _, [said], _ = verify("registry.example", "--account", "me", "--repository", "team/model")
    assert (said["account"], said["repository"]) == ("me", "team/model")
    _, [said], _ = verify("registry.example", "--account", "pusher", "--repository", "registry.example/team/model")
    assert (said["account"], said["repository"]) == ("pusher", "team/model")


def test_what_was_looked_at_before_is_looked_at_again(verify, keep):
    keep("registry.example")
    verify("registry.example/team/a")
    verify("registry.example/team/b")
    _, said, _ = verify("registry.example")
    assert [each["repository"] for each in said] == ["team/b", "team/a"]


def test_a_wildcard_is_asked_about_at_a_host_that_is_named(verify, cli, online, home):
    argv = ("--client-id", "me", "--secret-stdin", "--no-verify", "--wildcard")
    assert cli("principal", "add", "*.cloud.example", *argv, stdin=CANARY).status == 0
    status, [said], _ = verify("*.cloud.example")
    assert (status, said["verdict"], online.requests) == (0, "unverified", [])
    status, [said], _ = verify("one.cloud.example/team/model")
    assert (status, said["verdict"], said["address"], said["repository"]) == (0, "ok", "*.cloud.example", "team/model")
    assert {request.url.origin.host for request in online.requests} == {"one.cloud.example"}


def test_no_principal_there_is_status_3(cli, online, keep):
    keep("other.example")
    done = cli("principal", "verify", "registry.example/team/model")
    assert (done.status, online.requests) == (3, [])
    assert "principal list" in done.err


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ((), "say --all"),
        (("registry.example", "--all"), "say --all"),
        (("--all", "--account", "me"), "leave --repository and --account out"),
        (("--all", "--repository", "x"), "leave --repository and --account out"),
        (("registry.example/team/model:v1",), "no tag"),
        (("registry.example/team", "--repository", "other/model"), "is not in registry.example/team"),
        (("registry.example/team", "--repository", "team/model:v1"), "no tag"),
        (("registry.example", "--repository", "team/../x"), "a repository path is"),
    ],
)
def test_a_command_line_that_makes_no_sense_is_status_2(cli, online, keep, argv, said):
    keep("registry.example")
    keep("registry.example/team")
    done = cli("principal", "verify", *argv)
    assert (done.status, online.requests) == (2, [])
    assert said in done.err


# -- all of them --


@pytest.fixture
def several(keep):
    keep("a.example", "me")
    keep("b.example/team/model", "pusher")
    keep("c.example", "me", "wrong-8d")


def test_all_are_looked_at_though_one_fails_and_a_summary_is_told(cli, online, several, keep):
    keep("d.example", "me", disabled_at=5)
    done = cli("principal", "verify", "--all")
    assert done.status == 4
    head, *rows = done.out.splitlines()
    assert head.split() == ["WHERE", "ACCOUNT", "CAN", "VERDICT"]
    assert [row.split()[0] for row in rows] == ["a.example", "b.example/team/model", "c.example"]
    assert [row.split()[-1] for row in rows] == ["accepted", "wider", "refused"]
    assert "1 disabled and not asked about." in done.err
    assert "3 principals looked at: 1 accepted, 1 wider, 1 refused." in done.err
    assert "hint: name a repository: registryauth principal verify a.example/REPOSITORY --account me\n" in done.err
    assert "c.example, me: " in done.err
    assert "d.example" not in {request.url.origin.host for request in online.requests}
    assert CANARY not in done.out + done.err


@pytest.mark.parametrize(
    ("records", "status"),
    [
        ({"good": "me"}, 0),
        ({"good": "me", "down": "me"}, 6),
        ({"down": "me", "wide/team/model": "pusher"}, 7),
        ({"down": "me", "wide/team/model": "pusher", "good": "unknown"}, 4),
        ({"gone": "me", "wide/team/model": "pusher"}, 1),
        ({"gone": "me", "good": "unknown"}, 4),
        ({}, 0),
    ],
)
def test_the_status_is_the_weightiest(verify, online, keep, records, status):
    for address, account in records.items():
        host, slash, path = address.partition("/")
        keep(f"{host}.example{slash}{path}", account)
    down, gone = faults.server_error("/", status=500), faults.server_error("/", status=404)
    hosts = {"down.example": down, "gone.example": gone}
    online.inject(lambda request: hosts[request.url.origin.host](request) if request.url.origin.host in hosts else None)
    assert verify("--all")[0] == status


def test_the_table_has_every_name_whole(cli, online, keep):
    account, address = "0f5c2f6e-4b1a-4c3e-9d7a-aabbccddeeff", "a-long-registry-name.azurecr.io/with/a/path/of/some/length"
    online.tokens.accounts.passwords[account] = CANARY
    keep(address, account, dates={"expires_at": 2**32})
    head, row = cli("principal", "verify", "--all").out.splitlines()
    assert head.split() == ["WHERE", "ACCOUNT", "CAN", "VERDICT"]
    assert address in row
    assert account in row


# -- what is kept --


def test_no_store_only_prints(verify, keep, kept):
    keep("registry.example")
    before = kept()
    _, [said], _ = verify("registry.example/team/model", "--no-store")
    assert (said["verdict"], said["kept"]) == ("ok", False)
    assert kept() == before


def test_a_store_that_cannot_be_written_is_a_warning_and_the_answer_stands(verify, keep, monkeypatch):
    keep("registry.example")
    from registryauth.errors import StoreUnavailable
    from registryauth.stores.encrypted import EncryptedStore

    def refuse(*_, **__):
        raise StoreUnavailable("the store is on a read-only disk")

    monkeypatch.setattr(EncryptedStore, "put", refuse)
    status, [said], err = verify("registry.example/team/model")
    assert (status, said["verdict"], said["kept"]) == (0, "ok", False)
    assert "warning: what was found of me at registry.example is not kept: the store is on a read-only disk" in err


def test_both_secrets_are_presented_once_and_a_refused_old_one_is_a_note(verify, keep, sent):
    keep("registry.example")
    store = open_store(environ=os.environ)
    [record] = store.list()
    store.put(record.replace(slots=(Slot(CANARY, serial=2), Slot("old-11", serial=1))))
    store.close()
    status, [said], _ = verify("registry.example/team/model")
    assert (status, said["verdict"]) == (0, "ok")
    assert said["notes"][0].startswith("the second secret is refused")
    assert len(sent("old-11")) == 1


def test_what_a_token_says_cannot_move_the_cursor(cli, online, keep):
    online.tokens.accounts.rights["me"] = ["pull"]
    keep("registry.example", owner="\x1b[2J")
    online.inject(faults.terminal_escapes("/token", status=403))
    done = cli("principal", "verify", "registry.example/team/model")
    assert done.status == 4
    assert "\x1b" not in done.out + done.err


def test_a_principal_of_several_repositories_counts_once_by_the_worst_of_it(cli, online, keep):
    checks = tuple(Check(path, ("pull",), (), "", 5) for path in ("team/model", "team/base"))
    keep("a.example", "pusher", checks=checks)
    keep("b.example", "me", checks=checks[:1])
    done = cli("principal", "verify", "--all")
    assert len(done.out.splitlines()) == 4, "a heading, and a line for each repository"
    [said] = [line for line in done.err.splitlines() if "looked at" in line]
    assert said == "2 principals looked at: 1 wider, 1 ok."
