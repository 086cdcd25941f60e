"""Copies of a store, taken while others write, and put back."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from registryauth.errors import StoreCorrupt, StoreError, StoreLocked, StoreUnavailable
from registryauth.stores import backup
from registryauth.stores.database import Transaction
from registryauth.stores.encrypted import EncryptedStore
from registryauth.testing.store_contract import a_record

NOW = 1_800_000_000
ASIDE = "store.db.20270115T080000Z"


@pytest.fixture
def file(tmp_path):
    return tmp_path / "backup.db"


@pytest.fixture
def filled(store):
    store.put(a_record("r.example/a", "deploy", "one", "two"))
    store.put(a_record("other.example"))
    return store


def test_a_backup_is_the_whole_store_and_ours_alone(filled, open_again, file):
    before = os.umask(0)
    try:
        assert backup.backup(filled, str(file)) == 2
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.glob("*backup*")] == ["backup.db"]
    records = filled.list()
    Path(filled.path).unlink()
    assert backup.restore(filled, str(file), NOW) == (2, "")
    assert open_again().list() == records
    assert stat.S_IMODE(Path(filled.path).stat().st_mode) == 0o600


def test_a_backup_needs_no_key_and_has_none(filled, place, file):
    key = place / "config" / "store.key"
    text = key.read_bytes()
    key.unlink()
    assert backup.backup(filled, str(file)) == 2
    assert text.strip() not in file.read_bytes()
    assert b"one" not in file.read_bytes()


def test_a_file_that_exists_is_replaced_only_by_force(filled, file):
    file.write_text("something dear")
    with pytest.raises(StoreUnavailable, match="exists") as caught:
        backup.backup(filled, str(file))
    assert "--force" in caught.value.hint
    assert file.read_text() == "something dear"
    backup.backup(filled, str(file), force=True)
    assert file.read_bytes().startswith(b"SQLite format 3")


def test_the_store_is_no_backup_of_itself(filled, place):
    (place / "link.db").symlink_to(filled.path)
    for name in (filled.path, str(place / "link.db")):
        with pytest.raises(StoreUnavailable, match="the store itself"):
            backup.backup(filled, name, force=True)


def test_there_is_nothing_to_back_up_where_there_is_no_store(store, file):
    with pytest.raises(StoreUnavailable, match="no store"):
        backup.backup(store, str(file))
    assert not file.exists()


def test_a_backup_that_cannot_be_written_leaves_nothing(filled, tmp_path):
    with pytest.raises(StoreUnavailable, match="cannot be written"):
        backup.backup(filled, str(tmp_path / "missing" / "backup.db"))


def test_a_backup_while_others_write_is_of_one_moment(filled, open_again, tmp_path, place):
    """Each write changes two records in one transaction: a copy of no single moment would have them differ."""
    over = threading.Event()

    def write():
        number = 0
        while not over.is_set():
            number += 1
            records = [a_record(f"r.example/{side}").replace(purpose=str(number)) for side in ("left", "right")]
            open_again().put_all([(record, None) for record in records])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        time.sleep(0.05)
        for number in range(20):
            backup.backup(filled, str(tmp_path / f"{number}.db"))
    finally:
        over.set()
        writer.join()
    seen = set()
    for number in range(20):
        (tmp_path / f"{number}.db").rename(place / "copy.db")
        copy = EncryptedStore(str(place / "copy.db"), key_file=str(place / "config" / "store.key"), environ={})
        left, right = (record.purpose for record in copy.list() if record.address.path in ("left", "right"))
        assert left == right
        seen.add(left)
    assert len(seen) > 1, "nobody wrote: the test proves nothing"


def test_what_is_restored_replaces_the_store_and_the_old_one_is_kept_dated(filled, open_again, place, file):
    records = filled.list()
    backup.backup(filled, str(file))
    filled.put(a_record("new.example"))
    newer = Path(filled.path).read_bytes()
    assert backup.restore(filled, str(file), NOW) == (2, str(place / "data" / ASIDE))
    assert open_again().list() == filled.list() == records
    assert (place / "data" / ASIDE).read_bytes() == newer
    assert backup.restore(filled, str(file), NOW)[1].endswith(f"{ASIDE}.2")
    assert sorted(path.name for path in (place / "data").iterdir()) == ["store.db", ASIDE, f"{ASIDE}.2"]


def test_a_backup_from_before_a_new_data_key_still_opens(filled, open_again, file):
    records = filled.list()
    backup.backup(filled, str(file))
    filled.rekey()
    backup.restore(filled, str(file), NOW)
    assert filled.list() == open_again().list() == records


def test_a_backup_with_another_key_is_refused_and_nothing_changes(filled, place, file):
    elsewhere = EncryptedStore(str(place / "elsewhere.db"), key="file", key_file=str(place / "elsewhere.key"), environ={})
    elsewhere.put(a_record("r.example"))
    backup.backup(elsewhere, str(file))
    before = Path(filled.path).read_bytes()
    with pytest.raises(StoreLocked, match=r"backup\.db cannot be opened.*another key") as caught:
        backup.restore(filled, str(file), NOW)
    assert caught.value.hint
    assert Path(filled.path).read_bytes() == before
    assert [path.name for path in (place / "data").iterdir()] == ["store.db"]


BROKEN = {
    "a record": "UPDATE records SET metadata = '{}' WHERE path = 'a'",
    "a secret": "UPDATE secrets SET sealed = zeroblob(40) WHERE slot = 1",
    "the header": "DELETE FROM header WHERE name = 'key_id'",
    "a trigger": "CREATE TRIGGER gone AFTER INSERT ON records BEGIN DELETE FROM secrets; END",
}


@pytest.mark.parametrize("statement", BROKEN.values(), ids=BROKEN.keys())
def test_a_damaged_backup_is_refused_and_nothing_changes(filled, place, file, statement):
    backup.backup(filled, str(file))
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(statement)
    before = Path(filled.path).read_bytes()
    with pytest.raises(StoreCorrupt, match=r"backup\.db"):
        backup.restore(filled, str(file), NOW)
    assert Path(filled.path).read_bytes() == before
    assert [path.name for path in (place / "data").iterdir()] == ["store.db"]


@pytest.mark.parametrize(
    "content", [b"", b"x", b"not a database\n" * 500, b"SQLite format 3\0" + b"\xff" * 5000, b"SQLite format 3\0" * 1000]
)
def test_a_file_that_is_no_backup_is_refused(filled, file, content):
    file.write_bytes(content)
    before = Path(filled.path).read_bytes()
    with pytest.raises(StoreError, match=r"backup\.db") as caught:
        backup.restore(filled, str(file), NOW)
    assert caught.value.hint
    assert Path(filled.path).read_bytes() == before


def test_a_backup_cut_short_is_refused_at_any_length(filled, file):
    backup.backup(filled, str(file))
    whole, before = file.read_bytes(), Path(filled.path).read_bytes()
    for length in [1, 50, 100, *range(512, len(whole), 512)]:
        file.write_bytes(whole[:length])
        with pytest.raises(StoreError):
            backup.restore(filled, str(file), NOW)
    assert Path(filled.path).read_bytes() == before


def test_a_file_that_is_not_there_or_too_long_is_refused(filled, file, monkeypatch):
    with pytest.raises(StoreUnavailable, match="No such file"):
        backup.restore(filled, str(file), NOW)
    backup.backup(filled, str(file))
    monkeypatch.setattr(backup, "MAX_FILE", 1000)
    with pytest.raises(StoreUnavailable, match="longer than 1000"):
        backup.restore(filled, str(file), NOW)


@pytest.mark.parametrize("content", [b"rubbish" * 1000, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_store_that_is_beyond_help_is_replaced_and_kept(filled, open_again, place, file, content):
    records = filled.list()
    backup.backup(filled, str(file))
    Path(filled.path).write_bytes(content)
    backup.restore(filled, str(file), NOW)
    assert open_again().list() == records
    assert (place / "data" / ASIDE).read_bytes() == content


def test_a_journal_goes_with_its_file(filled, open_again, place, file):
    """SQLite would play one that is left beside it back into the new file."""
    backup.backup(filled, str(file))
    Path(f"{filled.path}-journal").write_bytes(b"a journal of the old file")
    backup.swap(filled.path, file.read_bytes(), NOW)
    assert (place / "data" / f"{ASIDE}-journal").read_bytes() == b"a journal of the old file"
    assert not (place / "data" / "store.db-journal").exists()
    assert len(open_again().list()) == 2


def test_who_waits_to_write_writes_to_the_restored_store(filled, open_again, file):
    """A write that is acknowledged must not go down with the file that was replaced."""
    backup.backup(filled, str(file))
    data, written = file.read_bytes(), []
    writer = threading.Thread(target=lambda: written.append(open_again().put(a_record("late.example"))))
    with Transaction(filled.path, write=True):
        writer.start()
        time.sleep(0.3)
        backup.swap(filled.path, data, NOW)
    writer.join()
    assert written[0] in open_again().list()


def test_without_hard_links_the_old_store_is_kept_all_the_same(filled, open_again, place, file, monkeypatch):
    backup.backup(filled, str(file))
    before = Path(filled.path).read_bytes()

    def refusing(*_, **__):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refusing)
    backup.restore(filled, str(file), NOW)
    assert (place / "data" / ASIDE).read_bytes() == before
    assert len(open_again().list()) == 2


RESTORE_FOREVER = """
import sys, time
from registryauth.stores import backup, open_store
store = open_store(sys.argv[1], "file", sys.argv[2])
while True:
    backup.restore(store, sys.argv[3], time.time())
    print("done", flush=True)
"""


def test_killed_at_any_moment_a_store_is_there(filled, open_again, place, file):
    backup.backup(filled, str(file))
    records, chance = filled.list(), random.Random(11)
    for _ in range(10):
        command = [sys.executable, "-c", RESTORE_FOREVER, filled.path, str(place / "config" / "store.key"), str(file)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert process.stdout.readline() == b"done\n"
        time.sleep(chance.uniform(0, 0.05))
        process.kill()
        process.communicate()
        assert open_again().list() == records


def test_a_restore_needs_no_copy_of_the_backup_on_disk(filled, place, file):
    backup.backup(filled, str(file))
    shutil.rmtree(place / "data")
    backup.restore(filled, str(file), NOW)
    assert [path.name for path in (place / "data").iterdir()] == ["store.db"]
    assert stat.S_IMODE((place / "data").stat().st_mode) == 0o700
