from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from registryauth.errors import ConfigurationError, StoreLocked, StoreUnavailable
from registryauth.reference import Address
from registryauth.stores import open_store
from registryauth.stores.encrypted import EncryptedStore
from registryauth.testing.store_contract import StoreContract, a_record

CANARY = "canary-3fd1b0c2-never-in-the-clear"


class TestEncryptedStore(StoreContract):
    @pytest.fixture
    def store(self, open_again) -> EncryptedStore:
        return open_again()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_reading_makes_nothing(store, place):
    assert store.get(Address.parse("r.example")) is None
    assert store.list() == []
    assert store.delete(a_record("r.example").key) is False
    assert store.status()["exists"] is False
    assert list(place.iterdir()) == []


def test_another_process_reads_what_was_written(store, open_again):
    written = store.put(a_record("r.example/a"))
    store.close()
    assert open_again().get(Address.parse("r.example/a/b")) == written


@pytest.mark.parametrize("umask", [0o000, 0o277])
def test_files_are_0600_in_directories_of_0700_whatever_the_umask(store, place, umask):
    before = os.umask(umask)
    try:
        store.put(a_record("r.example"))
    finally:
        os.umask(before)
    assert {path.name: mode(path) for path in place.rglob("*")} == {"data": 0o700, "config": 0o700, "store.db": 0o600, "store.key": 0o600}


def test_no_secret_is_readable_in_any_file(store, place):
    store.put(a_record("r.example", "deploy", CANARY, CANARY + "2"))
    store.put(a_record("r.example", "deploy", "new"))
    store.put(a_record("r.example/a", "deploy", CANARY))
    contents = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}
    assert len(contents) == 2
    assert not [path for path, content in contents.items() if CANARY[:12].encode() in content]


def test_a_removed_record_leaves_nothing_in_the_file(store, place):
    record = a_record("r.example", "the-account-that-was")
    store.put(a_record("other.example"))
    store.put(record)
    database = place / "data" / "store.db"
    assert b"the-account-that-was" in database.read_bytes()
    store.delete(record.key)
    assert b"the-account-that-was" not in database.read_bytes()


def test_at_rest_the_store_is_one_file(store, place):
    store.put(a_record("r.example"))
    store.list()
    assert [path.name for path in (place / "data").iterdir()] == ["store.db"]


def test_status_needs_no_key(store, place, open_again):
    store.put(a_record("r.example"))
    store.put(a_record("r.example/a"))
    key = place / "config" / "store.key"
    key.unlink()
    status = open_again().status()
    assert len(status.pop("store_id")) == 32
    assert status == {
        "backend": "local",
        "path": str(place / "data" / "store.db"),
        "exists": True,
        "format": 1,
        "key": f"file {key}",
        "records": 2,
    }


def test_the_default_places_are_xdg_s(tmp_path):
    environ = {"HOME": str(tmp_path)}
    open_store(key="file", environ=environ).put(a_record("r.example"))
    assert (tmp_path / ".local/share/registryauth/store.db").is_file()
    assert (tmp_path / ".config/registryauth/store.key").is_file()


def test_auto_takes_the_file_where_there_is_no_session_bus(tmp_path):
    store = open_store(environ={"HOME": str(tmp_path)})
    store.put(a_record("r.example"))
    assert store.status()["key"].startswith("file ")


def test_an_unknown_key_source_is_refused_before_anything_is_made(place):
    store = EncryptedStore(str(place / "store.db"), key="clipboard", key_file=str(place / "store.key"), environ={})
    with pytest.raises(ConfigurationError, match="clipboard"):
        store.put(a_record("r.example"))
    assert list(place.iterdir()) == []


def test_a_key_source_that_fails_leaves_no_store_behind(place):
    store = EncryptedStore(str(place / "store.db"), key="keyring", key_file=str(place / "store.key"), environ={})
    with pytest.raises(StoreUnavailable, match="no OS keyring here"):
        store.put(a_record("r.example"))
    assert list(place.iterdir()) == []


def test_an_empty_file_is_a_store_whose_making_was_interrupted(store, place, open_again):
    (place / "data").mkdir(mode=0o700)
    (place / "data" / "store.db").touch(mode=0o600)
    assert store.get(Address.parse("r.example")) is None
    written = store.put(a_record("r.example"))
    assert open_again().list() == [written]


