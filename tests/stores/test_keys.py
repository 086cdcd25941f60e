from __future__ import annotations

import binascii
import subprocess
import sys

import pytest

from registryauth.errors import ConfigurationError, StoreLocked, StoreUnavailable
from registryauth.stores import keyring_key, keys
from registryauth.stores.keyring_key import KeyringKey
from registryauth.stores.keys import FileKey, Surroundings


def test_a_key_file_is_made_once(tmp_path):
    source = FileKey(str(tmp_path / "config" / "store.key"))
    key = source.create()
    assert len(key) == 32
    assert source.load() == source.create() == key
    assert binascii.a2b_base64((tmp_path / "config" / "store.key").read_text()) == key


def test_who_is_late_making_the_key_takes_the_one_that_is_there(tmp_path, monkeypatch):
    path = str(tmp_path / "store.key")
    first = FileKey(path)

    def overtaken(*_):
        monkeypatch.undo()
        return first.create()

    monkeypatch.setattr("registryauth.stores.sealing.new_key", overtaken)
    assert FileKey(path).create() == first.load()


def test_a_header_never_names_a_place():
    assert FileKey("/somewhere/store.key").describe() == {"source": "file"}


@pytest.mark.parametrize(("platform", "environ", "could"), [
    ("linux", {}, False),
    ("linux", {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/x"}, True),
    ("linux", {"XDG_RUNTIME_DIR": "/nonexistent"}, False),
    ("linux", {"XDG_RUNTIME_DIR": "relative"}, False),
    ("darwin", {}, True),
    ("win32", {}, True),
])  # fmt: skip
def test_a_keyring_is_looked_for_only_where_one_could_be(platform, environ, could):
    assert keyring_key.could_be_there(environ, platform) is could


def test_systemd_s_bus_counts_and_is_passed_on(tmp_path):
    (tmp_path / "bus").touch()
    environ = {"XDG_RUNTIME_DIR": str(tmp_path)}
    assert keyring_key.could_be_there(environ, "linux")
    assert keyring_key._session_bus(environ) == f"unix:path={tmp_path}/bus"


def test_file_and_auto_without_a_session_import_no_keyring(tmp_path):
    code = (
        "import sys\n"
        "from registryauth.stores import keys\n"
        "assert keys.choose('auto', 'id', keys.Surroundings('/k', {}), platform='linux').label == 'file /k'\n"
        "assert keys.choose('file', 'id', keys.Surroundings('/k', {'DBUS_SESSION_BUS_ADDRESS': 'x'})).label == 'file /k'\n"
        "assert not {'keyring', 'subprocess'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_unknown_kind_is_refused():
    with pytest.raises(ConfigurationError) as caught:
        keys.choose("stone", "id", Surroundings("/k", {}))
    assert "auto, file, keyring" in caught.value.hint


BUS = {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent"}


@pytest.mark.parametrize("failure", [StoreLocked, StoreUnavailable])
def test_auto_takes_the_file_where_the_keyring_fails_and_keyring_says_why(monkeypatch, failure):
    def failing(*_):
        raise failure("no", hint="yes")

    monkeypatch.setattr(keyring_key, "find", failing)
    assert keys.choose("auto", "id", Surroundings("/k", BUS), platform="linux").label == "file /k"
    with pytest.raises(failure):
        keys.choose("keyring", "id", Surroundings("/k", BUS), platform="linux")


class Keyring:
    """Answers as the child process does; *broken* says how it fails."""

    def __init__(self, broken: dict[str, str] | None = None) -> None:
        self.kept: dict[str, str] = {}
        self.broken = broken or {}
        self.questions: list[dict[str, str]] = []

    def __call__(self, question, seconds):
        self.questions.append(question)
        if question["backend"] in self.broken:
            return {"error": self.broken[question["backend"]], "detail": "as told"}
        if question["verb"] == "set":
            self.kept[question["user"]] = question["secret"]
        return {"secret": self.kept.get(question["user"])}


SECRET_SERVICE, KWALLET, LIBSECRET = keyring_key.BACKENDS["linux"]


def test_a_keyring_key_comes_back():
    keyring = Keyring()
    key = KeyringKey(SECRET_SERVICE, "5t0re", {}, keyring).create()
    assert list(keyring.kept) == ["store:5t0re"]
    source = KeyringKey(SECRET_SERVICE, "5t0re", {}, keyring)
    assert source.load() == key
    assert source.label == "OS keyring (SecretService)"
    assert keys.recorded(source.describe(), "5t0re", Surroundings("/k", {})).label == source.label


def test_the_first_keyring_that_works_is_taken():
    keyring = Keyring({SECRET_SERVICE: "unavailable"})
    assert keyring_key.find("id", {}, "linux", keyring).backend == KWALLET
    assert [question["verb"] for question in keyring.questions] == ["probe", "probe"]
    assert keyring.kept == {}


def test_if_none_works_the_first_ones_reason_is_told():
    keyring = Keyring(dict.fromkeys(keyring_key.ALLOWED, "unavailable"))
    with pytest.raises(StoreUnavailable, match=r"SecretService.*as told"):
        keyring_key.find("id", {}, "linux", keyring)


def test_a_locked_keyring_is_not_passed_over_for_another_one():
    with pytest.raises(StoreLocked, match=r"SecretService.* is locked"):
        keyring_key.find("id", {}, "linux", Keyring({SECRET_SERVICE: "locked"}))


@pytest.mark.parametrize(("backend", "reason"), [
    ("keyring.backends.null.Keyring", "forgets"),
    ("keyring.backends.fail.Keyring", "having no keyring"),
    ("keyring.backends.chainer.ChainerBackend", "write to one"),
    ("keyrings.alt.file.PlaintextKeyring", "in the clear"),
    ("keyrings.cryptfile.cryptfile.CryptFileKeyring", "not known"),
])  # fmt: skip
def test_a_keyring_that_does_not_protect_is_refused_by_name(backend, reason):
    keyring = Keyring()
    with pytest.raises(StoreUnavailable, match=reason) as caught:
        keyring_key.find("id", {"PYTHON_KEYRING_BACKEND": backend}, "linux", keyring)
    assert backend in caught.value.message
    assert keyring.questions == []


def test_the_library_s_own_variable_narrows_the_choice():
    assert keyring_key.find("id", {"PYTHON_KEYRING_BACKEND": LIBSECRET}, "linux", Keyring()).backend == LIBSECRET


@pytest.mark.parametrize(("kept", "words"), [(None, "has no key"), ("c2hvcnQ=", "not its key"), ("ä", "not its key")])
def test_a_keyring_without_our_key_locks_the_store(kept, words):
    keyring = Keyring()
    if kept is not None:
        keyring.kept["store:id"] = kept
    with pytest.raises(StoreLocked, match=words) as caught:
        KeyringKey(SECRET_SERVICE, "id", {}, keyring).load()
    assert caught.value.hint


def test_a_prompt_that_nobody_answers_ends_in_time(tmp_path, monkeypatch):
    slow = tmp_path / "python"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(slow))
    with pytest.raises(StoreLocked, match="did not answer"):
        KeyringKey(SECRET_SERVICE, "id", {"PATH": "/usr/bin:/bin"}).probe(0.2)


@pytest.mark.parametrize("script", ["exit 3", "echo '[]'", "echo key-in-the-output"])
def test_a_child_that_fails_is_told_without_its_output(tmp_path, monkeypatch, script):
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\ncat >/dev/null\n{script}\n")
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))
    with pytest.raises(StoreUnavailable, match="no answer") as caught:
        KeyringKey(SECRET_SERVICE, "id", {"PATH": "/usr/bin:/bin"}).load()
    assert "key-in" not in str(caught.value)


def test_a_missing_python_is_told(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    with pytest.raises(StoreUnavailable, match="cannot be started"):
        KeyringKey(SECRET_SERVICE, "id", {}).load()


def test_the_child_gets_the_key_on_stdin_and_a_small_environment(tmp_path, monkeypatch):
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\nenv > {tmp_path}/env\necho \"$@\" > {tmp_path}/argv\ncat > {tmp_path}/stdin\necho '{{}}'\n")
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))
    environ = {
        "PATH": "/usr/bin:/bin", "HOME": "/h", "DBUS_SESSION_BUS_ADDRESS": "unix:path=/b", "REGISTRYAUTH_PASSWORD": "canary",
        "KEYRING_PROPERTY_KEYRING_KEY": "canary", "PYTHON_KEYRING_BACKEND": SECRET_SERVICE, "LD_PRELOAD": "",
    }  # fmt: skip
    key = binascii.b2a_base64(KeyringKey(SECRET_SERVICE, "id", environ).create(), newline=False).decode()
    assert key in (tmp_path / "stdin").read_text()
    assert key not in (tmp_path / "argv").read_text()
    assert "-P" in (tmp_path / "argv").read_text().split()
    given = dict(line.partition("=")[::2] for line in (tmp_path / "env").read_text().splitlines())
    assert set(given) - {"PWD", "_", "SHLVL", "OLDPWD"} == {"PATH", "HOME", "DBUS_SESSION_BUS_ADDRESS", "PYTHONPATH"}
    assert "canary" not in given.values()
