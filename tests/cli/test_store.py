"""``store``: checking, rekeying, copying and moving the file that keeps the secrets, as a person types it."""

from __future__ import annotations

import base64
import json
import sqlite3
import stat
from contextlib import closing

import pytest

from registryauth.stores import kdf, passphrase_key
from registryauth.stores.memory import MemoryStore

from .conftest import CANARY

MASTER = base64.b64encode(bytes(range(32))).decode()
PHRASE = "correct horse battery"


@pytest.fixture(autouse=True)
def _cheap_derivation(monkeypatch):
    monkeypatch.setattr(passphrase_key, "_derived", {})
    monkeypatch.setattr(kdf, "derive", lambda phrase, said: (phrase[:16] + said["salt"]).encode().ljust(32, b".")[:32])


@pytest.fixture
def database(home):
    return home / ".local/share/registryauth/store.db"


def edit(database, statement):
    with closing(sqlite3.connect(database)) as connection, connection:
        assert connection.execute(statement).rowcount != 0


# -- check --


def test_a_sound_store_is_exit_0(cli, load, keep, database):
    keep("registry.example")
    keep("registry.example/team")
    assert load("store", "check") == {"version": 1, "store": str(database), "sound": 2, "damaged": [], "kept_aside": None}
    done = cli("store", "check")
    assert (done.status, done.out) == (0, "")
    assert "2 records are authentic, 0 damaged" in done.err


def test_before_the_first_login_there_is_nothing_wrong(cli, home):
    assert cli("store", "check").status == 0
    assert not (home / ".local/share").exists()


def test_damage_is_a_table_or_json_and_exit_5(cli, keep, database):
    for path in ("a", "b", "c"):
        keep(f"registry.example/{path}")
    edit(database, "UPDATE records SET metadata = '{}' WHERE path = 'b'")
    done = cli("store", "check")
    assert done.status == 5
    assert "registry.example/b" in done.out
    assert "registry.example/a" not in done.out
    assert "--repair" in done.err
    said = json.loads(cli("store", "check", "-o", "json").out)
    assert (said["sound"], [each["address"] for each in said["damaged"]]) == (2, ["registry.example/b"])


def test_repair_keeps_the_rest_and_the_damaged_file(cli, load, keep, kept, database):
    for path in ("a", "b", "c"):
        keep(f"registry.example/{path}")
    edit(database, "UPDATE records SET metadata = '{}' WHERE path = 'b'")
    done = cli("store", "check", "--repair")
    assert done.status == 0
    assert [record.address.path for record in kept()] == ["a", "c"]
    [aside] = database.parent.glob("store.db.*")
    assert str(aside) in done.err
    assert stat.S_IMODE(aside.stat().st_mode) == 0o600
    assert load("store", "check")["damaged"] == []


# -- rekey, passphrase --


def test_rekey_keeps_every_record(cli, keep, kept):
    keep("registry.example")
    before = kept()
    done = cli("store", "rekey")
    assert done.status == 0
    assert "Sealed 1 record anew; the key is in: file " in done.err
    assert kept() == before


def test_rekey_moves_the_key_and_says_what_the_old_one_is_still_for(cli, keep, kept, monkeypatch):
    keep("registry.example")
    monkeypatch.setenv("REGISTRYAUTH_MASTER_KEY", MASTER)
    done = cli("store", "rekey", "--key", "environment")
    assert done.status == 0
    assert "environment variable REGISTRYAUTH_MASTER_KEY" in done.err
    assert "Backups made before this open only with the old key, in: file " in done.err
    assert MASTER not in done.out + done.err
    assert len(kept()) == 1
    monkeypatch.delenv("REGISTRYAUTH_MASTER_KEY")
    done = cli("list")
    assert done.status == 5
    assert "REGISTRYAUTH_MASTER_KEY, which is not set" in done.err


@pytest.mark.parametrize("source", ["auto", "stone", ""])
def test_rekey_takes_the_sources_that_there_are(cli, keep, source):
    keep("registry.example")
    assert cli("store", "rekey", "--key", source).status == (2 if source else 0)


