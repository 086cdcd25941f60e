from __future__ import annotations

import json

import pytest

from registryauth.cli.principal.document import document
from registryauth.reference import Address
from registryauth.stores import Check, Consumer, Principal, Slot

from .conftest import CANARY


@pytest.fixture
def add(cli, online):
    def add(*options, client_id="me", stdin=CANARY + "\n", address="registry.example"):
        return cli("principal", "add", address, "--client-id", client_id, "--secret-stdin", *options, stdin=stdin)

    return add


# -- add --


def test_everything_that_an_admin_says_is_kept_and_shown(add, load):
    done = add(
        "--tenant", "t-1", "--cloud", "azure", "--owner", "ml", "--purpose", "nightly", "--label", "env=prod", "--label", "note=a=b",
        "--need", "pull,push", "--need", "push", "--need", "catalog", "--expires", "2099-05-01", "--not-before", "2020-01-01",
    )  # fmt: skip
    assert done.status == 0, done.err
    [shown] = load("principal", "show", "registry.example")["principals"]
    assert [shown[name] for name in ("tenant", "cloud", "owner", "purpose")] == ["t-1", "azure", "ml", "nightly"]
    assert (shown["labels"], shown["needed"]) == ({"env": "prod", "note": "a=b"}, ["pull", "push", "catalog"])
    [secret] = shown["secrets"]
    assert (secret["not_before"], secret["expires_at"]) == ("2020-01-01T00:00:00Z", "2099-05-01T00:00:00Z")
    assert (secret["serial"], secret["role"], secret["usable"]) == (1, "current", True)
    assert shown["updated_at"] == shown["created_at"]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--cloud", "moon"], "--cloud is one of aws, aws-china, azure"),
        (["--label", "prod"], "--label is NAME=VALUE, and 'prod' has no ="),
        (["--label", "a b=c"], "is no name of a label"),
        (["--need", "fetch"], "'fetch' is no action"),
        (["--need", ""], "'' is no action"),
        (["--not-before", "1900-01-01"], "is over already"),
        (["--not-before", "2099-01-02", "--expires", "2099-01-01"], "expire before it may be used"),
        (["--wildcard"], "--wildcard goes with *.example.com"),
    ],
)
def test_what_makes_no_sense_is_status_2_and_nothing_is_sent(add, online, kept, options, complaint):
    done = add(*options)
    assert (done.status, online.requests, kept()) == (2, [], [])
    assert complaint in done.err


@pytest.mark.parametrize("secret", [" both ends ", "pässwörd \U0001f511", "a:b", "x" * 65536])
def test_a_secret_of_any_kind_is_registered_as_it_is(add, accounts, kept, secret):
    accounts["me"] = secret
    assert add(stdin=secret + "\n").status == 0
    assert kept()[0].slots[0].secret == secret


def test_a_secret_of_two_lines_is_refused(add, online, kept):
    done = add(stdin="two\nlines\n")
    assert (done.status, online.requests, kept()) == (2, [], [])
    assert "line break" in done.err


def test_a_second_account_is_not_the_default_unless_it_is_said(add, accounts, cli, load):
    add()
    done = add("--no-verify", client_id="second")
    assert "It is not the default account there" in done.err
    resolved = ["resolve", "registry.example/team/model"]
    assert " me " in cli(*resolved).out
    add("--no-verify", "--default", client_id="third")
    assert " third " in cli(*resolved).out
    assert "second is the default account for registry.example." in cli("principal", "default", "registry.example", "second").err
    assert " second " in cli(*resolved).out
    assert cli("principal", "default", "registry.example", "nobody").status == 3


def test_a_wildcard_is_opt_in(add, kept, online):
    done = add(address="*.corp.example")
    assert (done.status, kept()) == (2, [])
    assert "an address like *.example.com needs --wildcard" in done.err
    done = add("--wildcard", address="*.corp.example")
    assert (done.status, kept(), online.requests) == (2, [], [])
    assert "--repository HOST/PATH; or --no-verify" in done.err
    done = add("--wildcard", "--repository", "eu.corp.example/team/model", address="*.corp.example")
    assert done.status == 0, done.err
    assert "Stored me for *.corp.example: verified; the token for team/model grants pull." in done.err
    assert {request.url.origin.host for request in online.requests} == {"eu.corp.example"}


