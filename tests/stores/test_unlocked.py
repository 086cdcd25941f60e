"""What `registryauth unlock` keeps, where, and for how long."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from registryauth.errors import StoreLocked, StoreUnavailable
from registryauth.stores import kdf, passphrase_key, unlocked
from registryauth.stores.encrypted import EncryptedStore
from registryauth.testing.store_contract import a_record

PHRASE = "correct horse battery"
NOW = 1_800_000_000


@pytest.fixture(autouse=True)
def _cheap_derivation(monkeypatch):
    monkeypatch.setattr(passphrase_key, "_derived", {})
    monkeypatch.setattr(kdf, "derive", lambda phrase, said: (phrase + said["salt"]).encode().ljust(40, b".")[8:40])


@pytest.fixture
def clock():
    """A clock to be set: ``clock.now``."""

    class Clock:
        now = float(NOW)

        def __call__(self):
            return self.now

    return Clock()


@pytest.fixture
def runtime(tmp_path):
    found = tmp_path / "run"
    found.mkdir(mode=0o700)
    return found


@pytest.fixture
def opened(place, clock, runtime):
    """Opens the store as a new process does, by default without the passphrase."""

    def opened(**environ):
        environ = {"XDG_RUNTIME_DIR": str(runtime)} | environ
        return EncryptedStore(str(place / "store.db"), key="passphrase", key_file="/nonexistent", environ=environ, clock=clock)

    return opened


@pytest.fixture
def written(opened):
    return opened(REGISTRYAUTH_PASSPHRASE=PHRASE).put(a_record("r.example"))


def kept(runtime: Path) -> list[Path]:
    return sorted((runtime / "registryauth").glob("*"))


def test_an_unlocked_store_opens_without_its_passphrase_until_the_time_is_over(opened, written, clock, runtime):
    with pytest.raises(StoreLocked):
        opened().list()
    assert opened(REGISTRYAUTH_PASSPHRASE=PHRASE).keep_unlocked(3600) == NOW + 3600
    for clock.now in (NOW, NOW + 3599.9):
        assert opened().list() == [written]
        assert opened().unlocked_until() == NOW + 3600
    clock.now = NOW + 3600
    assert len(kept(runtime)) == 1
    with pytest.raises(StoreLocked):
        opened().list()
    assert kept(runtime) == [], "what has expired is deleted"


@pytest.mark.parametrize("now", [NOW - 1, 0, NOW + 86400 * 365])
def test_a_clock_that_was_set_elsewhere_ends_it(opened, written, clock, runtime, now):
    opened(REGISTRYAUTH_PASSPHRASE=PHRASE).keep_unlocked(3600)
    clock.now = now
    with pytest.raises(StoreLocked):
        opened().list()
    assert kept(runtime) == []
    clock.now = NOW
    with pytest.raises(StoreLocked):
        opened().list()


def test_the_file_is_ours_alone_and_holds_no_passphrase(opened, written, runtime):
    before = os.umask(0)
    try:
        opened(REGISTRYAUTH_PASSPHRASE=PHRASE).keep_unlocked(3600)
    finally:
        os.umask(before)
    [file] = kept(runtime)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert PHRASE not in file.read_text()


def test_it_is_never_longer_than_a_day(opened, written, clock):
    assert opened(REGISTRYAUTH_PASSPHRASE=PHRASE).keep_unlocked(10**9) == NOW + 86400


@pytest.mark.parametrize("runtime_dir", ["", "relative/run", "/nonexistent/run"])
def test_without_a_runtime_directory_nothing_is_kept_anywhere(opened, written, place, runtime_dir, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(StoreUnavailable) as caught:
        opened(REGISTRYAUTH_PASSPHRASE=PHRASE, XDG_RUNTIME_DIR=runtime_dir).keep_unlocked(3600)
    assert caught.value.hint
    assert sorted(tmp_path.rglob("*")) == before
    assert opened(REGISTRYAUTH_PASSPHRASE=PHRASE, XDG_RUNTIME_DIR=runtime_dir).list() == [written]


def test_a_runtime_directory_that_others_can_write_is_refused(opened, written, runtime):
    runtime.chmod(0o777)
    with pytest.raises(StoreUnavailable, match="others can write"):
        opened(REGISTRYAUTH_PASSPHRASE=PHRASE).keep_unlocked(3600)
    assert kept(runtime) == []


def test_a_kept_key_that_others_can_read_is_refused(opened, written, runtime):
    opened(REGISTRYAUTH_PASSPHRASE=PHRASE).keep_unlocked(3600)
    [file] = kept(runtime)
    file.chmod(0o644)
    with pytest.raises(StoreUnavailable, match="open to other users"):
        opened().list()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_kept_key_of_another_user_is_refused(opened, written, runtime):
    opened(REGISTRYAUTH_PASSPHRASE=PHRASE).keep_unlocked(3600)
    os.chown(kept(runtime)[0], 65534, -1)
    with pytest.raises(StoreUnavailable, match="belongs to user 65534"):
        opened().list()


def test_a_link_is_not_followed(opened, written, runtime, tmp_path):
    opened(REGISTRYAUTH_PASSPHRASE=PHRASE).keep_unlocked(3600)
    [file] = kept(runtime)
    file.rename(tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreUnavailable, match="symbolic link"):
        opened().list()


@pytest.mark.parametrize("changed", [
    {"until": NOW + 86401}, {"until": "tomorrow"}, {"from": None}, {"kdf": {}}, {"kdf": None},
    {"key": "c2hvcnQ="}, {"key": None}, {"key": 7},
])  # fmt: skip
def test_a_file_that_is_not_as_we_wrote_it_locks_the_store(opened, written, runtime, changed):
    opened(REGISTRYAUTH_PASSPHRASE=PHRASE).keep_unlocked(3600)
    [file] = kept(runtime)
    file.write_text(json.dumps(json.loads(file.read_text()) | changed))
    with pytest.raises(StoreLocked):
        opened().list()
    assert opened(REGISTRYAUTH_PASSPHRASE=PHRASE).list() == [written]


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b"[" * 4000])
def test_a_file_of_something_else_is_deleted(opened, written, runtime, content):
    opened(REGISTRYAUTH_PASSPHRASE=PHRASE).keep_unlocked(3600)
    [file] = kept(runtime)
    file.write_bytes(content)
    with pytest.raises(StoreLocked):
        opened().list()
    assert kept(runtime) == []


def test_a_wrong_passphrase_unlocks_nothing(opened, written, runtime):
    with pytest.raises(StoreLocked, match="not the passphrase"):
        opened(REGISTRYAUTH_PASSPHRASE="a wrong one").keep_unlocked(3600)
    assert kept(runtime) == []


def test_to_stay_unlocked_takes_the_passphrase_again(opened, written):
    opened(REGISTRYAUTH_PASSPHRASE=PHRASE).keep_unlocked(60)
    with pytest.raises(StoreLocked, match="no terminal"):
        opened().keep_unlocked(3600)
    assert opened().unlocked_until() == NOW + 60


def test_another_passphrase_ends_it(opened, written, runtime):
    opened(REGISTRYAUTH_PASSPHRASE=PHRASE).keep_unlocked(3600)
    opened(REGISTRYAUTH_PASSPHRASE=PHRASE).change_passphrase(lambda _: "another passphrase")
    assert kept(runtime) == []
    with pytest.raises(StoreLocked):
        opened().list()


def test_what_was_kept_under_an_earlier_passphrase_is_deleted(opened, written, runtime):
    opened(REGISTRYAUTH_PASSPHRASE=PHRASE).keep_unlocked(3600)
    opened(REGISTRYAUTH_PASSPHRASE=PHRASE, XDG_RUNTIME_DIR="").change_passphrase(lambda _: "another passphrase")
    with pytest.raises(StoreLocked, match="no terminal"):
        opened().list()
    assert kept(runtime) == []


def test_a_new_data_key_does_not_end_it(opened, written):
    opened(REGISTRYAUTH_PASSPHRASE=PHRASE).keep_unlocked(3600)
    opened().rekey()
    assert opened().list() == [written]


def test_forgetting_deletes_what_is_kept_of_every_store(opened, written, runtime, place, clock):
    environ = {"XDG_RUNTIME_DIR": str(runtime), "REGISTRYAUTH_PASSPHRASE": PHRASE}
    other = EncryptedStore(str(place / "other.db"), key="passphrase", key_file="", environ=environ, clock=clock)
    other.put(a_record("r.example"))
    other.keep_unlocked(60)
    opened(REGISTRYAUTH_PASSPHRASE=PHRASE).keep_unlocked(60)
    (runtime / "registryauth" / "something-else").touch()
    assert unlocked.forget(environ) == 2
    assert unlocked.forget(environ) == 0
    assert [file.name for file in kept(runtime)] == ["something-else"]
    assert unlocked.forget({}) == 0


def test_a_store_id_cannot_lead_elsewhere(runtime):
    place = unlocked.Place({"XDG_RUNTIME_DIR": str(runtime)}, "../../etc/passwd", {}, lambda: NOW)
    assert place.path == ""
    assert unlocked.kept(place) is None
    with pytest.raises(StoreUnavailable):
        unlocked.keep(place, bytes(32), 60)


def test_a_store_with_its_key_in_a_file_has_nothing_to_unlock(store, place):
    store.put(a_record("r.example"))
    assert store.keep_unlocked(60) == 0
    assert store.unlocked_until() == 0
    (place / "config" / "store.key").unlink()
    with pytest.raises(StoreLocked):
        store.keep_unlocked(60)


def test_no_key_in_the_repr(runtime):
    assert PHRASE not in repr(unlocked.Place({"REGISTRYAUTH_PASSPHRASE": PHRASE}, "0" * 32, {}, lambda: NOW))
