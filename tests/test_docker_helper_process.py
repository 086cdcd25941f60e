"""The helper as docker runs it: a process, in any locale, with a store on disk that may be locked, damaged or gone."""

from __future__ import annotations

import array
import fcntl
import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import termios
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from registryauth.docker_helper import NAME, NOT_FOUND, run
from registryauth.reference import Address
from registryauth.stores import Principal, Slot, open_store

CANARY = "canary-91d0"
COMMAND = [sys.executable, "-m", "registryauth.docker_helper"]
STORE = ".local/share/registryauth/store.db"
KEY = ".config/registryauth/store.key"


@pytest.fixture
def helper(home):
    """Run the helper with nothing in the environment but HOME and what is given."""

    def helper(action, request="", **environ):
        stdin = request if isinstance(request, bytes) else request.encode()
        surroundings = {"HOME": str(home), "REGISTRYAUTH_STORE_KEY": "file", **environ}
        done = subprocess.run([*COMMAND, action], input=stdin, env=surroundings, capture_output=True, timeout=60)
        assert b"Traceback" not in done.stderr
        return done.returncode, done.stdout, done.stderr.decode()

    return helper


@pytest.fixture
def login(helper):
    def login(server, username="me", secret=CANARY):
        return helper("store", json.dumps({"ServerURL": server, "Username": username, "Secret": secret}))

    return login


@pytest.mark.parametrize(
    "locale",
    [
        {},
        {"LC_ALL": "C"},
        {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "latin-1"},
        {"PYTHONIOENCODING": "utf-16"},
    ],
)
def test_a_secret_of_any_script_comes_back_as_utf_8_in_any_locale(helper, login, locale):
    secret = 'pä€😀\u00ad  \\"'
    assert login("host.example", "jörg", secret) == (0, b"", "")
    status, out, err = helper("get", "host.example", **locale)
    assert (status, err) == (0, "")
    assert json.loads(out.decode("utf-8")) == {"ServerURL": "host.example", "Username": "jörg", "Secret": secret}
    assert out.endswith(b"}\n")
    assert out.count(b"\n") == 1
    assert json.loads(helper("list", **locale)[1].decode("utf-8")) == {"host.example": "jörg"}


def test_the_secret_is_on_disk_in_no_readable_form(home, login):
    login("host.example")
    assert not [path for path in home.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes()]


def test_the_first_login_makes_a_store_that_nobody_else_may_read(home, login):
    login("host.example")
    for path in (home / STORE, home / KEY):
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(("action", "answer"), [("get", (1, NOT_FOUND.encode() + b"\n")), ("erase", (0, b"")), ("list", (0, b"{}\n"))])
def test_to_ask_an_empty_home_makes_nothing_in_it(home, helper, action, answer):
    assert helper(action, "host.example")[:2] == answer
    assert list(home.iterdir()) == []


def _lock(home):
    (home / KEY).unlink()


def _other_key(home):
    (home / KEY).write_text("A" * 43 + "=\n")


def _foreign(home):
    (home / STORE).write_bytes(b"not a database at all" * 100)


def _tampered(home):
    with sqlite3.connect(home / STORE) as connection:
        connection.execute("UPDATE secrets SET sealed = zeroblob(60)")
    connection.close()


def _open_to_others(home):
    (home / STORE).chmod(0o644)


def _link(home):
    (home / STORE).rename(home / "elsewhere.db")
    (home / STORE).symlink_to(home / "elsewhere.db")


@pytest.fixture
def inside(home):
    """The same in this process, where how it was started makes no difference."""

    def inside(action, request):
        out, err = io.StringIO(), io.StringIO()
        status = run([action], io.BytesIO(request.encode()), out, err, {"HOME": str(home), "REGISTRYAUTH_STORE_KEY": "file"})
        return status, out.getvalue(), err.getvalue()

    return inside


@pytest.mark.parametrize("action", ["get", "erase", "list", "store"])
@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_lock, "the key file"),
        (_other_key, "another key"),
        (_foreign, "is not a store that registryauth wrote"),
        (_tampered, "was damaged or tampered with"),
        (_open_to_others, "is open to other users"),
        (_link, "is a symbolic link"),
    ],
)
def test_a_store_that_cannot_be_used_is_a_failure_with_its_reason_on_both_streams(home, inside, spoil, said, action):
    login = json.dumps({"ServerURL": "host.example", "Username": "me", "Secret": CANARY})
    assert inside("store", login)[0] == 0
    spoil(home)
    status, out, err = inside(action, login if action == "store" else "host.example")
    assert status == 1
    assert out.count("\n") == 1
    assert said in out
    assert said in err
    assert NOT_FOUND not in out
    assert "; " in err, "there is a hint"
    assert CANARY not in err + out


def test_other_entries_are_answered_beside_a_damaged_one(home, helper, login):
    login("a.example")
    login("b.example")
    with sqlite3.connect(home / STORE) as connection:
        connection.execute("UPDATE secrets SET sealed = zeroblob(60) WHERE registry = 'a.example'")
    connection.close()
    assert helper("get", "a.example")[0] == 1
    assert json.loads(helper("get", "b.example")[1])["Secret"] == CANARY


