"""What somebody can do to the files of a store, and what we say to it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from registryauth.errors import StoreCorrupt, StoreError, StoreLocked, StoreUnavailable
from registryauth.reference import Address
from registryauth.stores.encrypted import EncryptedStore
from registryauth.testing.store_contract import a_record


def edit(path: str | Path, *statements: str | tuple[str, tuple[object, ...]]) -> None:
    """Do what an attacker does who can write the file."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            changed = connection.execute(*((statement,) if isinstance(statement, str) else statement)).rowcount
            assert changed != 0, "the attack itself does nothing"


def value(path: str | Path, query: str) -> bytes:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchone()[0]


def assert_corrupt(store: EncryptedStore, *words: str) -> None:
    for verb in (store.list, lambda: store.get(Address.parse("r.example/a"))):
        with pytest.raises(StoreCorrupt) as caught:
            verb()
        assert caught.value.hint
        for word in words:
            assert word in caught.value.message


RECORD_EDITS = {
    "metadata": "UPDATE records SET metadata = replace(metadata, 'false', 'true')",
    "metadata, same meaning": "UPDATE records SET metadata = metadata || ' '",
    "metadata gone": "UPDATE records SET metadata = NULL",
    "metadata no text": "UPDATE records SET metadata = x'ff'",
    "revision": "UPDATE records SET revision = revision + 1",
    "revision no number": "UPDATE records SET revision = 'one'",
    "path moved": "UPDATE records SET path = ''; UPDATE secrets SET path = ''",
    "account renamed": "UPDATE records SET account = 'root'; UPDATE secrets SET account = 'root'",
    "account no text": "UPDATE records SET account = x'ff'; UPDATE secrets SET account = x'ff'",
    "slot renumbered": "UPDATE secrets SET slot = 2 WHERE slot = 0",
    "second slot renumbered": "UPDATE secrets SET slot = 7 WHERE slot = 1",
    "slots swapped": "UPDATE secrets SET slot = slot + 8; UPDATE secrets SET slot = 9 - slot",
    "first secret gone": "DELETE FROM secrets WHERE slot = 0",
    "second secret gone": "DELETE FROM secrets WHERE slot = 1",
    "all secrets gone": "DELETE FROM secrets",
    "a secret too many": "INSERT INTO secrets SELECT registry, path, account, 2, sealed FROM secrets WHERE slot = 1",
    "sealed as text": "UPDATE secrets SET sealed = 'open' WHERE slot = 1",
    "sealed as nothing": "UPDATE secrets SET sealed = NULL WHERE slot = 1",
    "sealed too long to read": "UPDATE secrets SET sealed = zeroblob(2000000) WHERE slot = 1",
}  # fmt: skip


@pytest.mark.parametrize("statements", RECORD_EDITS.values(), ids=RECORD_EDITS.keys())
def test_an_edited_record_is_found_out(store, statements):
    store.put(a_record("r.example/a", "deploy", "one", "two"))
    edit(store.path, *statements.split("; "))
    assert_corrupt(store)


def test_the_damaged_record_is_named_and_can_be_written_anew_or_removed(store):
    broken = store.put(a_record("r.example/a"))
    fine = store.put(a_record("other.example"))
    edit(store.path, "UPDATE records SET metadata = '{}' WHERE path = 'a'")
    assert_corrupt(store, "r.example a deploy", store.path)
    assert store.exact(fine.key) == fine
    anew = store.put(broken)
    assert store.list() == [fine, anew]
    edit(store.path, "UPDATE records SET revision = -5 WHERE path = 'a'")
    assert store.delete(anew.key) is True
    assert store.list() == [fine]


def test_a_terminal_escape_in_a_tampered_name_is_not_passed_on(store):
    store.put(a_record("r.example/a"))
    edit(store.path, "UPDATE records SET account = 'x' || char(27) || '[2J'")
    with pytest.raises(StoreCorrupt) as caught:
        store.list()
    assert "\x1b" not in str(caught.value)


def test_two_secrets_swapped_between_records_are_found_out(store):
    store.put(a_record("r.example/a"))
    store.put(a_record("r.example/b"))
    edit(
        store.path,
        "UPDATE secrets SET path = 'c' WHERE path = 'a'",
        "UPDATE secrets SET path = 'a' WHERE path = 'b'",
        "UPDATE secrets SET path = 'b' WHERE path = 'c'",
    )
    assert_corrupt(store)


def test_a_row_from_another_store_is_found_out(store, place):
    other = EncryptedStore(str(place / "other.db"), key="file", key_file=str(place / "config" / "store.key"), environ={})
    other.put(a_record("r.example/a"))
    store.put(a_record("r.example/a"))
    sealed, metadata = (value(other.path, query) for query in ("SELECT sealed FROM secrets", "SELECT metadata FROM records"))
    edit(store.path, ("UPDATE secrets SET sealed = ?", (sealed,)), ("UPDATE records SET metadata = ?", (metadata,)))
    assert_corrupt(store)


