"""What is damaged is told record by record, and the rest is saved."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from registryauth.errors import StoreCorrupt, StoreError, StoreLocked
from registryauth.stores import soundness
from registryauth.stores.soundness import Report
from registryauth.testing.store_contract import a_record

NOW = 1_800_000_000


@pytest.fixture
def filled(store):
    for number in range(5):
        store.put(a_record(f"r.example/n{number}", "deploy", "one", "two"))
    return store


def edit(store, *statements):
    with closing(sqlite3.connect(store.path)) as connection, connection:
        for statement in statements:
            assert connection.execute(statement).rowcount != 0


def test_a_sound_store_is_sound(filled, open_again):
    assert soundness.check(open_again()) == Report(5, ())
    before = Path(filled.path).read_bytes()
    assert soundness.repair(open_again(), NOW) == (Report(5, ()), "")
    assert Path(filled.path).read_bytes() == before


def test_no_store_is_no_damage(store, place):
    assert soundness.check(store) == Report(0, ())
    assert soundness.repair(store, NOW) == (Report(0, ()), "")
    assert list(place.iterdir()) == []


DAMAGE = {
    "metadata": ("UPDATE records SET metadata = '{}' WHERE path IN ('n1', 'n3')", "do not belong together"),
    "revision": ("UPDATE records SET revision = 99 WHERE path IN ('n1', 'n3')", "do not belong together"),
    "secrets": ("UPDATE secrets SET sealed = zeroblob(40) WHERE slot = 1 AND path IN ('n1', 'n3')", "do not belong together"),
    "a secret gone": ("DELETE FROM secrets WHERE slot = 0 AND path IN ('n1', 'n3')", "do not belong together"),
    "all secrets gone": ("DELETE FROM secrets WHERE path IN ('n1', 'n3')", "a record without its secret"),
    "the record gone": ("DELETE FROM records WHERE path IN ('n1', 'n3')", "a secret without its record"),
    "another type": ("UPDATE secrets SET sealed = 'text' WHERE slot = 0 AND path IN ('n1', 'n3')", "do not belong together"),
    "no metadata": ("UPDATE records SET metadata = NULL WHERE path IN ('n1', 'n3')", "a secret without its record"),
}


@pytest.mark.parametrize(("statement", "what"), DAMAGE.values(), ids=DAMAGE.keys())
def test_every_damaged_record_is_named_and_the_others_are_saved(filled, open_again, place, statement, what):
    sound = [record for record in filled.list() if record.address.path not in ("n1", "n3")]
    edit(filled, statement)
    damaged = Path(filled.path).read_bytes()
    found = soundness.check(open_again())
    assert (found.sound, [(each.address, each.account) for each in found.damaged]) == (
        3,
        [("r.example/n1", "deploy"), ("r.example/n3", "deploy")],
    )
    assert all(what in each.what for each in found.damaged)
    assert Path(filled.path).read_bytes() == damaged, "to look is not to touch"
    again, aside = soundness.repair(open_again(), NOW)
    assert again == found
    assert open_again().list() == filled.list() == sound
    assert Path(aside).read_bytes() == damaged
    assert Path(aside).parent == place / "data"
    assert soundness.check(open_again()) == Report(3, ())
    assert filled.put(a_record("new.example")).revision == 6, "no revision is given twice"


def test_names_that_are_no_text_and_escapes_are_told_harmlessly(filled, open_again):
    edit(
        filled,
        "UPDATE records SET account = 'x' || char(27) || '[2J' WHERE path = 'n1'",
        "UPDATE records SET path = x'ff' WHERE path = 'n2'",
    )
    found = soundness.check(open_again())
    assert found.sound == 3
    assert len(found.damaged) == 4
    assert not any(not text.isprintable() for each in found.damaged for text in (each.address, each.account, each.what))


def test_what_lies_behind_a_broken_page_is_saved_from_the_other_end(store, open_again, place):
    for number in range(400):
        store.put(a_record(f"r.example/n{number:03}", "deploy", "x" * 200))
    with closing(sqlite3.connect(store.path)) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'secrets'").fetchone()
    whole = bytearray(Path(store.path).read_bytes())
    # An inner page's first child, and one in the middle: pages that only hold secrets.
    middle = [at for at in range(0, len(whole), 4096) if b"n200" in whole[at : at + 4096] and at != (root - 1) * 4096]
    for at in middle:
        whole[at : at + 8] = b"\xff" * 8
    Path(store.path).write_bytes(whole)
    with pytest.raises(StoreCorrupt):
        open_again().list()
    found = soundness.check(open_again())
    assert any("cannot be read" in each.what for each in found.damaged)
    assert 300 < found.sound < 400
    soundness.repair(open_again(), NOW)
    paths = [record.address.path for record in open_again().list()]
    assert len(paths) == found.sound
    assert {"n000", "n399"} <= set(paths)


def test_a_damaged_header_leaves_nothing_to_save(filled, open_again):
    edit(filled, "UPDATE header SET value = zeroblob(60) WHERE name = 'wrapped_key'")
    before = Path(filled.path).read_bytes()
    for verb in (soundness.check, lambda store: soundness.repair(store, NOW)):
        with pytest.raises(StoreCorrupt, match="header") as caught:
            verb(open_again())
        assert "backup" in caught.value.hint
    assert Path(filled.path).read_bytes() == before


def test_without_the_key_nothing_is_called_damaged(filled, open_again, place):
    (place / "config" / "store.key").unlink()
    with pytest.raises(StoreLocked):
        soundness.check(open_again())


def test_a_record_that_went_or_came_back_is_not_noticed(filled, open_again):
    """docs/security.md says so: who can write the file can put an older one, or a part of it, in its place."""
    older = Path(filled.path).read_bytes()
    filled.put(a_record("r.example/n0", "deploy", "a newer secret"))
    edit(filled, "DELETE FROM secrets WHERE path = 'n1'", "DELETE FROM records WHERE path = 'n1'")
    assert soundness.check(open_again()) == Report(4, ())
    Path(filled.path).write_bytes(older)
    assert soundness.check(open_again()) == Report(5, ())
    page = (Path(__file__).parents[2] / "docs" / "security.md").read_text()
    assert "| an old copy of the whole file, or of a row, put back | **no** |" in page
    assert "| a row deleted | **no** |" in page


def test_a_row_that_was_rolled_back_is_not_noticed(filled, open_again):
    with closing(sqlite3.connect(filled.path)) as connection:
        old = [connection.execute(f"SELECT * FROM {table} WHERE path = 'n0'").fetchall() for table in ("records", "secrets")]
    filled.put(a_record("r.example/n0", "deploy", "a newer secret"))
    with closing(sqlite3.connect(filled.path)) as connection, connection:
        for table, marks, rows in (("records", "?,?,?,?,?", old[0]), ("secrets", "?,?,?,?,?", old[1])):
            connection.execute(f"DELETE FROM {table} WHERE path = 'n0'")
            connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
    assert open_again().exact(a_record("r.example/n0").key).slots[0].secret == "one"
    assert soundness.check(open_again()).damaged == ()


def test_no_damage_anywhere_in_the_file_gets_a_traceback(store, open_again):
    store.put(a_record("r.example", "deploy", "x"))
    whole, told = Path(store.path).read_bytes(), 0
    for at in range(0, len(whole), 23):
        Path(store.path).write_bytes(whole[:at] + bytes([whole[at] ^ 0x40]) + whole[at + 1 :])
        try:
            found = soundness.check(open_again())
        except StoreError:
            told += 1
        else:
            assert found.sound <= 1
            told += bool(found.damaged)
    assert told > 10
