"""``unlock`` and ``lock``, and who is asked for a passphrase, and where."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time

import pytest

from registryauth.reference import Address
from registryauth.stores import Principal, Slot, kdf, open_store, passphrase_key

from .conftest import CANARY

PHRASE = "correct horse canary"


@pytest.fixture
def locked(home, monkeypatch):
    """A store with a passphrase, which no variable says."""
    environ = os.environ | {"REGISTRYAUTH_PASSPHRASE": PHRASE}
    with monkeypatch.context() as quickly:
        # RFC 9106's smallest: these processes are real, and derive for real.
        quickly.setattr(kdf, "_ARGON2ID", {})
        quickly.setitem(kdf._DEFAULTS, "argon2id", {"memory_kib": 64, "iterations": 1, "lanes": 1})
        store = open_store(key="passphrase", environ=environ)
        store.put(Principal(Address.parse("registry.example"), "me", (Slot(CANARY),)))
    passphrase_key._derived.clear()
    return store


@pytest.fixture
def unlocked(locked, cli, monkeypatch):
    with monkeypatch.context() as said:
        said.setenv("REGISTRYAUTH_PASSPHRASE", PHRASE)
        done = cli("unlock")
    assert done.status == 0
    return done


def test_a_locked_store_is_exit_5_for_every_verb_and_says_what_to_do(locked, cli):
    for argv in (["list"], ["principal", "list"], ["resolve", "registry.example/x"], ["store", "check"], ["store", "rekey"], ["unlock"]):
        done = cli(*argv)
        assert done.status == 5, argv
        assert "registryauth unlock" in done.err


def test_unlock_says_until_when_and_the_store_opens(unlocked, cli, load):
    assert "Unlocked until 20" in unlocked.err
    assert "registryauth lock" in unlocked.err
    assert PHRASE not in unlocked.out + unlocked.err
    assert len(load("list")["registries"]) == 1
    shown = load("status")["store"]
    assert (shown["state"], shown["key"]) == ("open", "passphrase")
    assert shown["unlocked_until"].startswith("20")
    assert "unlocked until 20" in cli("status").out


def test_lock_ends_it(unlocked, cli):
    assert cli("lock").err == "Locked.\n"
    assert cli("list").status == 5
    assert cli("lock").err == "Nothing was unlocked.\n"


def test_lock_works_whatever_became_of_the_store(unlocked, cli, locked, tmp_path):
    with open(locked.path, "wb") as file:
        file.write(b"rubbish" * 1000)
    done = cli("lock")
    assert (done.status, done.err) == (0, "Locked.\n")


def test_status_tells_of_a_locked_store_and_is_exit_5(locked, cli):
    done = cli("status", "-o", "json")
    assert done.status == 5
    assert (json.loads(done.out)["store"]["state"], json.loads(done.out)["store"]["records"]) == ("StoreLocked", 1)


@pytest.mark.parametrize(("span", "status"), [("1s", 0), ("24h", 0), ("1d", 0), ("25h", 2), ("0s", 2), ("-1h", 2), ("soon", 2), ("", 2)])
def test_the_time_is_a_span_of_at_most_a_day(locked, cli, monkeypatch, span, status):
    monkeypatch.setenv("REGISTRYAUTH_PASSPHRASE", PHRASE)
    assert cli("unlock", f"--for={span}").status == status


def test_without_a_runtime_directory_unlock_is_refused(locked, cli, monkeypatch):
    monkeypatch.setenv("REGISTRYAUTH_PASSPHRASE", PHRASE)
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    done = cli("unlock")
    assert done.status == 5
    assert "XDG_RUNTIME_DIR is not set" in done.err
    assert "hint:" in done.err


def test_a_store_with_a_key_file_needs_no_unlocking(cli, keep, home):
    keep("registry.example")
    done = cli("unlock")
    assert done.status == 0
    assert f"nothing to unlock: the store's key comes from the file {home}" in done.err


def helper(**environ):
    command = [sys.executable, "-m", "registryauth.docker_helper", "get"]
    return subprocess.run(command, input=b"registry.example", capture_output=True, env=os.environ | environ)


def test_dockers_helper_answers_while_it_is_unlocked_and_is_told_why_not_otherwise(locked, cli, monkeypatch):
    done = helper()
    assert done.returncode == 1
    assert b"registryauth unlock" in done.stderr
    assert json.loads(helper(REGISTRYAUTH_PASSPHRASE=PHRASE).stdout)["Secret"] == CANARY
    monkeypatch.setenv("REGISTRYAUTH_PASSPHRASE", PHRASE)
    cli("unlock")
    monkeypatch.delenv("REGISTRYAUTH_PASSPHRASE")
    assert json.loads(helper().stdout)["Secret"] == CANARY


def test_an_unlocked_store_costs_the_helper_no_derivation(unlocked):
    script = (
        "import sys\nfrom registryauth.docker_helper import main\nstatus = main()\nsys.stdout.flush()\n"
        "print(status, *sys.modules, file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, "get"], input=b"registry.example", capture_output=True, env=os.environ)
    status, *names = done.stderr.decode().splitlines()[-1].split()
    assert status == "0"
    assert "registryauth.stores.unlocked" in names, "the measure works"
    assert not {"registryauth.stores.kdf", "unicodedata"} & set(names)


# -- at a terminal --

#: Makes standard input the terminal that this session has, as a login does, and runs what follows.
_AT_A_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(2, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", *sys.argv[1:]])
"""


