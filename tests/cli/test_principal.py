from __future__ import annotations

import pytest

from registryauth.stores.principal import KINDS

from .conftest import CANARY


@pytest.fixture
def add(cli, online):
    def add(*options, client_id="me", stdin=CANARY + "\n", address="registry.example"):
        return cli("principal", "add", address, "--client-id", client_id, "--secret-stdin", *options, stdin=stdin)

    return add


def test_a_principal_is_verified_and_kept_with_what_an_admin_wants_to_know(add, load, kept):
    done = add("--tenant", "t-1", "--owner", "ml platform", "--purpose", "nightly", "--expires", "2099-05-01", "--repository", "team/model")
    assert done.status == 0, done.err
    assert "Stored me for registry.example: verified; the token for team/model grants pull." in done.err
    [record] = kept()
    assert (record.made_by, record.kind, record.slots[0].secret) == ("admin", "service-principal", CANARY)
    [shown] = load("principal", "list")["principals"]
    created, verified = shown.pop("created_at"), shown.pop("verified_at")
    assert created == verified
    assert {name: shown[name] for name in ("disabled", "last_used_at", "needed", "labels", "rights")} == {
        "disabled": False,
        "last_used_at": None,
        "needed": ["pull"],
        "labels": {},
        "rights": [],
    }
    registered = ("address", "account", "kind", "made_by", "tenant", "owner", "purpose", "realm", "insecure", "expires_at", "revision")
    assert {name: shown[name] for name in registered} == {
        "address": "registry.example",
        "account": "me",
        "kind": "service-principal",
        "made_by": "admin",
        "tenant": "t-1",
        "owner": "ml platform",
        "purpose": "nightly",
        "realm": "",
        "insecure": False,
        "expires_at": "2099-05-01T00:00:00Z",
        "revision": 1,
    }


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_registered(add, online, kept, kind):
    stdin = online.identity_token("me") if kind == "identity-token" else CANARY
    assert add("--kind", kind, stdin=stdin).status == 0
    assert kept()[0].kind == kind


@pytest.mark.parametrize("kind", ["", "person", "service principal"])
def test_another_kind_is_status_2_and_the_right_ones_are_named(add, online, kind):
    done = add("--kind", kind)
    assert (done.status, online.requests) == (2, [])
    assert f"--kind is one of {', '.join(KINDS)}" in done.err


def test_a_wrong_secret_is_not_registered(add, kept, sent):
    done = add(stdin="wrong-9c")
    assert (done.status, kept(), len(sent("wrong-9c"))) == (4, [], 1)


def test_without_the_right_to_pull_it_is_not_registered(add, kept):
    done = add("--repository", "team/model", client_id="reader")
    assert (done.status, kept()) == (4, [])
    assert "AcrPull" in done.err


def test_the_secret_s_own_option_is_named_where_nobody_can_be_asked(cli, online):
    done = cli("principal", "add", "registry.example", "--client-id", "me")
    assert done.status == 2
    assert "use --secret-stdin" in done.err
    assert "--password-stdin" not in done.err


def test_the_client_id_is_needed(cli):
    done = cli("principal", "add", "registry.example", "--secret-stdin", stdin=CANARY)
    assert done.status == 2
    assert "--client-id" in done.err


def test_rotating_a_secret_keeps_the_notes(add, accounts, load):
    add("--owner", "ml", "--expires", "2099-01-01")
    accounts["me"] = "renewed"
    done = add("--expires", "2100-01-01", stdin="renewed")
    assert "in place of the earlier secret" in done.err
    [shown] = load("principal", "list")["principals"]
    assert (shown["owner"], shown["expires_at"], shown["revision"]) == ("ml", "2100-01-01T00:00:00Z", 2)


def test_the_table_shows_dates_and_owners(cli, add):
    add("--owner", "ml platform", "--expires", "2099-05-01")
    head, row = cli("principal", "list").out.splitlines()
    assert head.split("  ")[0] == "REGISTRY"
    for word in ("registry.example", "me", "ml platform", "2099-05-01"):
        assert word in row


def test_what_is_stored_cannot_move_the_cursor_of_who_lists_it(cli, keep, home):
    keep("registry.example", "a\x1b[2Jb", owner="\x1b]0;owned\x07\u202eevil\r\n2nd", purpose="\x9b31m", made_by="admin")
    for verb in (["principal", "list"], ["list"]):
        done = cli(*verb)
        assert done.status == 0
        assert not set("\x1b\x07\x9b\u202e\r") & set(done.out)
        assert len(done.out.splitlines()) == 2
    assert "\x1b" not in cli("principal", "list", "-o", "json").out
    assert "\x1b" not in cli("principal", "list", "-o", "yaml").out
    done = cli("logout", "registry.example")
    assert "\x1b" not in done.err