def test_a_wildcard_is_resolved_shown_and_removed(add, cli, load):
    add("--wildcard", "--no-verify", address="*.corp.example")
    assert " me " in cli("resolve", "eu.corp.example/team/model").out
    assert load("principal", "show", "*.corp.example")["principals"][0]["address"] == "*.corp.example"
    assert cli("principal", "remove", "*.corp.example", "--yes").status == 0
    assert cli("resolve", "eu.corp.example/team/model").status == 3


@pytest.mark.parametrize(
    "pattern", ["*.azurecr.io", "*.eastus.data.azurecr.io", "*.pkg.dev", "*.dkr.ecr.eu-west-1.amazonaws.com", "*.co.uk"]
)
def test_a_wildcard_over_hosts_of_others_is_refused_before_a_secret_is_asked_for(add, kept, pattern):
    done = add("--wildcard", "--no-verify", address=pattern)
    assert (done.status, kept()) == (2, [])
    assert "would cover hosts of others" in done.err


def test_plain_http_is_refused_to_a_wildcard(add, kept):
    done = add("--wildcard", "--no-verify", "--insecure", address="*.corp.example")
    assert (done.status, kept()) == (2, [])
    assert "plain http" in done.err


# -- show --

FULL = Principal(
    Address.parse("registry.example/team"), "me",
    (Slot(CANARY, 1, 2_000_000_000, 0, 0, 7, "kid"), Slot("old-secret", 1, 0, 0, 1_900_000_000, 6)),
    kind="service-principal", made_by="admin", tenant="t", owner="o", purpose="p", realm="https://auth.example/token", insecure=True,
    created_at=1, verified_at=2, preferred_at=3, disabled_at=4, updated_at=5, cloud="azure", labels=(("env", "prod"),), needed=("pull",),
    checks=(Check("team/app", ("pull",), ("push",), "the token says", 6),), consumers=(Consumer("/a.yaml", "kubernetes-secret", 6, 7),),
)  # fmt: skip


@pytest.fixture
def full():
    import os

    from registryauth.stores import open_store

    store = open_store(environ=os.environ)
    store.put(FULL)
    store.close()


def test_everything_known_is_shown_but_the_secrets(full, cli, load):
    table = cli("principal", "show", "registry.example/team")
    assert table.status == 0
    for word in (
        "me (the default there)", "service-principal, made by admin", "since 1970-01-01T00:00:04Z", "azure", "env=prod",
        "https://auth.example/token", "current, since", "expires 2033-05-18", "key kid", "old, since", "may be removed from 2030-03-17",
        "may pull; may not push; the token says", "/a.yaml (kubernetes-secret), secret 6 (old)",
    ):  # fmt: skip
        assert word in table.out, word
    [shown] = load("principal", "show", "registry.example/team", "--account", "me")["principals"]
    assert [secret["role"] for secret in shown["secrets"]] == ["current", "old"]
    assert shown["rights"][0]["refused"] == ["push"]
    yaml = cli("principal", "show", "registry.example/team", "-o", "yaml")
    for out in (table.out, json.dumps(shown), yaml.out):
        assert CANARY not in out
        assert "old-secret" not in out


def test_the_document_says_something_of_every_field_but_the_secrets():
    said = json.dumps(document(FULL, 10, last_used=9))
    for name in Principal.__match_args__:
        shown = {"slots": "secrets", "preferred_at": "default", "checks": "rights"}.get(name, name)
        assert f'"{shown}": ' in said, name
    for name in Slot.__match_args__[1:]:
        assert f'"{name}": ' in said, name
    assert "1970-01-01T00:00:09Z" in said