class Terminal:
    """A command at a terminal of its own: what it shows, and what is typed there."""

    def __init__(self, *argv, stdin=None):
        self._ours, theirs = os.openpty()
        command = [sys.executable, "-c", _AT_A_TERMINAL, *argv]
        given = theirs if stdin is None else subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=given, stdout=theirs, stderr=theirs, start_new_session=True)
        os.close(theirs)
        if stdin is not None:
            self._process.stdin.write(stdin)
            self._process.stdin.close()
        self.shown = ""

    def until(self, text):
        deadline = time.monotonic() + 30
        while text not in self.shown and time.monotonic() < deadline:
            if select.select([self._ours], [], [], 0.1)[0] and not self._read():
                break
        assert text in self.shown, self.shown
        return self

    def type(self, line):
        # The echo is turned off after the prompt was written.
        time.sleep(0.1)
        os.write(self._ours, line.encode() + b"\n")
        return self

    def end(self):
        while self._read():
            pass
        status = self._process.wait(30)
        os.close(self._ours)
        return status

    def _read(self):
        try:
            piece = os.read(self._ours, 4096)
        except OSError:
            # Linux ends a terminal whose other side is closed with EIO.
            return b""
        self.shown += piece.decode()
        return piece


def test_a_person_is_asked_once_and_what_is_typed_is_not_shown(locked):
    terminal = Terminal("registryauth", "list").until("Passphrase of the credential store:").type(PHRASE)
    assert terminal.end() == 0
    assert "registry.example" in terminal.shown
    assert PHRASE not in terminal.shown
    assert terminal.shown.count("Passphrase") == 1


def test_a_command_that_opens_the_store_twice_asks_once(locked):
    terminal = Terminal("registryauth", "logout", "registry.example").until("Passphrase").type(PHRASE)
    assert terminal.until("Removing login credentials").end() == 0
    assert terminal.shown.count("Passphrase") == 1


def test_unlock_asks_at_a_terminal(locked, cli):
    terminal = Terminal("registryauth", "unlock", "--for", "5m").until("Passphrase").type(PHRASE)
    assert terminal.end() == 0
    assert "Unlocked until" in terminal.shown
    assert cli("list").status == 0


def test_a_wrong_passphrase_is_one_attempt(locked):
    terminal = Terminal("registryauth", "resolve", "registry.example/x").until("Passphrase").type("not the right one")
    assert terminal.end() == 5
    assert terminal.shown.count("Passphrase") == 1
    assert "that is not the passphrase" in terminal.shown


def test_a_secret_that_is_piped_in_is_not_taken_for_the_passphrase(locked, cli, monkeypatch):
    argv = ("principal", "add", "other.example", "--client-id", "me", "--secret-stdin", "--no-verify")
    terminal = Terminal("registryauth", *argv, stdin=b"the piped secret\n").until("Passphrase").type(PHRASE)
    assert terminal.end() == 0, terminal.shown
    monkeypatch.setenv("REGISTRYAUTH_PASSPHRASE", PHRASE)
    store = open_store(environ=os.environ)
    assert [record.slots[0].secret for record in store.list()] == ["the piped secret", CANARY]


def test_a_new_passphrase_is_asked_for_twice_and_must_be_the_same(locked, cli, monkeypatch):
    terminal = Terminal("registryauth", "store", "passphrase").until("Passphrase").type(PHRASE)
    terminal.until("New passphrase").type("staple battery").until("once more").type("staple bottery")
    assert terminal.end() == 2
    assert "differ" in terminal.shown
    terminal = Terminal("registryauth", "store", "passphrase").until("Passphrase").type(PHRASE)
    terminal.until("New passphrase").type("staple battery").until("once more").type("staple battery")
    assert terminal.end() == 0, terminal.shown
    assert "staple" not in terminal.shown
    monkeypatch.setenv("REGISTRYAUTH_PASSPHRASE", "staple battery")
    assert cli("list").status == 0


def test_a_store_made_with_a_passphrase_asks_for_it_twice_and_then_no_more(home, monkeypatch):
    monkeypatch.setenv("REGISTRYAUTH_STORE_KEY", "passphrase")
    argv = ("principal", "add", "other.example", "--client-id", "me", "--secret-stdin", "--no-verify")
    terminal = Terminal("registryauth", *argv, stdin=b"the piped secret\n")
    terminal.until("New passphrase").type(PHRASE).until("once more").type(PHRASE)
    assert terminal.end() == 0, terminal.shown
    assert "nobody can restore it" in terminal.shown
    assert "Passphrase of" not in terminal.shown


def test_dockers_helper_asks_nobody_even_at_a_terminal(locked):
    terminal = Terminal("registryauth.docker_helper", "list")
    assert terminal.end() == 1
    assert "Passphrase of" not in terminal.shown
    assert "registryauth unlock" in terminal.shown


def test_status_asks_nobody(locked):
    terminal = Terminal("registryauth", "status")
    assert terminal.end() == 5
    assert "Passphrase of" not in terminal.shown