def test_two_stores_share_a_key_file_and_no_data_key(place):
    key_file = str(place / "store.key")
    first, second = (EncryptedStore(str(place / name), key="file", key_file=key_file, environ={}) for name in ("1.db", "2.db"))
    for store in (first, second):
        store.put(a_record("r.example"))
    assert len(first.list()) == len(second.list()) == 1
    with closing(sqlite3.connect(place / "1.db")) as one, closing(sqlite3.connect(place / "2.db")) as two:
        query = "SELECT name, value FROM header WHERE name IN ('key_id', 'store_id', 'wrapped_key') ORDER BY name"
        same = [left == right for left, right in zip(one.execute(query), two.execute(query), strict=True)]
    assert same == [True, False, False]


def test_a_store_that_was_replaced_under_us_is_read_anew(store, place):
    store.put(a_record("r.example", "old"))
    other = EncryptedStore(str(place / "other.db"), key="file", key_file=str(place / "config" / "store.key"), environ={})
    written = other.put(a_record("r.example", "new"))
    os.replace(place / "other.db", place / "data" / "store.db")
    assert store.list() == [written]


@pytest.mark.parametrize("content", [b"not base64!\n", b"c2hvcnQ=\n", b""])
def test_a_file_that_holds_no_key_locks_the_store(store, place, open_again, content):
    store.put(a_record("r.example"))
    (place / "config" / "store.key").write_bytes(content)
    with pytest.raises(StoreLocked, match=r"store\.key does not hold a key") as caught:
        open_again().list()
    assert caught.value.hint


def test_a_missing_key_locks_the_store_for_every_verb(store, place, open_again):
    record = store.put(a_record("r.example"))
    before = (place / "data" / "store.db").read_bytes()
    (place / "config" / "store.key").unlink()
    locked = open_again()
    for verb in (
        locked.list,
        lambda: locked.get(record.address),
        lambda: locked.exact(record.key),
        lambda: locked.at(record.address),
        lambda: locked.put(record),
        lambda: locked.delete(record.key),
    ):
        with pytest.raises(StoreLocked, match="is missing") as caught:
            verb()
        assert caught.value.exit_code == 5
    assert (place / "data" / "store.db").read_bytes() == before
    assert list((place / "config").iterdir()) == []


def test_another_key_locks_the_store(store, place, open_again):
    store.put(a_record("r.example"))
    key = place / "config" / "store.key"
    key.unlink()
    EncryptedStore(str(place / "other.db"), key="file", key_file=str(key), environ={}).put(a_record("r.example"))
    with pytest.raises(StoreLocked, match="another key"):
        open_again().list()


def test_a_lookup_imports_nothing_heavy(store, place):
    store.put(a_record("r.example/a"))
    code = (
        "import sys\n"
        "from registryauth.stores import open_store\n"
        "from registryauth.reference import Address\n"
        f"store = open_store({store.path!r}, key='file', key_file={str(place / 'config' / 'store.key')!r})\n"
        "assert store.get(Address.parse('r.example/a/b')) is not None\n"
        "print(*sys.modules)\n"
    )
    # -S -E: what site and an editable install import for themselves is not ours.
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
    loaded = subprocess.run([sys.executable, "-S", "-c", code], env=environ, capture_output=True, text=True, check=True).stdout.split()
    heavy = {"dataclasses", "inspect", "httpx", "typer", "rich", "keyring", "pydantic", "subprocess", "tempfile", "pathlib", "logging"}
    assert "sqlite3" in loaded
    assert heavy.isdisjoint(loaded)
    assert "typing" not in loaded


def steps_of(store: EncryptedStore, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many steps SQLite's machine takes for one lookup by path and one by account."""
    counted = 0

    def count() -> int:
        nonlocal counted
        counted += 1
        return 0

    connect = sqlite3.connect

    def counting(*args, **kwargs):
        connection = connect(*args, **kwargs)
        connection.set_progress_handler(count, 1)
        return connection

    with monkeypatch.context() as patched:
        patched.setattr(sqlite3, "connect", counting)
        assert store.get(Address.parse("r.example/a/b/c")) is not None
        assert store.get(Address.parse("r.example/a/b/c"), "deploy") is not None
    return counted


def test_a_lookup_among_ten_thousand_takes_the_steps_of_one_among_ten(store, monkeypatch):
    for path in ("", "/a", "/b"):
        store.put(a_record(f"r.example{path}"))
    few = steps_of(store, monkeypatch)
    others = [(f"r{n}.example" if n % 2 else "r.example", f"p{n}", "deploy", n, "{}") for n in range(10_000)]
    with closing(sqlite3.connect(store.path)) as connection, connection:
        connection.executemany("INSERT INTO records VALUES (?, ?, ?, ?, ?)", others)
        connection.executemany("INSERT INTO secrets VALUES (?, ?, ?, 0, x'00')", [row[:3] for row in others])
    assert store.status()["records"] == 10_003
    assert steps_of(store, monkeypatch) <= few + 5
