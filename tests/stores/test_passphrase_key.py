"""A store whose key comes from a passphrase: given in a variable, asked for, or kept by `unlock`."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from contextlib import closing

import pytest

from registryauth.errors import ConfigurationError, StoreCorrupt, StoreError, StoreLocked, StoreUnavailable
from registryauth.stores import kdf, passphrase_key
from registryauth.stores.encrypted import EncryptedStore
from registryauth.testing.store_contract import a_record

PHRASE = "correct horse battery"
ENVIRON = {"REGISTRYAUTH_PASSPHRASE": PHRASE}


@pytest.fixture(autouse=True)
def _new_process(monkeypatch):
    monkeypatch.setattr(passphrase_key, "_derived", {})


@pytest.fixture
def derivations(monkeypatch):
    """The passphrases that were derived from, in order; cheaply, and each to another key."""
    made = []

    def derive(passphrase, described):
        made.append(passphrase)
        return (passphrase + described["salt"]).encode().ljust(32, b".")[:32]

    monkeypatch.setattr(kdf, "derive", derive)
    return made


@pytest.fixture
def opened(place):
    def opened(environ=ENVIRON, ask=None):
        return EncryptedStore(str(place / "store.db"), key="passphrase", key_file="/nonexistent/key", environ=environ, ask=ask)

    return opened


def described(store):
    with closing(sqlite3.connect(store.path)) as connection:
        return json.loads(connection.execute("SELECT value FROM header WHERE name = 'key_source'").fetchone()[0])


def plant(store, source):
    with closing(sqlite3.connect(store.path)) as connection, connection:
        connection.execute("UPDATE header SET value = ? WHERE name = 'key_source'", (json.dumps(source).encode(),))


def test_a_store_opens_with_its_passphrase_and_with_no_other(opened):
    written = opened().put(a_record("r.example"))
    assert opened().list() == [written]
    assert opened().status()["key"] == "passphrase"
    with pytest.raises(StoreLocked, match="not the passphrase") as caught:
        opened({"REGISTRYAUTH_PASSPHRASE": "another passphrase"}).list()
    assert caught.value.hint
    assert "another passphrase" not in str(caught.value) + caught.value.hint


def test_the_header_says_how_it_is_derived_and_each_store_has_its_own_salt(opened, place):
    opened().put(a_record("r.example"))
    other = EncryptedStore(str(place / "other.db"), key="passphrase", key_file="", environ=ENVIRON)
    other.put(a_record("r.example"))
    one, two = described(opened()), described(other)
    assert one["source"] == "passphrase"
    assert one["kdf"].pop("salt") != two["kdf"].pop("salt")
    assert one["kdf"] == two["kdf"] == {"name": "argon2id", "memory_kib": 65536, "iterations": 3, "lanes": 4}


def test_without_argon2id_scrypt_is_written_and_read(opened, monkeypatch):
    monkeypatch.setattr(kdf, "has_argon2id", lambda: False)
    written = opened().put(a_record("r.example"))
    assert described(opened())["kdf"]["name"] == "scrypt"
    assert opened().list() == [written]


def test_argon2id_that_is_not_to_be_had_here_is_no_wrong_passphrase(opened, monkeypatch):
    opened().put(a_record("r.example"))
    monkeypatch.setattr(passphrase_key, "_derived", {})
    monkeypatch.setattr(kdf, "has_argon2id", lambda: False)
    with pytest.raises(StoreUnavailable, match="Argon2id") as caught:
        opened().list()
    assert "cryptography" in caught.value.hint


@pytest.mark.parametrize(
    ("typed", "stored"), [("ängström unit", "a\u0308ngstro\u0308m unit"), ("a\u0308ngstro\u0308m unit", "ängström unit")]
)
def test_the_same_letters_typed_elsewhere_are_the_same_passphrase(opened, typed, stored):
    written = opened({"REGISTRYAUTH_PASSPHRASE": stored}).put(a_record("r.example"))
    assert opened({"REGISTRYAUTH_PASSPHRASE": typed}).list() == [written]


@pytest.mark.parametrize(("phrase", "words"), [("7 chars", "fewer than 8"), ("x" * 1025, "more than 1024"), ("\udcff not text", "UTF-8")])
def test_a_passphrase_that_will_not_do_makes_no_store(opened, place, phrase, words):
    with pytest.raises((StoreError, ConfigurationError), match=words) as caught:
        opened({"REGISTRYAUTH_PASSPHRASE": phrase}).put(a_record("r.example"))
    assert phrase not in str(caught.value)
    assert list(place.iterdir()) == []


def test_with_nobody_to_ask_the_store_is_locked_for_making_and_reading(opened, place, derivations):
    for environ in ({}, {"REGISTRYAUTH_PASSPHRASE": ""}):
        with pytest.raises(StoreLocked, match="no terminal") as caught:
            opened(environ).put(a_record("r.example"))
        assert "REGISTRYAUTH_PASSPHRASE" in caught.value.hint
    assert list(place.iterdir()) == []
    opened().put(a_record("r.example"))
    with pytest.raises(StoreLocked, match="no terminal"):
        opened({}).list()


def test_a_person_is_asked_for_a_new_one_when_the_store_is_made_and_for_it_afterwards(opened, derivations):
    asked = []

    def ask(new):
        asked.append(new)
        return PHRASE

    store = opened({}, ask)
    store.put(a_record("r.example"))
    store.list()
    opened({}, ask).list()
    assert asked == [True, False]
    assert opened(ENVIRON, ask).list()
    assert asked == [True, False], "the variable comes first"


def test_a_person_is_asked_before_the_file_is_locked_or_made(opened, place):
    def ask(_new):
        assert list(place.iterdir()) == []
        return PHRASE

    opened({}, ask).put(a_record("r.example"))


def test_a_wrong_passphrase_is_derived_from_once_however_often_the_store_is_asked(opened, derivations):
    opened().put(a_record("r.example"))
    derivations.clear()
    for wrong in (opened({"REGISTRYAUTH_PASSPHRASE": "a wrong one"}) for _ in range(3)):
        for _ in range(2):
            with pytest.raises(StoreLocked):
                wrong.list()
            with pytest.raises(StoreLocked):
                wrong.put(a_record("r.example"))
    assert derivations == ["a wrong one"]


def test_threads_that_come_together_derive_once(opened, derivations, monkeypatch):
    opened().put(a_record("r.example"))
    passphrase_key._derived.clear()
    derivations.clear()
    quick = kdf.derive

    def derive(*arguments):
        time.sleep(0.05)
        return quick(*arguments)

    monkeypatch.setattr(kdf, "derive", derive)
    found = []
    threads = [threading.Thread(target=lambda: found.append(len(opened().list()))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [1] * 8
    assert derivations == [PHRASE]


def test_what_is_remembered_is_not_the_passphrase(opened):
    opened().put(a_record("r.example"))
    assert passphrase_key._derived
    assert PHRASE not in repr(passphrase_key._derived)


PLANTED = {
    "more memory": {"memory_kib": 262145},
    "all memory": {"memory_kib": 2**31},
    "more time": {"iterations": 9},
    "more threads": {"lanes": 17},
    "none at all": {"memory_kib": 0},
    "negative": {"iterations": -1},
    "memory below its lanes": {"memory_kib": 8, "lanes": 16},
    "a text": {"iterations": "3"},
    "a truth": {"iterations": True},
    "a fraction": {"iterations": 3.5},
    "left out": {"iterations": None},
    "a salt of 3 bytes": {"salt": "abcdef"},
    "a salt of 65 bytes": {"salt": "ab" * 65},
    "a salt that is no hex": {"salt": "zz" * 16},
    "a salt that is no text": {"salt": 7},
    "scrypt, more memory": {"name": "scrypt", "n": 2**19, "r": 8, "p": 1},
    "scrypt, wider": {"name": "scrypt", "n": 2**17, "r": 9, "p": 1},
    "scrypt, longer": {"name": "scrypt", "n": 2**17, "r": 8, "p": 5},
    "scrypt, no power of two": {"name": "scrypt", "n": 2**17 - 1, "r": 8, "p": 1},
}


@pytest.mark.parametrize("changed", PLANTED.values(), ids=PLANTED.keys())
def test_planted_parameters_cost_nothing(opened, monkeypatch, changed):
    """The bounds come before the derivation."""
    with monkeypatch.context() as quickly:
        quickly.setattr(kdf, "derive", lambda *_: bytes(32))
        opened().put(a_record("r.example"))
    passphrase_key._derived.clear()
    source = described(opened())
    plant(opened(), {"source": "passphrase", "kdf": source["kdf"] | changed})
    started = []
    monkeypatch.setattr("cryptography.hazmat.primitives.kdf.scrypt.Scrypt", lambda **_: started.append(1))
    monkeypatch.setattr("cryptography.hazmat.primitives.kdf.argon2.Argon2id", lambda **_: started.append(1))
    with pytest.raises(StoreCorrupt, match="damaged or tampered") as caught:
        opened().list()
    assert caught.value.hint
    assert started == []


@pytest.mark.parametrize(
    "source", [{"source": "passphrase"}, {"source": "passphrase", "kdf": "argon2id"}, {"source": "passphrase", "kdf": []}]
)
def test_a_passphrase_without_a_derivation_is_damage(opened, source):
    opened().put(a_record("r.example"))
    plant(opened(), source)
    for verb in (opened().list, opened().status):
        with pytest.raises(StoreCorrupt, match="kdf"):
            verb()


def test_a_derivation_of_a_later_version_asks_for_an_update(opened):
    opened().put(a_record("r.example"))
    plant(opened(), {"source": "passphrase", "kdf": described(opened())["kdf"] | {"name": "argon3"}})
    with pytest.raises(StoreUnavailable) as caught:
        opened().list()
    assert "update" in caught.value.hint


@pytest.mark.parametrize("changed", [{"iterations": 2}, {"memory_kib": 32768}, {"salt": "00" * 16}])
def test_parameters_changed_within_their_bounds_do_not_open_the_store(opened, changed):
    opened().put(a_record("r.example"))
    plant(opened(), {"source": "passphrase", "kdf": described(opened())["kdf"] | changed})
    with pytest.raises(StoreLocked, match="not the passphrase"):
        opened().list()


def test_no_key_and_no_passphrase_in_any_repr(opened):
    source = passphrase_key.PassphraseKey.make("0" * 32, opened()._keys)
    assert len(source.key) == 32
    assert repr(source.key) not in repr(source)
    assert PHRASE not in repr(source)
