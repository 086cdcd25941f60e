from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from registryauth.errors import ConfigurationError
from registryauth.reference import Address
from registryauth.setup import Change, apply, docker

CANARY = "canary-7f3a"
HOST = [Address.parse("host.example")]


@pytest.fixture
def config(home, write):
    return write(home / ".docker/config.json", {"auths": {"x.example": {"auth": CANARY}}})


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o640])
def test_the_mode_stays(environ, config, mode):
    config.chmod(mode)
    apply(docker.plan(HOST, environ))
    assert config.stat().st_mode & 0o777 == mode


def test_a_link_stays_and_its_target_is_written(environ, config, tmp_path):
    target = tmp_path / "dotfiles/config.json"
    target.parent.mkdir()
    config.rename(target)
    config.symlink_to(target)
    change = docker.plan(HOST, environ)
    assert change.path == str(target)
    apply(change)
    assert config.is_symlink()
    assert "credHelpers" in json.loads(target.read_bytes())


def test_the_first_change_leaves_a_backup_that_only_we_can_read_and_later_ones_leave_it(environ, config):
    before = config.read_bytes()
    config.chmod(0o644)
    apply(docker.plan(HOST, environ))
    apply(docker.plan([Address.parse("b.example")], environ))
    backup = config.parent / "config.json.registryauth-backup"
    assert backup.read_bytes() == before
    assert backup.stat().st_mode & 0o777 == 0o600
    assert sorted(os.listdir(config.parent)) == ["config.json", "config.json.registryauth-backup"]


def test_a_change_by_somebody_else_in_the_meantime_is_not_lost(environ, config, write):
    change = docker.plan(HOST, environ)
    theirs = write(config, {"auths": {"new.example": {}}}).read_bytes()
    with pytest.raises(ConfigurationError, match="changed by another program") as caught:
        apply(change)
    assert "again" in caught.value.hint
    assert config.read_bytes() == theirs
    assert os.listdir(config.parent) == ["config.json"]


def test_a_file_that_came_or_went_in_the_meantime_is_a_change_too(environ, config, write):
    change = docker.plan(HOST, environ)
    content = config.read_bytes()
    config.unlink()
    with pytest.raises(ConfigurationError, match="changed by another program"):
        apply(change)
    change = docker.plan(HOST, environ)
    write(config, content)
    with pytest.raises(ConfigurationError, match="changed by another program"):
        apply(change)
    assert config.read_bytes() == content


def test_many_processes_at_once_lose_nothing(environ, config):
    code = (
        "import os, sys\nfrom registryauth.errors import ConfigurationError\nfrom registryauth.reference import Address\n"
        "from registryauth.setup import apply, docker\n"
        "for number in range(5):\n"
        "    while True:\n"
        "        try:\n"
        "            apply(docker.plan([Address.parse(f'host{sys.argv[1]}-{number}.example')], os.environ))\n"
        "            break\n"
        "        except ConfigurationError as error:\n"
        "            assert 'another program' in error.message, error\n"
    )
    environ = environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    children = [subprocess.Popen([sys.executable, "-c", code, str(number)], env=environ) for number in range(4)]
    assert [child.wait(60) for child in children] == [0] * 4
    document = json.loads(config.read_bytes())
    assert len(document["credHelpers"]) == 20
    assert document["auths"] == {"x.example": {"auth": CANARY}}
    assert sorted(os.listdir(config.parent)) == ["config.json", "config.json.registryauth-backup"]


@pytest.mark.parametrize("call", ["write", "fsync", "rename", "fchmod"])
def test_a_failure_on_the_way_leaves_the_file_as_it_was_and_nothing_beside_it(environ, config, monkeypatch, call):
    apply(docker.plan(HOST, environ))
    before, names = config.read_bytes(), sorted(os.listdir(config.parent))
    change = docker.plan([Address.parse("b.example")], environ)

    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(ConfigurationError, match="cannot be written: No space left") as caught:
        apply(change)
    assert caught.value.file == str(config)
    monkeypatch.undo()
    assert config.read_bytes() == before
    assert sorted(os.listdir(config.parent)) == names


def test_a_file_that_its_owner_made_read_only_is_left_alone(environ, config):
    config.chmod(0o444)
    before = config.read_bytes()
    with pytest.raises(ConfigurationError, match="is read-only") as caught:
        apply(docker.plan(HOST, environ))
    assert "chmod u+w" in caught.value.hint
    assert config.read_bytes() == before
    assert os.listdir(config.parent) == ["config.json"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file away")
def test_a_file_of_another_user_stays_theirs(environ, config):
    os.chown(config, 1234, 5678)
    apply(docker.plan(HOST, environ))
    assert (config.stat().st_uid, config.stat().st_gid) == (1234, 5678)
    assert "credHelpers" in json.loads(config.read_bytes())


def test_a_file_of_another_user_that_we_cannot_give_back_is_left_alone(environ, config, monkeypatch):
    before, real = config.read_bytes(), os.stat
    change = docker.plan(HOST, environ)

    def theirs(path, *rest, **named):
        found = real(path, *rest, **named)
        if path != str(config):
            return found
        return os.stat_result((found.st_mode, found.st_ino, found.st_dev, found.st_nlink, 1234, *tuple(found)[5:]))

    def refused(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "stat", theirs)
    monkeypatch.setattr(os, "fchown", refused)
    with pytest.raises(ConfigurationError, match="cannot be written: Operation not permitted") as caught:
        apply(change)
    monkeypatch.undo()
    assert "check who owns it" in caught.value.hint
    assert config.read_bytes() == before


def test_where_a_directory_cannot_be_made_it_is_said(environ, tmp_path):
    (tmp_path / "file").write_text("")
    change = docker.plan(HOST, environ | {"DOCKER_CONFIG": str(tmp_path / "file/below")})
    with pytest.raises(ConfigurationError, match="cannot be written"):
        apply(change)


def test_a_file_is_never_readable_by_others_while_it_is_written(environ, config, monkeypatch):
    config.chmod(0o600)
    modes = []
    real = os.fsync

    def watching(descriptor):
        modes.append(os.fstat(descriptor).st_mode & 0o077)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", watching)
    before = os.umask(0)
    try:
        apply(docker.plan(HOST, environ))
    finally:
        os.umask(before)
    assert set(modes[:2]) == {0}


def test_a_changes_content_is_not_in_its_repr():
    assert CANARY not in repr(Change("/x", CANARY.encode(), CANARY.encode(), ()))
