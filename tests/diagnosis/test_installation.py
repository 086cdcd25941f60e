"""Each part of an installation broken once."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from types import SimpleNamespace

import pytest

from registryauth.config import load
from registryauth.diagnosis import CHECKS, Blotter, Surroundings, inspect
from registryauth.reference import Address
from registryauth.stores import Principal, Slot, from_config

HOST = "registry.example.com"
CANARY = "canary-0b77-secret"
NOW = time.time()


@pytest.fixture
def environ(home, tmp_path):
    helper = tmp_path / "docker-credential-registryauth"
    helper.write_text("#!/bin/sh\n")
    helper.chmod(0o755)
    return {"HOME": str(home), "PATH": str(tmp_path), "REGISTRYAUTH_STORE_KEY": "file", "XDG_RUNTIME_DIR": str(tmp_path / "run")}


@pytest.fixture
def look(environ, monkeypatch, tmp_path):
    """``look(name)``: what the check of that name says, and that the others say nothing is broken; None for all."""
    monkeypatch.setattr("registryauth.diagnosis.neighbours.sys.executable", str(tmp_path / "python"))

    def look(name="", *, clock=lambda: NOW, alone=True):
        here = Surroundings(
            environ, lambda: load(environ, system_file=""), lambda config: from_config(config, environ), clock, time.perf_counter, Blotter()
        )
        try:
            found = inspect(here)
        finally:
            here.close()
        if not name:
            return found
        if alone:
            assert [(each.name, each.detail) for each in found.steps if each.outcome in ("broken", "warning") and each.name != name] == []
        return next(each for each in found.steps if each.name == name)

    return look


@pytest.fixture
def keep(environ):
    def keep(address=HOST, account="me", **dates):
        store = from_config(load(environ, system_file=""), environ)
        store.put(Principal(Address.parse(address), account, (Slot(CANARY, **dates),)))
        store.close()

    return keep


@pytest.fixture
def configure(home):
    def configure(text):
        file = home / ".config/registryauth/config.toml"
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.write_text(text)
        return file

    return configure


def tree(home):
    return {str(path): path.stat().st_mtime_ns for path in home.rglob("*") if path.is_file()}


def test_a_new_installation_is_sound_and_nothing_is_made(look, home):
    found = look()
    assert [(each.name, each.outcome) for each in found.steps] == [(name, "ok") for name, _ in CHECKS]
    assert list(home.rglob("*")) == []


def test_a_used_installation_is_sound_and_nothing_is_written(look, keep, home):
    keep()
    before = tree(home)
    found = look()
    assert (found.outcome, found.exit_code) == ("ok", 0)
    assert tree(home) == before
    assert CANARY not in json.dumps(found.plain())


def test_a_broken_configuration_keeps_only_what_needs_it_from_being_looked_at(look, configure):
    configure("store = [")
    seen = look("configuration")
    assert seen.outcome == "broken"
    assert look("store", alone=False).outcome == "skipped"
    assert look("helper", alone=False).outcome == "ok"


def test_plain_http_in_the_settings_is_told(look, configure):
    configure(f'[registries."{HOST}"]\ninsecure = true\n')
    assert HOST in look("configuration").detail
    assert look("configuration").outcome == "warning"


def test_a_damaged_store_is_broken(look, keep, home):
    keep()
    (home / ".local/share/registryauth/store.db").write_bytes(b"no database" * 1000)
    assert look("store", alone=False).outcome == "broken"
    assert look("key", alone=False).outcome == "skipped"


def test_a_key_that_is_gone_is_broken(look, keep, home):
    keep()
    (home / ".config/registryauth/store.key").unlink()
    assert look("key").outcome == "broken"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_store_that_cannot_be_written_is_broken(look, keep, home):
    keep()
    (home / ".local/share/registryauth/store.db").chmod(0o400)
    assert look("writing").outcome == "broken"


def test_a_record_is_written_read_and_removed_and_nobody_sees_it(look, keep, home):
    assert look("writing").facts["tried"] is False
    assert list(home.iterdir()) == []
    keep()
    seen = look("writing")
    assert seen.facts["tried"] is True
    assert "written, read, removed and taken back" in seen.detail


def test_a_store_whose_disk_fails_is_broken_though_its_file_may_be_written(look, keep, monkeypatch):
    keep()

    def fail(*_):
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr("registryauth.stores.rehearsal.rows.write", fail)
    assert look("writing").outcome == "broken"


def test_a_store_that_loses_what_is_written_is_broken(look, keep, monkeypatch):
    keep()
    monkeypatch.setattr("registryauth.stores.rehearsal.rows.write", lambda *_: None)
    seen = look("writing")
    assert seen.outcome == "broken"
    assert "does not give back" in seen.detail


def test_where_the_key_is_gone_only_that_is_said(look, keep, home):
    keep()
    (home / ".config/registryauth/store.key").unlink()
    assert look("writing", alone=False).outcome == "ok"


def test_a_full_disk_is_broken(look, monkeypatch):
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_bavail=10, f_frsize=4096))
    assert "40960 bytes left" in look("writing").detail


@pytest.mark.parametrize("name", [".config/registryauth/store.key", ".local/state/registryauth/audit.log"])
def test_what_others_can_read_is_broken(look, keep, home, name):
    keep()
    (home / name).chmod(0o644)
    seen = look("permissions", alone=False)
    assert seen.outcome == "broken"
    assert "chmod 600" in seen.hint


def test_settings_that_others_can_write_are_broken(look, configure):
    configure("").chmod(0o666)
    assert "others can write" in look("permissions").detail


def test_a_log_whose_line_was_changed_is_broken(look, keep, home):
    keep()
    keep(account="other")
    log = home / ".local/state/registryauth/audit.log"
    log.write_bytes(log.read_bytes().replace(b'"me"', b'"us"', 1))
    assert look("audit").outcome == "broken"


def test_secrets_that_ended_or_end_soon_are_named(look, keep):
    keep(expires_at=int(NOW + 3600))
    assert look("expiry").outcome == "warning"
    keep(account="old", expires_at=int(NOW - 86400 * 2))
    seen = look("expiry")
    assert seen.outcome == "broken"
    assert "old for registry.example.com expired 2 days ago" in seen.detail
    assert "registryauth principal rotate registry.example.com --account old puts a new one in place" in seen.hint


def test_a_clock_behind_our_own_files_is_broken(look, keep):
    keep()
    assert look("clock", clock=lambda: NOW - 86400, alone=False).outcome == "broken"
    assert look("clock", clock=lambda: NOW + 86400).outcome == "ok"


def test_a_helper_that_is_not_found_is_told_with_its_place(look, environ, tmp_path):
    environ["PATH"] = "/nonexistent"
    seen = look("helper")
    assert seen.outcome == "warning"
    assert str(tmp_path) in seen.hint


def test_another_installations_helper_is_told(look, environ, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "docker-credential-registryauth").write_text("#!/bin/sh\n")
    (other / "docker-credential-registryauth").chmod(0o755)
    environ["PATH"] = f"{other}:{environ['PATH']}"
    assert "another installation" in look("helper").detail


def docker_config(home, document):
    (home / ".docker").mkdir()
    (home / ".docker/config.json").write_text(json.dumps(document))


def test_a_leftover_in_dockers_file_is_told_and_not_shown(look, keep, home):
    keep()
    docker_config(home, {"auths": {HOST: {"auth": "Y2FuYXJ5OmNhbmFyeS1kb2NrZXI="}}, "credHelpers": {HOST: "registryauth"}})
    seen = look("docker")
    assert seen.outcome == "warning"
    assert "still holds a credential" in seen.detail
    assert "Y2FuYXJ5" not in json.dumps(seen.plain())


def test_another_helper_for_what_is_stored_is_told(look, keep, home):
    keep()
    docker_config(home, {"credHelpers": {HOST: "desktop"}})
    assert "already names desktop" in look("docker").detail


def test_dockers_variable_stands_above_every_helper(look, environ):
    environ["DOCKER_AUTH_CONFIG"] = '{"auths": {}}'
    assert "DOCKER_AUTH_CONFIG" in look("docker").detail


def test_a_malformed_file_of_dockers_is_broken(look, home):
    (home / ".docker").mkdir()
    (home / ".docker/config.json").write_text("{")
    assert look("docker").outcome == "broken"


def test_helpers_that_podman_asks_instead_of_auth_json_are_told(look, keep, home):
    keep()
    settings = home / ".config/containers/registries.conf"
    settings.parent.mkdir(parents=True)
    (settings.parent / "auth.json").write_text(json.dumps({"credHelpers": {HOST: "registryauth"}}))
    settings.write_text('credential-helpers = ["pass"]')
    seen = look("containers")
    assert seen.outcome == "warning"
    assert f"{settings} has credential-helpers that leave auth.json out" in seen.detail


def test_two_of_three_variables_are_broken_and_no_value_is_shown(look, environ):
    environ |= {"REGISTRYAUTH_REGISTRY": HOST, "REGISTRYAUTH_PASSWORD": CANARY}
    seen = look("environment")
    assert (seen.outcome, seen.detail) == (
        "broken",
        "REGISTRYAUTH_REGISTRY, REGISTRYAUTH_PASSWORD is set, and REGISTRYAUTH_USERNAME is not",
    )
    environ["REGISTRYAUTH_USERNAME"] = "me"
    assert look("environment").outcome == "warning"
    assert CANARY not in json.dumps(look().plain())