@pytest.mark.parametrize("argv", [["store", "rekey"], ["store", "passphrase"], ["store", "backup", "b.db"], ["unlock"]])
def test_where_there_is_no_store_yet_that_is_said(cli, home, argv, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = cli(*argv)
    assert done.status == 5
    assert "there is no store at" in done.err
    assert "hint:" in done.err
    assert list(tmp_path.iterdir()) == []


def test_a_passphrase_is_given_changed_and_needed(cli, keep, kept, monkeypatch):
    keep("registry.example")
    monkeypatch.setenv("REGISTRYAUTH_PASSPHRASE", PHRASE)
    assert cli("store", "rekey", "--key", "passphrase").status == 0
    done = cli("store", "passphrase", "--new-passphrase-stdin", stdin="canary staple battery\n")
    assert done.status == 0
    assert "canary" not in done.out + done.err
    done = cli("list")
    assert done.status == 5
    assert "that is not the passphrase" in done.err
    monkeypatch.setenv("REGISTRYAUTH_PASSPHRASE", "canary staple battery")
    assert len(kept()) == 1


def test_without_a_terminal_nobody_is_asked(cli, keep, monkeypatch):
    keep("registry.example")
    done = cli("store", "rekey", "--key", "passphrase")
    assert done.status == 5
    assert "no terminal" in done.err
    monkeypatch.setenv("REGISTRYAUTH_PASSPHRASE", PHRASE)
    assert cli("store", "rekey", "--key", "passphrase").status == 0
    done = cli("store", "passphrase")
    assert done.status == 5
    assert "--new-passphrase-stdin" in done.err


def test_a_store_without_a_passphrase_says_how_to_give_it_one(cli, keep):
    keep("registry.example")
    done = cli("store", "passphrase", "--new-passphrase-stdin", stdin=PHRASE)
    assert done.status == 5
    assert "--key passphrase" in done.err


# -- backup, restore --


def test_a_backup_says_where_its_key_is_and_comes_back(cli, keep, kept, tmp_path, home, database):
    keep("registry.example")
    file = tmp_path / "b.db"
    done = cli("store", "backup", file)
    assert done.status == 0
    assert f"the key is in: file {home}/.config/registryauth/store.key" in done.err
    assert CANARY.encode() not in file.read_bytes()
    assert cli("logout", "registry.example").status == 0
    done = cli("store", "restore", file)
    assert done.status == 0
    assert "Restored 1 record from" in done.err
    [aside] = database.parent.glob("store.db.*")
    assert f"kept as {aside}" in done.err
    assert [str(record.address) for record in kept()] == ["registry.example"]


def test_a_backup_is_not_written_over(cli, keep, tmp_path):
    keep("registry.example")
    assert cli("store", "backup", tmp_path / "b.db").status == 0
    done = cli("store", "backup", tmp_path / "b.db")
    assert done.status == 5
    assert "--force" in done.err
    assert cli("store", "backup", tmp_path / "b.db", "--force").status == 0


def test_a_backup_of_another_key_is_refused(cli, keep, kept, tmp_path, home):
    keep("registry.example")
    cli("store", "backup", tmp_path / "b.db")
    (home / ".config/registryauth/store.key").unlink()
    (home / ".local/share/registryauth/store.db").unlink()
    keep("other.example")
    done = cli("store", "restore", tmp_path / "b.db")
    assert done.status == 5
    assert "another key" in done.err
    assert [str(record.address) for record in kept()] == ["other.example"]


@pytest.mark.parametrize("content", [b"", b"nothing that we wrote"])
def test_a_file_that_is_no_backup_is_refused(cli, keep, kept, tmp_path, content):
    keep("registry.example")
    (tmp_path / "b.db").write_bytes(content)
    done = cli("store", "restore", tmp_path / "b.db")
    assert done.status == 5
    assert "hint:" in done.err
    assert len(kept()) == 1


# -- migrate --


@pytest.fixture
def remote(monkeypatch):
    """A memory store in the place of every remote backend."""
    import registryauth.stores as stores

    found, real = MemoryStore(), stores._configured
    monkeypatch.setattr(found, "close", lambda: None)
    monkeypatch.setattr(stores, "_configured", lambda config, *rest: real(config, *rest) if config.store_backend == "local" else found)
    return found


def test_migrate_copies_and_says_how_to_go_on(cli, keep, kept, remote):
    keep("registry.example")
    keep("registry.example/team")
    done = cli("store", "migrate", "--to", "vault")
    assert done.status == 0
    assert "Copied 2 records to vault" in done.err
    assert 'backend = "vault"' in done.err
    assert [record.slots for record in remote.list()] == [record.slots for record in kept()]
    assert "2 were there already" in cli("store", "migrate", "--to", "vault").err


def test_migrate_back_and_into_other_records(cli, keep, kept, remote, monkeypatch):
    keep("registry.example")
    cli("store", "migrate", "--to", "vault")
    keep("registry.example", secret="changed since")
    monkeypatch.setenv("REGISTRYAUTH_STORE_BACKEND", "vault")
    done = cli("store", "migrate", "--to", "local")
    assert done.status == 5
    assert "registry.example" in done.err
    assert "--force" in done.err
    assert kept()[0].slots[0].secret == "changed since"
    assert cli("store", "migrate", "--to", "local", "--force").status == 0
    assert kept()[0].slots[0].secret == CANARY


@pytest.mark.parametrize("to", ["local", "cloud", ""])
def test_migrate_goes_to_another_backend_that_there_is(cli, to):
    done = cli("store", "migrate", "--to", to)
    assert done.status == 2
    assert "vault, azure-key-vault" in done.err


@pytest.mark.parametrize("argv", [["check"], ["rekey"], ["passphrase"], ["backup", "b.db"], ["restore", "b.db"]])
def test_what_only_the_local_store_has_says_so(cli, remote, monkeypatch, argv, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REGISTRYAUTH_STORE_BACKEND", "vault")
    done = cli("store", *argv)
    assert done.status == 2
    assert "for the local store" in done.err
    assert "REGISTRYAUTH_STORE_BACKEND=local" in done.err


@pytest.mark.parametrize(("to", "said"), [("vault", "no address is set for"), ("azure-key-vault", "no vault is named for")])
def test_migrate_says_what_the_backend_that_was_named_lacks(cli, keep, to, said):
    keep("registry.example")
    done = cli("store", "migrate", "--to", to)
    assert done.status == 2
    assert f"{said} the backend '{to}'" in done.err
    assert "store.backend" not in done.err
    assert "hint: set " in done.err


def test_a_single_record_that_was_there_is_one(cli, keep, remote):
    keep("registry.example")
    cli("store", "migrate", "--to", "vault")
    assert "1 was there already" in cli("store", "migrate", "--to", "vault").err
