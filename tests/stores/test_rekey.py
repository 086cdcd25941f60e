"""Another data key, another key-encryption key, another passphrase: all at once or not at all."""

from __future__ import annotations

import base64
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from registryauth.errors import Conflict, StoreCorrupt, StoreLocked, StoreUnavailable
from registryauth.stores import kdf, passphrase_key
from registryauth.stores.encrypted import EncryptedStore
from registryauth.testing.store_contract import a_record

MASTER = base64.b64encode(bytes(range(32))).decode()
ENVIRON = {"REGISTRYAUTH_MASTER_KEY": MASTER, "REGISTRYAUTH_PASSPHRASE": "correct horse battery"}


@pytest.fixture(autouse=True)
def _cheap_derivation(monkeypatch):
    monkeypatch.setattr(passphrase_key, "_derived", {})
    monkeypatch.setattr(kdf, "derive", lambda phrase, said: (phrase[:16] + said["salt"]).encode().ljust(32, b".")[:32])


@pytest.fixture
def opened(place):
    """Opens the store with every key at hand but the ones that a test takes away."""

    def opened(**environ):
        key_file = str(place / "config" / "store.key")
        return EncryptedStore(str(place / "data" / "store.db"), key="file", key_file=key_file, environ=ENVIRON | environ)

    return opened


def table(store, query):
    with closing(sqlite3.connect(store.path)) as connection:
        return connection.execute(query).fetchall()


def test_a_new_data_key_seals_everything_anew_and_changes_nothing_else(opened):
    store = opened()
    store.put(a_record("r.example/a", "deploy", "one", "two"))
    store.put(a_record("other.example", "me", "three"))
    store.put(a_record("r.example/a", "deploy", "four", "five"))
    before, sealed, header = store.list(), table(store, "SELECT sealed FROM secrets"), dict(table(store, "SELECT * FROM header"))
    other = opened()
    assert other.list() == before
    assert store.rekey().startswith("file ")
    assert store.list() == other.list() == opened().list() == before
    assert not set(sealed) & set(table(store, "SELECT sealed FROM secrets"))
    after = dict(table(store, "SELECT * FROM header"))
    assert {name for name in header if header[name] != after[name]} == {"wrapped_key"}
    assert store.put(a_record("new.example")).revision == 4


def test_the_old_data_key_opens_nothing_any_more(opened, place):
    store = opened()
    store.put(a_record("r.example"))
    shutil.copyfile(store.path, place / "copy.db")
    store.rekey()
    with closing(sqlite3.connect(place / "copy.db")) as copy, closing(sqlite3.connect(store.path)) as ours, ours:
        (wrapped,) = copy.execute("SELECT value FROM header WHERE name = 'wrapped_key'").fetchone()
        ours.execute("UPDATE header SET value = ? WHERE name = 'wrapped_key'", (wrapped,))
    with pytest.raises(StoreCorrupt):
        opened().list()


def test_derived_keys_go_by_label_and_data_key(opened):
    with pytest.raises(StoreUnavailable, match="no store"):
        opened().derived_key("audit")
    store = opened()
    store.put(a_record("r.example"))
    audit = store.derived_key("audit")
    assert len(audit) == 32
    assert audit == opened().derived_key("audit") != store.derived_key("cache")
    store.rekey()
    assert store.derived_key("audit") != audit


MOVES = ["passphrase", "environment", "file"]


def test_the_key_moves_from_any_source_to_any_other_and_the_old_one_no_longer_opens_it(opened, place):
    store = opened()
    written = store.put(a_record("r.example"))
    for source, missing in zip(MOVES, ["REGISTRYAUTH_PASSPHRASE", "REGISTRYAUTH_MASTER_KEY", None], strict=True):
        assert opened().rekey(source) == opened().status()["key"]
        assert opened().list() == [written]
        if missing:
            with pytest.raises(StoreLocked):
                opened(**{missing: ""}).list()
    (place / "config" / "store.key").unlink()
    with pytest.raises(StoreLocked):
        opened().list()


