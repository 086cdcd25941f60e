"""Tables at a terminal and away from one, and Ctrl-C where a person is asked or waits."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registryauth.cli.console import table
from registryauth.testing import RegistrySimulator

LONG = "myregistry-with-a-long-name.azurecr.io:5000/team/of/many/people/and/their/models"
cells = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]) | st.just(" ") | st.sampled_from("/-.:@"), max_size=120)


def test_without_a_width_every_row_is_one_line():
    assert table(("A", "B"), [("x" * 200, "y")]).splitlines() == [f"A{' ' * 199}  B", f"{'x' * 200}  y"]


def test_what_fits_stays_as_it_is():
    rows = [("registry.example", "me")]
    assert table(("REGISTRY", "ACCOUNT"), rows, 80) == table(("REGISTRY", "ACCOUNT"), rows)


def test_the_widest_cells_go_on_below_themselves():
    shown = table(("REGISTRY", "ACCOUNT", "KIND", "VERIFIED"), [(LONG, "0f5c2f6e-client-id", "user", "2026-11-22T14:53:01Z")], 80)
    lines = shown.splitlines()
    assert lines[1] == "myregistry-with-a-long-name.      0f5c2f6e-client-id  user  2026-11-22T14:53:01Z"
    assert max(map(len, lines)) <= 80
    assert "".join(line[:32].strip() for line in lines[1:]) == LONG


def test_a_moment_and_a_heading_are_not_parted():
    columns = ("TIME", "EVENT", "REGISTRY", "ACCOUNT", "PURPOSE", "USER", "PROGRAM")
    row = ("2026-11-22T14:53:01Z", "read", LONG, "0f5c2f6e-client-id", "principal list", "root", "docker-credential-registryauth")
    lines = table(columns, [row], 80).splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == list(columns)
    assert lines[1].startswith("2026-11-22T14:53:01Z  read")


def test_where_nothing_could_be_read_any_more_the_lines_stay_whole():
    columns = [f"COLUMN{number}" for number in range(12)]
    assert table(columns, [["x" * 30] * 12], 40) == table(columns, [["x" * 30] * 12])


@given(st.lists(st.tuples(cells, cells, cells), max_size=5), st.integers(30, 120))
def test_nothing_is_lost_and_nothing_is_wider(rows, width):
    whole, folded = table(("A", "B", "C"), rows), table(("A", "B", "C"), rows, width)
    # The order of the letters changes, not one of them is missing.
    assert sorted(re.sub(r"\s", "", whole)) == sorted(re.sub(r"\s", "", folded))
    assert max(map(len, folded.splitlines())) <= width


# -- at a terminal --


#: Ctrl-C reaches a process whose own the terminal is.
_AT_ITS_TERMINAL = """
import fcntl, runpy, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
runpy.run_module("registryauth", run_name="__main__")
"""


class AtTerminal:
    """Our command at a terminal of its own; what it shows, and how it ends."""

    def __init__(self, *argv, **environ):
        self._end, far = pty.openpty()
        self.far = far
        self.process = subprocess.Popen(
            [sys.executable, "-c", _AT_ITS_TERMINAL, *argv], stdin=far, stdout=far, stderr=far, env=environ, start_new_session=True
        )
        self.shown = ""

    def until(self, text, patience=30):
        limit = time.monotonic() + patience
        while text not in self.shown:
            ready, _, _ = select.select([self._end], [], [], max(0, limit - time.monotonic()))
            assert ready, f"nothing like {text!r} in {self.shown!r}"
            self.shown += os.read(self._end, 65536).decode()

    def press(self, keys):
        os.write(self._end, keys)

    def ended(self):
        """Its exit status; all that it showed has then been read."""
        limit = time.monotonic() + 30
        while (running := self.process.poll() is None) or select.select([self._end], [], [], 0)[0]:
            assert time.monotonic() < limit, f"it goes on after {self.shown!r}"
            if select.select([self._end], [], [], 0.05 if running else 0)[0]:
                self.shown += os.read(self._end, 65536).decode()
        return self.process.returncode

    @property
    def echoes(self):
        return bool(termios.tcgetattr(self.far)[3] & termios.ECHO)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._end)
        os.close(self.far)


@pytest.fixture
def at_terminal(home):
    started = []

    def at_terminal(*argv, **environ):
        started.append(AtTerminal(*argv, HOME=str(home), **environ))
        return started[-1]

    yield at_terminal
    for one in started:
        one.close()


@pytest.mark.parametrize("environ", [{"TERM": "xterm-256color"}, {"TERM": "dumb"}, {"CLICOLOR_FORCE": "1"}, {"NO_COLOR": "1"}], ids=str)
@pytest.mark.parametrize("verb", ["list", "principal list", "doctor", "config show", "audit show", "bogus", "--help"])
def test_eighty_columns_are_enough_and_nothing_is_coloured(at_terminal, keep, verb, environ):
    keep(LONG, "robot$project-of-many-people+a-name-that-goes-on", owner="an owner with a long name", kind="service-principal")
    assert at_terminal("list").ended() == 0, "so that the audit log has a line"
    shown = at_terminal(*verb.split(), COLUMNS="80", **environ)
    shown.ended()
    assert "\x1b" not in shown.shown
    lines = shown.shown.replace("\r\n", "\n").splitlines()
    # A hint is a sentence, which the terminal breaks; a row of a table is not.
    assert [line for line in lines if len(line) > 80 and "  " in line] == []
    assert len(lines) > 1


def test_yaml_means_the_same_to_every_reader(cli, keep):
    """Readers of YAML 1.2, and Go's, take 1e3 for a number; PyYAML, which writes it, does not."""
    keep("registry.example", "1e3")
    assert 'account: "1e3"\n' in cli("list", "--output", "yaml").out
    keep("other.example", "j\u00f6rg")
    assert 'account: "j\u00f6rg"\n' in cli("list", "--output", "yaml").out


