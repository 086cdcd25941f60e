"""The store's key in a real Secret Service: gnome-keyring on a D-Bus session and in a home of the test's own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.real

UNLOCKED = 'printf %s "the desktop password" | gnome-keyring-daemon --unlock --components=secrets >/dev/null; exec "$@"'
# Started, and nobody gave the password.
LOCKED = 'gnome-keyring-daemon --start --components=secrets >/dev/null; exec "$@"'

WRITE = """
store.put(a_record("r.example/a", "deploy", "from the first process"), if_revision=0)
print(store.status()["key"])
"""

READ = """
print(store.get(Address.parse("r.example/a/b")).slots[0].secret)
"""

MOVE = """
print(store.rekey("{}"))
"""

USERS = """
import secretstorage
for item in secretstorage.get_default_collection(secretstorage.dbus_init()).get_all_items():
    print(item.get_attributes()["username"])
"""

TRY = """
for verb in (store.list, lambda: store.put(a_record("r.example/b"))):
    try:
        verb()
    except StoreError as error:
        print(type(error).__name__, error.exit_code, error.message, bool(error.hint))
"""

OPEN = """
import sys
from registryauth.errors import StoreError
from registryauth.reference import Address
from registryauth.stores import open_store
from registryauth.testing.store_contract import a_record
store = open_store(sys.argv[1], sys.argv[2], sys.argv[3])
"""


class Desktop:
    """Runs scripts, each in a process of its own, in a session with a keyring."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.store = home / "store" / "store.db"
        self.key_file = home / "keys" / "store.key"
        (home / "run").mkdir(mode=0o700)

    def run(self, session: str, *scripts: str, key: str = "keyring") -> list[str]:
        environ = {
            "HOME": str(self.home), "PATH": os.environ["PATH"], "XDG_DATA_HOME": str(self.home / "data"),
            "XDG_RUNTIME_DIR": str(self.home / "run"), "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry),
        }  # fmt: skip
        inner = [
            "sh",
            "-c",
            'python=$1 store=$2 key=$3 file=$4; shift 4; for script; do "$python" -c "$script" "$store" "$key" "$file" || exit; done',
        ]
        arguments = [sys.executable, str(self.store), key, str(self.key_file), *(OPEN + script for script in scripts)]
        done = subprocess.run(
            ["dbus-run-session", "--", "sh", "-c", session, "session", *inner, "inner", *arguments],
            env=environ, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()


@pytest.fixture
def desktop(tmp_path: Path, program) -> Desktop:
    for name in ("dbus-run-session", "gnome-keyring-daemon"):
        program(name)
    return Desktop(tmp_path)


def test_a_store_with_its_key_in_the_keyring_opens_in_another_process_and_another_session(desktop):
    assert desktop.run(UNLOCKED, WRITE, READ) == ["OS keyring (SecretService)", "from the first process"]
    assert desktop.run(UNLOCKED, READ) == ["from the first process"]
    assert not desktop.key_file.exists()


def test_a_key_moves_from_a_file_into_the_keyring_and_back(desktop):
    assert desktop.run(UNLOCKED, WRITE, MOVE.format("keyring"), READ, key="file") == [
        f"file {desktop.key_file}", "OS keyring (SecretService)", "from the first process",
    ]  # fmt: skip
    desktop.key_file.unlink()
    # Sealed anew without a move, which must not make another key there.
    assert desktop.run(UNLOCKED, MOVE.format("keyring"), READ) == ["OS keyring (SecretService)", "from the first process"]
    assert desktop.run(UNLOCKED, MOVE.format("file"), READ) == [f"file {desktop.key_file}", "from the first process"]


def test_auto_takes_a_keyring_that_works(desktop):
    assert desktop.run(UNLOCKED, WRITE, key="auto") == ["OS keyring (SecretService)"]


def test_the_probe_leaves_nothing_behind(desktop):
    _, *users = desktop.run(UNLOCKED, WRITE, USERS)
    assert len(users) == 1
    assert users[0].startswith("store:")


def test_a_locked_keyring_locks_the_store_and_says_so(desktop):
    desktop.run(UNLOCKED, WRITE)
    before = desktop.store.read_bytes()
    message = "StoreLocked 5 the OS keyring (SecretService) is locked True"
    assert desktop.run(LOCKED, TRY) == [message, message]
    assert desktop.store.read_bytes() == before


def test_a_store_asked_to_use_a_locked_keyring_is_not_made(desktop):
    desktop.run(UNLOCKED, WRITE)
    desktop.store.unlink()
    assert desktop.run(LOCKED, TRY) == ["StoreLocked 5 the OS keyring (SecretService) is locked True"]
    assert not desktop.store.exists()


def test_auto_takes_the_file_where_the_keyring_is_locked(desktop):
    desktop.run(UNLOCKED, WRITE)
    desktop.store.unlink()
    assert desktop.run(LOCKED, WRITE, key="auto") == [f"file {desktop.key_file}"]