def test_the_key_moves_into_a_keyring_and_is_not_made_anew_there(opened, place, monkeypatch):
    kept, asked = {}, []

    def keyring(question, *_):
        asked.append(question["verb"])
        if question["verb"] == "set":
            kept[question["user"]] = question["secret"]
        return {"secret": kept.get(question["user"])}

    monkeypatch.setattr("registryauth.stores.keyring_key._in_child", keyring)
    written = opened().put(a_record("r.example"))
    bus = {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent"}
    assert opened(**bus).rekey("keyring") == "OS keyring (SecretService)"
    assert opened(**bus).list() == [written]
    asked.clear()
    # Written over, it would lock the store if we were killed before the header is.
    opened(**bus).rekey("keyring")
    assert set(asked) == {"get"}
    kept.clear()
    with pytest.raises(StoreLocked, match="no key for this store"):
        opened(**bus).list()


def test_naming_the_source_that_it_has_makes_no_new_key_there(opened, place):
    store = opened()
    store.put(a_record("r.example"))
    key = (place / "config" / "store.key").read_bytes()
    store.rekey("file")
    assert (place / "config" / "store.key").read_bytes() == key


@pytest.mark.parametrize("source", ["passphrase", "environment", "systemd", "keyring"])
def test_a_source_that_is_not_there_changes_nothing(opened, source):
    store = opened(REGISTRYAUTH_PASSPHRASE="", REGISTRYAUTH_MASTER_KEY="")
    written = store.put(a_record("r.example"))
    before = Path(store.path).read_bytes()
    with pytest.raises((StoreLocked, StoreUnavailable)) as caught:
        store.rekey(source)
    assert caught.value.hint
    assert Path(store.path).read_bytes() == before
    assert store.list() == [written]


def test_a_damaged_record_stops_it_and_nothing_changes(opened):
    store = opened()
    for number in range(3):
        store.put(a_record(f"r.example/a{number}"))
    with closing(sqlite3.connect(store.path)) as connection, connection:
        connection.execute("UPDATE records SET metadata = '{}' WHERE path = 'a2'")
    before = Path(store.path).read_bytes()
    with pytest.raises(StoreCorrupt, match=r"r\.example a2"):
        opened().rekey("environment")
    assert Path(store.path).read_bytes() == before


def test_who_changes_the_key_meanwhile_is_not_overruled(opened, monkeypatch):
    store = opened()
    store.put(a_record("r.example"))
    real = passphrase_key.PassphraseKey.make

    def overtaken(*arguments):
        opened().rekey("environment")
        return real(*arguments)

    monkeypatch.setattr(passphrase_key.PassphraseKey, "make", overtaken)
    with pytest.raises(Conflict, match="somebody else"):
        store.rekey("passphrase")
    assert opened().status()["key"].startswith("environment variable")


def test_a_new_passphrase_seals_nothing_anew(opened):
    store = opened()
    written = store.put(a_record("r.example"))
    store.rekey("passphrase")
    sealed, derived = table(store, "SELECT sealed FROM secrets"), store.derived_key("audit")
    asked = []

    def ask(new):
        asked.append(new)
        return "battery staple"

    opened().change_passphrase(ask)
    assert asked == [True]
    assert table(store, "SELECT sealed FROM secrets") == sealed
    with pytest.raises(StoreLocked, match="not the passphrase"):
        opened().list()
    again = opened(REGISTRYAUTH_PASSPHRASE="battery staple")
    assert again.list() == [written]
    assert again.derived_key("audit") == derived


def test_a_new_passphrase_takes_the_old_one(opened):
    opened().put(a_record("r.example"))
    opened().rekey("passphrase")
    with pytest.raises(StoreLocked, match="not the passphrase"):
        opened(REGISTRYAUTH_PASSPHRASE="a wrong one").change_passphrase(lambda _: pytest.fail("asked too early"))


def test_only_a_passphrase_can_be_changed(opened):
    opened().put(a_record("r.example"))
    with pytest.raises(StoreUnavailable, match="not from a passphrase") as caught:
        opened().change_passphrase(lambda _: "battery staple")
    assert "--key passphrase" in caught.value.hint


FOREVER = """
import sys
from registryauth.stores import open_store
store = open_store(sys.argv[1], "file", sys.argv[2])
while True:
    store.rekey("environment" if store.status()["key"].startswith("file") else "file")
    print("done", flush=True)
"""


def test_killed_at_any_moment_it_loses_nothing(opened, place):
    store = opened()
    for number in range(40):
        store.put(a_record(f"r.example/n{number}", "deploy", f"secret {number}" * 50))
    before = store.list()
    chance, halves = random.Random(4), 0
    for _ in range(15):
        command = [sys.executable, "-c", FOREVER, store.path, str(place / "config" / "store.key")]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, env=ENVIRON)
        assert process.stdout.readline() == b"done\n"
        time.sleep(chance.uniform(0, 0.06))
        process.kill()
        process.communicate()
        halves += Path(f"{store.path}-journal").exists()
        assert opened().list() == before
    assert halves, "it was never killed in the middle: the test proves nothing"