def test_into_a_pipe_every_row_is_whole(cli, keep, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    keep(LONG, "robot$project-of-many-people+a-name-that-goes-on")
    assert f"{LONG}  robot$project-of-many-people+a-name-that-goes-on  user" in cli("list").out


@pytest.mark.parametrize("asked", ["Username: ", "Password: "])
def test_ctrl_c_at_a_prompt_is_130_one_line_and_the_echo_is_back(at_terminal, asked):
    person = at_terminal("login", "registry.example", *(["-u", "me"] if asked == "Password: " else []))
    person.until(asked)
    limit = time.monotonic() + 10
    while asked == "Password: " and person.echoes and time.monotonic() < limit:
        time.sleep(0.01)
    if asked == "Password: ":
        assert not person.echoes, "a password is typed unseen"
        person.press(b"hun")
    # Between its prompt and its wait, Python's readline sees a signal with the next key only (CPython, Modules/readline.c).
    time.sleep(0.3)
    person.press(b"\x03")
    assert person.ended() == 130
    assert person.echoes
    assert "Traceback" not in person.shown
    assert person.shown.replace("\r\n", "\n").endswith("\nerror: interrupted\n")


def test_ctrl_c_in_the_middle_of_a_transfer_is_130_and_the_next_one_takes_it_up(at_terminal, home, tmp_path):
    registry = RegistrySimulator(auth="none")
    registry.add_image("team/model", "v1", [os.urandom(1000), b"late" * 1000])
    released, begun = threading.Event(), threading.Event()

    def hold(request):
        if "/blobs/" in str(request.url):
            begun.set()
            released.wait(60)

    registry.inject(hold)
    with registry.serve() as host:
        person = at_terminal("pull", f"{host}/team/model:v1", str(tmp_path / "model"), "--jobs", "4")
        assert begun.wait(30)
        person.press(b"\x03")
        time.sleep(0.2)
        released.set()
        assert person.ended() == 130
        assert "Traceback" not in person.shown
        assert "error: interrupted" in person.shown
        again = subprocess.run(
            [sys.executable, "-m", "registryauth", "pull", f"{host}/team/model:v1", str(tmp_path / "model")],
            env={"HOME": str(home)}, capture_output=True, timeout=60,
        )  # fmt: skip
    assert again.returncode == 0, again.stderr


def test_a_signal_while_it_waits_for_a_retry_is_130(home):
    registry = RegistrySimulator(auth="none")
    asked = threading.Event()
    from registryauth.testing import answers

    def busy(request):
        asked.set()
        return answers.content(request, 503, "text/plain", b"", [("retry-after", "15")])

    registry.inject(busy)
    with registry.serve() as host:
        command = [sys.executable, "-m", "registryauth", "manifest", "get", f"{host}/x"]
        process = subprocess.Popen(command, env={"HOME": str(home)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert asked.wait(30)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (130, b"", b"error: interrupted\n")