def test_a_secret_of_an_older_revision_is_not_taken_for_the_new_one(store):
    store.put(a_record("r.example/a", "deploy", "old"))
    old = value(store.path, "SELECT sealed FROM secrets")
    store.put(a_record("r.example/a", "deploy", "new"))
    edit(store.path, ("UPDATE secrets SET sealed = ?", (old,)))
    assert_corrupt(store)


def flipped(sealed: bytes):
    for at in range(len(sealed)):
        for bit in (0x01, 0x80):
            yield sealed[:at] + bytes([sealed[at] ^ bit]) + sealed[at + 1 :]


def test_a_flipped_bit_in_any_byte_of_a_secret_is_found_out(store):
    store.put(a_record("r.example/a", "deploy", "x"))
    sealed = value(store.path, "SELECT sealed FROM secrets")
    assert len(sealed) == 12 + 1 + 16
    for changed in flipped(sealed):
        edit(store.path, ("UPDATE secrets SET sealed = ?", (changed,)))
        with pytest.raises(StoreCorrupt):
            store.list()


def test_a_shortened_secret_is_found_out(store):
    store.put(a_record("r.example/a", "deploy", "x"))
    sealed = value(store.path, "SELECT sealed FROM secrets")
    for length in range(len(sealed)):
        edit(store.path, ("UPDATE secrets SET sealed = ?", (sealed[:length],)))
        with pytest.raises(StoreCorrupt):
            store.list()


def test_a_flipped_bit_in_any_byte_of_the_wrapped_key_is_found_out(store, open_again):
    store.put(a_record("r.example/a"))
    wrapped = value(store.path, "SELECT value FROM header WHERE name = 'wrapped_key'")
    assert len(wrapped) == 12 + 32 + 16
    for changed in flipped(wrapped):
        edit(store.path, ("UPDATE header SET value = ? WHERE name = 'wrapped_key'", (changed,)))
        with pytest.raises(StoreCorrupt, match="header"):
            open_again().list()


HEADER_EDITS = {
    "store id": "UPDATE header SET value = CAST(replace(value, substr(value, 1, 1), 'g') AS BLOB) WHERE name = 'store_id'",
    "store id gone": "DELETE FROM header WHERE name = 'store_id'",
    "key source": """UPDATE header SET value = CAST('{"source":"file","x":1}' AS BLOB) WHERE name = 'key_source'""",
    "key source no JSON": "UPDATE header SET value = x'ff' WHERE name = 'key_source'",
    "key source a list": "UPDATE header SET value = CAST('[]' AS BLOB) WHERE name = 'key_source'",
    "something added": "INSERT INTO header VALUES ('note', x'00')",
    "a value of another type": "UPDATE header SET value = 7 WHERE name = 'wrapped_key'",
    "wrapped key gone": "DELETE FROM header WHERE name = 'wrapped_key'",
    "wrapped key shortened": "UPDATE header SET value = substr(value, 1, 20) WHERE name = 'wrapped_key'",
    "format no number": "UPDATE header SET value = CAST('one' AS BLOB) WHERE name = 'format'",
    "format 0": "UPDATE header SET value = CAST('0' AS BLOB) WHERE name = 'format'",
    "header emptied": "DELETE FROM header",
    "a table more": "CREATE TABLE notes (text)",
    "a trigger": "CREATE TRIGGER gone AFTER INSERT ON records BEGIN DELETE FROM secrets; END",
    "a table less": "DROP TABLE secrets",
    "a view in a table's place": "DROP TABLE records; CREATE VIEW records AS SELECT *, 1 AS revision, '' AS metadata FROM secrets",
}


@pytest.mark.parametrize("statements", HEADER_EDITS.values(), ids=HEADER_EDITS.keys())
def test_an_edited_header_is_found_out(store, open_again, statements):
    store.put(a_record("r.example/a"))
    edit(store.path, *([statements] if "BEGIN" in statements else statements.split("; ")))
    assert_corrupt(open_again())
    with pytest.raises(StoreCorrupt):
        open_again().put(a_record("r.example/a"))


@pytest.mark.parametrize("counter", ["", "-1", "1e3", "9" * 19, "\N{SUPERSCRIPT TWO}"])
def test_an_edited_revision_counter_stops_writing(store, counter):
    written = store.put(a_record("r.example/a"))
    edit(store.path, ("UPDATE header SET value = ? WHERE name = 'counter'", (counter.encode(),)))
    with pytest.raises(StoreCorrupt, match="counter"):
        store.put(a_record("r.example/a"))
    assert store.list() == [written]