def test_a_broken_configuration_is_named_with_its_line(home, helper):
    (home / ".config/registryauth").mkdir(parents=True)
    (home / ".config/registryauth/config.toml").write_text("[store]\npth = 'x'\n")
    status, out, err = helper("get", "host.example")
    assert status == 1
    assert "line 2" in err
    assert "did you mean path?" in err
    assert NOT_FOUND not in out.decode()


@pytest.mark.parametrize("homeless", [{"HOME": "/dev/null/nothing"}, {"HOME": "/proc/nothing"}])
def test_a_home_that_cannot_hold_a_store_is_empty_to_read_and_a_failure_to_write(helper, login, homeless):
    assert helper("get", "host.example", **homeless)[:2] == (1, NOT_FOUND.encode() + b"\n")
    status, out, err = helper("store", json.dumps({"ServerURL": "h.example", "Username": "u", "Secret": CANARY}), **homeless)
    assert (status, out.count(b"\n")) == (1, 1)
    assert "cannot be made" in err
    assert CANARY not in err


def test_without_home_the_user_s_own_is_used(helper, tmp_path):
    # HOME is unset in many a service; the store's place is named, so that this test leaves the real home alone.
    place = {"REGISTRYAUTH_STORE_PATH": str(tmp_path / "s.db"), "REGISTRYAUTH_STORE_KEY_FILE": str(tmp_path / "s.key"), "HOME": ""}
    request = json.dumps({"ServerURL": "h.example", "Username": "u", "Secret": CANARY})
    assert helper("store", request, **place) == (0, b"", "")
    assert json.loads(helper("get", "h.example", **place)[1])["Secret"] == CANARY


def test_many_logins_at_once_lose_none(helper, login):
    hosts = [f"h{number}.example" for number in range(8)]
    with ThreadPoolExecutor(4) as pool:
        assert {status for status, _, _ in pool.map(login, hosts)} == {0}
    assert sorted(json.loads(helper("list")[1])) == sorted(hosts)


def test_many_logins_at_once_to_one_registry_leave_one_whole_credential(helper, login):
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda number: login("host.example", f"u{number % 2}", f"secret of u{number % 2}"), range(8)))
    assert {status for status, _, _ in done} == {0}
    answer = json.loads(helper("get", "host.example")[1])
    assert answer["Secret"] == f"secret of {answer['Username']}"


def test_the_request_of_64_kib_passes_through_a_pipe(helper, login):
    assert login("host.example", secret="s" * 65536)[0] == 0
    assert json.loads(helper("get", "host.example")[1])["Secret"] == "s" * 65536
    assert helper("store", b"x" * 1_000_000)[:2] == (1, b"the request is longer than 131072 bytes\n")


def test_a_registry_that_the_library_stored_is_answered(home, helper):
    environ = {"HOME": str(home)}
    store = open_store(key="file", environ=environ)
    store.put(Principal(Address.parse("host.example"), "sp", (Slot(CANARY),), kind="service-principal", made_by="admin"))
    store.close()
    assert json.loads(helper("get", "host.example")[1])["Username"] == "sp"
    assert helper("erase", "host.example")[0] == 0
    assert json.loads(helper("get", "host.example")[1])["Secret"] == CANARY


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("action", ["get", "list", "version"])
def test_a_closed_stream_is_no_traceback(home, closed, action):
    line = f'exec "$0" -m registryauth.docker_helper {action} {closed}'
    done = subprocess.run(["sh", "-c", line, sys.executable], env={"HOME": str(home)}, stdin=subprocess.DEVNULL, capture_output=True)
    assert b"Traceback" not in done.stderr
    assert done.returncode in (0, 1)
    if ">&-" in closed.replace("2>&-", ""):
        assert done.returncode == 1, "an answer that nobody can have is no success"


def _started(action, home):
    pipe = subprocess.PIPE
    return subprocess.Popen([*COMMAND, action], stdin=pipe, stdout=pipe, stderr=pipe, env={"HOME": str(home)})


def test_a_client_that_goes_away_is_no_traceback(home, login):
    login("host.example")
    process = _started("get", home)
    process.stdout.close()
    process.stdin.write(b"host.example")
    process.stdin.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(60) == 1


def test_list_does_not_wait_for_its_standard_input(home):
    read, write = os.pipe()
    try:
        done = subprocess.run([*COMMAND, "list"], stdin=read, capture_output=True, env={"HOME": str(home)}, timeout=60)
    finally:
        os.close(read)
        os.close(write)
    assert (done.returncode, done.stdout) == (0, b"{}\n")


def test_ctrl_c_ends_it_with_130_and_no_traceback(home):
    process = _started("get", home)
    # It has come to its request when it has taken what we wrote.
    process.stdin.write(b"h")
    process.stdin.flush()
    while _unread(process.stdin):
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, b"", b"")


def _unread(pipe):
    """The bytes that wait in *pipe*."""
    count = array.array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, count)
    return count[0]


def test_it_is_installed_under_the_name_that_docker_looks_for():
    from importlib.metadata import entry_points

    [entry] = entry_points(group="console_scripts", name=NAME)
    assert entry.value == "registryauth.docker_helper:main"