def test_every_account_there_is_shown_unless_one_is_named(keep, load):
    keep("registry.example", "a")
    keep("registry.example", "b")
    assert [shown["account"] for shown in load("principal", "show", "registry.example")["principals"]] == ["a", "b"]
    assert [shown["account"] for shown in load("principal", "show", "registry.example", "--account", "b")["principals"]] == ["b"]


def test_what_is_stored_cannot_move_the_cursor_of_who_looks(keep, cli):
    keep("registry.example", "a\x1b[2Jb", owner="\x1b]0;x\x07", labels=(("x", "\u202e"),), consumers=(Consumer("\x9b31m", "\x1bc", 1, 1),))
    for verb in (["show"], ["consumers"], ["disable"], ["enable"], ["prune"], ["remove", "--yes"]):
        done = cli("principal", verb[0], "registry.example", *verb[1:])
        assert done.status == 0, verb
        assert not set("\x1b\x07\x9b\u202e\r") & set(done.out + done.err), verb


def test_when_it_was_last_used_is_shown(add, cli, load):
    add()
    assert load("principal", "show", "registry.example")["principals"][0]["last_used_at"] is None
    assert cli("resolve", "registry.example/team/model", "--format", "env").status == 0
    assert load("principal", "show", "registry.example")["principals"][0]["last_used_at"].startswith("20")


# -- disable, enable --


def test_a_disabled_principal_is_handed_to_nobody_until_it_is_enabled(add, cli, load):
    add()
    done = cli("principal", "disable", "registry.example")
    assert done.status == 0
    assert "me at registry.example is disabled since 20" in done.err
    assert cli("resolve", "registry.example/team/model").status == 3
    assert load("principal", "show", "registry.example")["principals"][0]["disabled_at"]
    assert cli("principal", "enable", "registry.example").err == "me at registry.example is in use.\n"
    assert cli("resolve", "registry.example/team/model").status == 0


def test_a_disabled_principal_that_is_registered_again_stays_so_and_that_is_said(add, cli, kept):
    add()
    cli("principal", "disable", "registry.example")
    assert "It is disabled and handed to nobody" in add("--owner", "ml").err
    assert kept()[0].disabled_at


def test_what_was_given_a_secret_is_pointed_to_when_it_is_switched_off(full, cli):
    assert "registryauth principal consumers registry.example/team" in cli("principal", "disable", "registry.example/team").err


# -- remove --


def test_removing_needs_a_yes(add, cli, kept):
    add("--owner", "ml")
    done = cli("principal", "remove", "registry.example")
    assert (done.status, len(kept())) == (2, 1)
    assert "would remove me at registry.example (service-principal, owner ml, 1 secret), and there is no terminal" in done.err
    assert "--yes" in done.err
    done = cli("principal", "remove", "registry.example", "--yes")
    assert (done.status, kept()) == (0, [])
    assert done.err == "Removed me at registry.example (service-principal, owner ml, 1 secret).\n"


@pytest.mark.parametrize(("answer", "status", "left"), [("y\n", 0, 0), ("n\n", 1, 1), ("\n", 1, 1)])
def test_a_person_at_a_terminal_is_asked(add, cli, kept, monkeypatch, answer, status, left):
    add()
    monkeypatch.setattr("registryauth.cli.console.is_terminal", lambda _: True)
    done = cli("principal", "remove", "registry.example", stdin=answer)
    assert (done.status, len(kept())) == (status, left)
    assert "Remove me at registry.example (service-principal, 1 secret)?" in done.err
    assert ("Nothing was removed." in done.err) is bool(left)


def test_of_several_accounts_none_is_removed_unless_named(keep, cli, kept):
    keep("registry.example", "a")
    keep("registry.example", "b")
    assert cli("principal", "remove", "registry.example", "--yes").status == 2
    assert cli("principal", "remove", "registry.example", "--yes", "--account", "a").status == 0
    assert [record.account for record in kept()] == ["b"]


def test_who_still_has_the_secret_of_a_removed_one_is_named(full, cli):
    assert "still has it: /a.yaml" in cli("principal", "remove", "registry.example/team", "--yes").err