def test_a_newer_store_is_not_touched(store, open_again):
    store.put(a_record("r.example/a"))
    edit(store.path, "UPDATE header SET value = CAST('2' AS BLOB) WHERE name = 'format'", "CREATE TABLE of_the_future (x)")
    before = Path(store.path).read_bytes()
    for verb in (open_again().list, open_again().status, lambda: open_again().put(a_record("r.example"))):
        with pytest.raises(StoreUnavailable, match="newer registryauth") as caught:
            verb()
        assert "update" in caught.value.hint
    assert Path(store.path).read_bytes() == before


def test_an_unknown_key_source_asks_for_an_update(store, open_again):
    store.put(a_record("r.example/a"))
    edit(store.path, """UPDATE header SET value = CAST('{"source":"stone"}' AS BLOB) WHERE name = 'key_source'""")
    with pytest.raises(StoreUnavailable, match="stone"):
        open_again().list()


@pytest.mark.parametrize("backend", ["keyrings.alt.file.PlaintextKeyring", "os.system", ""])
def test_a_header_cannot_name_a_keyring_of_the_attackers_choice(store, open_again, backend):
    store.put(a_record("r.example/a"))
    described = f'{{"source":"keyring","backend":"{backend}"}}'.encode()
    edit(store.path, ("UPDATE header SET value = ? WHERE name = 'key_source'", (described,)))
    with pytest.raises(StoreUnavailable, match="refused"):
        open_again().list()


@pytest.mark.parametrize("content", [b"x", b"not a database\n" * 100, b"SQLite format 3\0" + b"\xff" * 5000, os.urandom(8192)])
def test_a_file_that_is_no_database_is_never_overwritten(store, content):
    path = Path(store.path)
    path.parent.mkdir(mode=0o700)
    path.touch(mode=0o600)
    path.write_bytes(content)
    for verb in (store.list, store.status, lambda: store.put(a_record("r.example"))):
        with pytest.raises(StoreCorrupt) as caught:
            verb()
        assert caught.value.hint
    assert path.read_bytes() == content


def test_somebody_elses_database_is_never_touched(store):
    path = Path(store.path)
    path.parent.mkdir(mode=0o700)
    path.touch(mode=0o600)
    edit(path, "CREATE TABLE bookmarks (url)")
    before = path.read_bytes()
    for verb in (store.list, store.status, lambda: store.put(a_record("r.example"))):
        with pytest.raises(StoreCorrupt, match="not a store of registryauth"):
            verb()
    assert path.read_bytes() == before


def test_a_truncated_file_is_found_out_at_any_length(store, open_again):
    for number in range(8):
        store.put(a_record(f"r.example/a{number}"))
    whole = Path(store.path).read_bytes()
    for length in [1, 50, 100, *range(512, len(whole), 512)]:
        Path(store.path).write_bytes(whole[:length])
        with pytest.raises(StoreCorrupt):
            open_again().list()


def test_no_damaged_byte_of_the_file_gives_a_wrong_secret(store, open_again):
    """Random damage ends in the right answer or in our error, never in a foreign exception."""
    written = store.put(a_record("r.example/a", "deploy", "one", "two"))
    whole = Path(store.path).read_bytes()
    refused = 0
    for at in range(len(whole)):
        # One bit of every byte that says something, and of some of the zeros between.
        if not whole[at] and at % 50:
            continue
        Path(store.path).write_bytes(whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :])
        try:
            found = open_again().list()
        except StoreError:
            refused += 1
        else:
            # A row can go missing unseen: docs/store-format.md says so.
            assert found in ([written], [])
    assert refused > 500


@pytest.mark.parametrize("name", ["data/store.db", "config/store.key"])
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644])
def test_a_file_open_to_others_is_refused_with_the_command_that_closes_it(store, place, open_again, name, mode):
    store.put(a_record("r.example/a"))
    (place / name).chmod(mode)
    with pytest.raises(StoreUnavailable, match=f"{mode:04o}") as caught:
        open_again().list()
    assert f"chmod 600 {place / name}" in caught.value.hint


@pytest.mark.parametrize("name", ["data/store.db", "config/store.key"])
def test_a_symbolic_link_is_not_followed(store, place, open_again, name):
    store.put(a_record("r.example/a"))
    (place / name).rename(place / "elsewhere")
    (place / name).symlink_to(place / "elsewhere")
    with pytest.raises(StoreUnavailable, match="symbolic link"):
        open_again().list()
    with pytest.raises(StoreUnavailable, match="symbolic link"):
        open_again().put(a_record("r.example/a"))


