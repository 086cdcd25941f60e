from __future__ import annotations

import os
import pwd
import stat
from pathlib import Path
from types import SimpleNamespace

import pytest

from registryauth import _paths
from registryauth.errors import ConfigurationError, StoreUnavailable


@pytest.mark.parametrize(
    ("place", "variable", "default"),
    [
        (_paths.config_dir, "XDG_CONFIG_HOME", ".config"),
        (_paths.data_dir, "XDG_DATA_HOME", ".local/share"),
        (_paths.state_dir, "XDG_STATE_HOME", ".local/state"),
    ],
)
def test_directories_are_xdg_s_and_relative_ones_do_not_count(place, variable, default):
    assert place({variable: "/x", "HOME": "/h"}) == "/x/registryauth"
    for ignored in ("", "relative", "./x"):
        assert place({variable: ignored, "HOME": "/h"}) == f"/h/{default}/registryauth"


def test_without_home_the_user_database_is_asked():
    assert _paths.config_dir({}) == f"{pwd.getpwuid(os.geteuid()).pw_dir}/.config/registryauth"


def test_without_any_home_the_error_says_what_to_set(monkeypatch):
    def unknown(_uid):
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    with pytest.raises(ConfigurationError) as caught:
        _paths.data_dir({})
    assert "HOME or XDG_DATA_HOME" in caught.value.hint
    assert _paths.data_dir({"XDG_DATA_HOME": "/x"}) == "/x/registryauth"
    monkeypatch.setattr(pwd, "getpwuid", lambda _uid: SimpleNamespace(pw_dir=""))
    with pytest.raises(ConfigurationError):
        _paths.data_dir({})


@pytest.mark.parametrize("umask", [0, 0o777])
def test_written_files_are_private_whatever_the_umask(tmp_path, umask):
    before = os.umask(umask)
    try:
        _paths.private_dir(str(tmp_path / "a" / "b"))
        _paths.write_private(str(tmp_path / "a" / "b" / "c"), b"x")
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")}
    assert modes == {"a": 0o700, "b": 0o700, "c": 0o600}


def test_a_written_file_is_never_open_to_others_not_even_for_a_moment(tmp_path, monkeypatch):
    seen = []
    real = os.open

    def watching(path, flags, mode=0o777, **more):
        descriptor = real(path, flags, mode, **more)
        seen.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        return descriptor

    before = os.umask(0)
    monkeypatch.setattr(os, "open", watching)
    try:
        _paths.write_private(str(tmp_path / "x"), b"x")
    finally:
        os.umask(before)
    assert seen[0] == 0o600


def test_a_write_replaces_the_file_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "x"
    _paths.write_private(str(path), b"old")
    inode = path.stat().st_ino
    _paths.write_private(str(path), b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_ino != inode
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_replaces_a_link_and_not_what_it_points_to(tmp_path):
    (tmp_path / "target").write_text("untouched")
    (tmp_path / "x").symlink_to(tmp_path / "target")
    _paths.write_private(str(tmp_path / "x"), b"new")
    assert (tmp_path / "target").read_text() == "untouched"
    assert not (tmp_path / "x").is_symlink()


def test_a_device_or_a_pipe_is_never_replaced(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    # Should a file be put there after all, let it not be this machine's own device that is gone.
    monkeypatch.setattr(os, "replace", lambda *_: None)
    for path in (tmp_path / "pipe", tmp_path / "link", "/dev/null", "/dev/stdout"):
        with pytest.raises(StoreUnavailable, match="it is a device or a pipe"):
            _paths.write_private(str(path), b"x")
    assert sorted(os.listdir(tmp_path)) == ["link", "pipe"]


@pytest.mark.parametrize("hard_links", [True, False])
def test_a_write_that_must_not_replace_does_not(tmp_path, monkeypatch, hard_links):
    def impossible(_source, _target):
        raise PermissionError(1, "Operation not permitted")

    if not hard_links:
        monkeypatch.setattr(os, "link", impossible)
    path = tmp_path / "x"
    _paths.write_private(str(path), b"first", replace=False)
    with pytest.raises(FileExistsError):
        _paths.write_private(str(path), b"second", replace=False)
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = tmp_path / "x"
    _paths.write_private(str(path), b"old")

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreUnavailable, match="No space left") as caught:
        _paths.write_private(str(path), b"new")
    assert caught.value.hint
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_writing_into_a_missing_directory_is_told(tmp_path):
    with pytest.raises(StoreUnavailable, match="cannot be written"):
        _paths.write_private(str(tmp_path / "missing" / "x"), b"x")


def test_a_private_file_is_read_and_an_absent_one_is_none(tmp_path):
    path = str(tmp_path / "x")
    assert _paths.read_private(path, 10) is None
    assert _paths.read_private(path + "/y", 10) is None
    _paths.write_private(path, b"0123456789")
    assert _paths.read_private(path, 10) == b"0123456789"


def test_reading_is_bounded(tmp_path):
    _paths.write_private(str(tmp_path / "x"), b"0123456789")
    with pytest.raises(StoreUnavailable, match="longer than 9 bytes"):
        _paths.read_private(str(tmp_path / "x"), 9)


def test_what_others_may_read_is_refused_with_a_command_that_a_shell_takes(tmp_path):
    path = tmp_path / "my file"
    path.touch(mode=0o600)
    path.chmod(0o644)
    with pytest.raises(StoreUnavailable) as caught:
        _paths.read_private(str(path), 10)
    assert f"chmod 600 '{path}'" in caught.value.hint


def test_links_directories_and_fifos_are_refused(tmp_path):
    (tmp_path / "file").touch(mode=0o600)
    (tmp_path / "link").symlink_to(tmp_path / "file")
    (tmp_path / "directory").mkdir()
    os.mkfifo(tmp_path / "fifo", 0o600)
    for name, word in (("link", "symbolic link"), ("directory", "regular file"), ("fifo", "regular file")):
        with pytest.raises(StoreUnavailable, match=word):
            _paths.read_private(str(tmp_path / name), 10)


def test_a_file_in_a_directory_s_place_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable, match="not a directory"):
        _paths.private_dir(str(tmp_path / "file"))
    with pytest.raises(StoreUnavailable, match="cannot be made"):
        _paths.private_dir(str(tmp_path / "file" / "below"))


def test_a_directory_of_ours_may_be_a_link(tmp_path: Path):
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    _paths.private_dir(str(tmp_path / "link"))
