from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from registryauth.reference import Address
from registryauth.stores.last_used import LastUsed
from registryauth.stores.principal import Key

KEY = Key(Address.parse("r.example/team"), "robot")
NOON = 1_800_000_000


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "state" / "used"


@pytest.fixture
def used(directory: Path) -> LastUsed:
    return LastUsed(str(directory))


def test_what_was_never_used_is_0(used, directory):
    assert used.when(KEY) == 0
    assert not directory.exists()


def test_a_use_is_remembered_with_its_time(used, directory):
    used.touch(KEY, NOON + 0.9)
    assert used.when(KEY) == NOON
    assert LastUsed(str(directory)).when(KEY) == NOON


@pytest.mark.parametrize("later", [1, 3599])
def test_within_the_hour_nothing_is_written_again(used, later):
    used.touch(KEY, NOON)
    used.touch(KEY, NOON + later)
    assert used.when(KEY) == NOON


@pytest.mark.parametrize("other", [NOON + 3600, NOON - 3600])
def test_after_an_hour_it_is_also_where_the_clock_was_wrong_before(used, other):
    used.touch(KEY, NOON)
    used.touch(KEY, other)
    assert used.when(KEY) == other


def test_each_record_has_its_own(used):
    others = [Key(Address.parse("r.example"), "teamrobot"), Key(Address.parse("r.example/team"), "Robot"), Key(KEY.address, "")]
    used.touch(KEY, NOON)
    assert [used.when(other) for other in others] == [0, 0, 0]


def test_the_files_are_empty_ours_alone_and_name_nobody(used, directory):
    used.touch(KEY, NOON)
    [file] = directory.iterdir()
    assert (file.stat().st_size, stat.S_IMODE(file.stat().st_mode), stat.S_IMODE(directory.stat().st_mode)) == (0, 0o600, 0o700)
    assert "robot" not in file.name


def test_what_is_forgotten_is_unknown(used, directory):
    used.touch(KEY, NOON)
    used.forget(KEY)
    used.forget(KEY)
    assert (used.when(KEY), list(directory.iterdir())) == (0, [])


def test_any_account_name_has_a_file(used):
    for account in ("/", "..", "ä\0b", "\ud83d", "x" * 5000):
        key = Key(KEY.address, account)
        used.touch(key, NOON)
        assert used.when(key) == NOON


def test_what_cannot_be_written_is_nobody_s_trouble(tmp_path):
    (tmp_path / "file").touch()
    used = LastUsed(str(tmp_path / "file" / "used"))
    used.touch(KEY, NOON)
    used.forget(KEY)
    assert used.when(KEY) == 0


def test_a_directory_that_others_can_write_into_is_not_used(used, directory):
    directory.mkdir(parents=True)
    directory.chmod(0o777)
    used.touch(KEY, NOON)
    assert list(directory.iterdir()) == []


def test_a_link_in_the_file_s_place_is_not_followed(used, directory, tmp_path):
    used.touch(KEY, NOON)
    [file] = directory.iterdir()
    victim = tmp_path / "victim"
    victim.touch()
    os.utime(victim, (1, 1))
    file.unlink()
    file.symlink_to(victim)
    used.touch(KEY, NOON)
    assert victim.stat().st_mtime == 1


def test_it_is_in_the_state_directory(tmp_path):
    used = LastUsed.at_home({"HOME": str(tmp_path)})
    used.touch(KEY, NOON)
    assert len(list((tmp_path / ".local" / "state" / "registryauth" / "used").iterdir())) == 1


def test_without_a_home_directory_nothing_is_remembered(monkeypatch):
    monkeypatch.setattr("registryauth._paths.home_dir", lambda _: "")
    used = LastUsed.at_home({})
    used.touch(KEY, NOON)
    used.forget(KEY)
    assert used.when(KEY) == 0