def test_a_dangling_link_is_not_written_through(store, place):
    (place / "data").mkdir(mode=0o700)
    Path(store.path).symlink_to(place / "target")
    with pytest.raises(StoreUnavailable, match="symbolic link"):
        store.put(a_record("r.example/a"))
    assert not (place / "target").exists()


@pytest.mark.parametrize("name", ["data/store.db", "config/store.key"])
def test_a_fifo_does_not_hang_us(store, place, open_again, name):
    store.put(a_record("r.example/a"))
    (place / name).unlink()
    os.mkfifo(place / name, 0o600)
    with pytest.raises(StoreUnavailable, match="not a regular file"):
        open_again().list()


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o1777])
def test_a_directory_that_others_can_write_is_refused(store, place, open_again, mode):
    store.put(a_record("r.example/a"))
    (place / "data").chmod(mode)
    with pytest.raises(StoreUnavailable, match="others can write") as caught:
        open_again().list()
    assert "chmod 700" in caught.value.hint


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("name", ["data/store.db", "config/store.key", "data"])
def test_a_file_of_another_user_is_refused(store, place, open_again, name):
    store.put(a_record("r.example/a"))
    os.chown(place / name, 65534, -1)
    with pytest.raises(StoreUnavailable, match="belongs to user 65534"):
        open_again().list()


def test_a_full_disk_is_told_and_the_old_value_stays(store):
    """RLIMIT_FSIZE stands for it: the kernel refuses the write, also to root."""
    written = store.put(a_record("r.example/a"))
    code = (
        "import resource, signal, sys\n"
        "from registryauth.errors import StoreUnavailable\n"
        "from registryauth.stores import open_store\n"
        "from registryauth.testing.store_contract import a_record\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try:\n"
        "    open_store(sys.argv[1], 'file', sys.argv[2]).put(a_record('r.example/a', 'deploy', 'x' * 60000))\n"
        "except StoreUnavailable as error:\n"
        "    print(error.message)\n"
    )
    arguments = [sys.executable, "-c", code, store.path, str(Path(store.path).parents[1] / "config" / "store.key")]
    said = subprocess.run(arguments, capture_output=True, text=True, check=True).stdout
    assert "cannot be used" in said
    assert store.list() == [written]


@pytest.fixture
def read_only_store():
    """A store of an ordinary user, in a directory that this user cannot write; and that user's number."""
    # Not tmp_path: its parents are closed to every other user.
    base = Path(tempfile.mkdtemp())
    user = 65534 if os.geteuid() == 0 else os.geteuid()
    try:
        store = EncryptedStore(str(base / "data" / "store.db"), key="file", key_file=str(base / "config" / "store.key"), environ={})
        store.put(a_record("r.example/a"))
        if os.geteuid() == 0:
            for path in [base, *base.rglob("*")]:
                os.chown(path, user, -1)
        (base / "data").chmod(0o500)
        yield base, user
    finally:
        (base / "data").chmod(0o700)
        shutil.rmtree(base)


def as_user(user: int, action) -> str:
    """What *action* gives in a process of *user*; by fork, because that user may not be allowed to start our Python."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setresuid(user, user, user)
            os.write(writing, action().encode())
        except BaseException as error:  # noqa: BLE001 - a child must not run on into pytest
            os.write(writing, f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as output:
        said = output.read()
    os.waitpid(child, 0)
    return said


def test_a_read_only_directory_can_be_read_and_says_so_when_written(read_only_store):
    base, user = read_only_store
    store = EncryptedStore(str(base / "data" / "store.db"), key="file", key_file=str(base / "config" / "store.key"), environ={})

    def attempt() -> str:
        found = len(store.list())
        try:
            store.put(a_record("r.example/b"))
        except StoreUnavailable as error:
            return f"{found} {error.message} {error.hint}"
        return "written"

    said = as_user(user, attempt)
    if said.startswith("PermissionError: [Errno 1]"):
        pytest.skip("root cannot be restricted here: no right to become another user")
    assert said.startswith("1 the store")
    assert "cannot be used" in said
    assert "check the rights" in said


def test_a_store_that_is_held_is_busy_not_broken(store, monkeypatch):
    monkeypatch.setattr("registryauth.stores.database.BUSY_SECONDS", 0.05)
    written = store.put(a_record("r.example/a"))
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        for verb in (store.list, lambda: store.put(a_record("r.example/a"))):
            with pytest.raises(StoreUnavailable, match="busy"):
                verb()
    assert store.list() == [written]


def test_a_wrong_key_file_is_locked_not_corrupt(store, place, open_again):
    store.put(a_record("r.example/a"))
    (place / "config" / "store.key").write_text("A" * 43 + "=\n")
    with pytest.raises(StoreLocked, match="another key"):
        open_again().list()
