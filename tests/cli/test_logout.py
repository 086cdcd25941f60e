from __future__ import annotations

import base64
import json
import sqlite3

import pytest

from .conftest import CANARY


def test_what_was_stored_is_removed_and_named(cli, keep, kept):
    keep("registry.example", "a")
    keep("registry.example", "b", made_by="admin")
    keep("registry.example/team")
    keep("other.example")
    done = cli("logout", "https://registry.example/")
    assert (done.status, done.out) == (0, "")
    assert done.err == "Removing login credentials for registry.example: a\nRemoving login credentials for registry.example: b\n"
    assert [str(record.address) for record in kept()] == ["other.example", "registry.example/team"]


def test_one_account_may_be_named(cli, keep, kept):
    keep("registry.example", "a")
    keep("registry.example", "b")
    done = cli("logout", "registry.example", "--account", "a")
    assert done.status == 0
    assert "Removing login credentials for registry.example: a\n" in done.err
    assert "warning: store still has a credential for it: " in done.err
    assert "registry.example is covered by the entry for registry.example, account b" in done.err
    assert [record.account for record in kept()] == ["b"]


@pytest.mark.parametrize("options", [[], ["--account", "nobody"]])
def test_nothing_to_remove_is_status_3(cli, keep, kept, options):
    keep("other.example")
    keep("registry.example/team")
    done = cli("logout", "registry.example", *options)
    assert (done.status, done.out) == (3, "")
    assert "error: no credential" in done.err
    assert "hint: 'registryauth list'" in done.err
    assert len(kept()) == 2


def test_an_empty_home_stays_empty(cli, home):
    assert cli("logout", "registry.example").status == 3
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("stored", [True, False])
def test_another_source_that_still_has_one_is_named(cli, keep, home, monkeypatch, stored):
    if stored:
        keep("registry.example")
    (home / ".docker").mkdir()
    auth = base64.b64encode(f"them:{CANARY}".encode()).decode()
    (home / ".docker/config.json").write_text(json.dumps({"auths": {"registry.example": {"auth": auth}}}))
    done = cli("logout", "registry.example")
    assert done.status == (0 if stored else 3)
    assert "warning: docker config still has a credential for it: " in done.err
    assert "account them" in done.err
    assert CANARY not in done.err
    assert auth not in done.err


def test_a_source_that_cannot_be_read_is_a_warning_and_the_record_is_gone_all_the_same(cli, keep, kept, home):
    keep("registry.example")
    (home / ".docker").mkdir()
    (home / ".docker/config.json").write_text("{not json")
    done = cli("logout", "registry.example")
    assert (done.status, kept()) == (0, [])
    assert "warning: whether another source still has a credential for it cannot be told" in done.err


def test_a_path_that_a_wider_entry_still_covers_is_warned_of(cli, keep):
    keep("registry.example")
    keep("registry.example/team")
    done = cli("logout", "registry.example/team")
    assert "warning: store still has a credential for it: team is covered by the entry for registry.example" in done.err


def test_a_public_registry_needs_no_warning(cli, keep):
    keep("mcr.microsoft.com")
    assert cli("logout", "mcr.microsoft.com").err == "Removing login credentials for mcr.microsoft.com: me\n"


def test_a_damaged_record_is_removed_by_its_account_as_the_message_says(cli, keep, kept, home):
    keep("registry.example", "bad")
    keep("registry.example", "good")
    with sqlite3.connect(home / ".local/share/registryauth/store.db") as connection:
        connection.execute("UPDATE secrets SET sealed = zeroblob(60) WHERE account = 'bad'")
    connection.close()
    done = cli("logout", "registry.example")
    assert done.status == 5
    assert "registry.example bad" in done.err or "bad" in done.err
    assert "--account" in done.err
    assert cli("logout", "registry.example", "--account", "bad").status == 0
    assert [record.account for record in kept()] == ["good"]


@pytest.mark.parametrize("address", ["registry.example/x:v1", "not a registry", "myregistry"])
def test_what_is_no_address_is_status_2(cli, address):
    assert cli("logout", address).status == 2


def test_all_removes_every_login_and_keeps_what_an_admin_registered(cli, keep, kept):
    keep("registry.example", "a")
    keep("other.example/team", "b", made_by="docker")
    keep("registry.example", "c", made_by="admin")
    done = cli("logout", "--all")
    assert (done.status, done.out) == (0, "")
    assert done.err.splitlines() == [
        "Removing login credentials for other.example/team: b",
        "Removing login credentials for registry.example: a",
        "1 that an admin registered stays: 'registryauth principal remove' removes them.",
    ]
    assert [record.account for record in kept()] == ["c"]
    assert cli("logout", "--all").err.startswith("There was no login to remove.\n")


@pytest.mark.parametrize("argv", [[], ["registry.example", "--all"], ["--all", "--account", "a"]])
def test_a_logout_is_from_one_registry_or_from_all(cli, keep, kept, argv):
    keep("registry.example", "a")
    done = cli("logout", *argv)
    assert done.status == 2
    assert "name a registry, or say --all alone" in done.err
    assert len(kept()) == 1


def test_a_wildcard_is_logged_out_of_like_any_other(cli, keep, kept):
    keep("*.registry.example", "a")
    assert cli("logout", "*.registry.example").err == "Removing login credentials for *.registry.example: a\n"
    assert kept() == []
