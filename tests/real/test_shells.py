"""TAB in real shells, each at a terminal: what is typed, and what stands on the line afterwards."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

import pytest

from registryauth.reference import Address
from registryauth.stores import Principal, Slot, open_store

pytestmark = pytest.mark.real

BIN = os.path.dirname(sys.executable)
SECRET = "canary-completed-77"
STORED = {
    "myregistry.azurecr.io": "0f5c2f6e",
    "myregistry.azurecr.io/team": "robot$proj+x y",
    "localhost:5000": "me@example.com",
    "other.example": "DOM\\user",
    "*.corp.example": "it's me",
    "bang.example": "f!touch",
    "hostile.example": "c'; touch ran; $(touch ran)'",
}


@pytest.fixture
def surroundings(home):
    """A home with a store, and our programs on PATH."""
    store = open_store(key="file", environ={"HOME": str(home)})
    for address, account in STORED.items():
        store.put(Principal(Address.parse(address, known=(address,), wildcard=True), account, (Slot(SECRET),)))
    store.close()
    (home / "a file.pem").write_text("")
    (home / "place").mkdir()
    return {
        "HOME": str(home), "PATH": os.pathsep.join((BIN, os.environ["PATH"])), "TERM": "dumb", "LC_ALL": "C.UTF-8",
        "COLUMNS": "500", "HISTFILE": "",
    }  # fmt: skip


class Terminal:
    """A shell at a terminal of its own."""

    def __init__(self, argv, environ, directory):
        self._pid, self._end = pty.fork()
        if not self._pid:
            os.chdir(directory)
            os.execvpe(argv[0], argv, environ)
        self._seen = ""

    def type(self, text):
        os.write(self._end, text.encode())

    def until(self, pattern, patience=20):
        """What came up to *pattern*, whose match is given."""
        limit = time.monotonic() + patience
        while not (found := re.search(pattern, self._seen, re.DOTALL)):
            ready, _, _ = select.select([self._end], [], [], max(0, limit - time.monotonic()))
            assert ready, f"nothing like {pattern!r} in {self._seen!r}"
            self._seen += os.read(self._end, 65536).decode("utf-8", "replace")
        self._seen = self._seen[found.end() :]
        return found

    def close(self):
        os.close(self._end)
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)


#: Ctrl-X shows the line, with marks that the terminal's echo of these commands does not have, and empties it.
SETUP = {
    "bash": (
        ["bash", "--norc", "--noprofile", "-i"],
        (
            "PS1='$ '; source <(registryauth completion bash); show() { printf '\\n<%s%s>\\n' LINE: \"$READLINE_LINE\"; READLINE_LINE=; }; "
            "bind 'set enable-bracketed-paste off'; bind -x '\"\\C-x\": show'; printf '%s%s\\n' REA DY\n"
        ),
    ),
    "zsh": (
        ["zsh", "-f", "-i"],
        (
            "PS1='$ '; unsetopt zle_bracketed_paste; autoload -Uz compinit; compinit -u -D; source <(registryauth completion zsh); "
            "show() { print -rn -- $'\\n<'LINE:$BUFFER'>'$'\\n'; BUFFER= }; zle -N show; bindkey '^X' show; bindkey '^I' complete-word; "
            "printf '%s%s\\n' REA DY\n"
        ),
    ),
}


@pytest.fixture(params=SETUP)
def press_tab(request, program, surroundings, home):
    """``press_tab(typed)``: the whole line after TAB."""
    argv, setup = SETUP[request.param]
    terminal = Terminal([program(request.param), *argv[1:]], surroundings, home)

    def press_tab(typed):
        terminal.type(f"{typed}\t\x18")
        return terminal.until(r"<LINE:(.*?)>\r?\n")[1].replace("\r", "").replace("\n", "")

    terminal.type(setup)
    terminal.until(r"READY\r?\n")
    yield press_tab
    terminal.close()


def test_a_line_is_completed_to_the_words_that_it_stands_for(press_tab, home):
    for typed, words in {
        "registryauth logi": ["login"],
        "registryauth principal sh": ["principal", "show"],
        "registryauth whoami other": ["whoami", "other.example"],
        "registryauth whoami localhost:50": ["whoami", "localhost:5000"],
        "registryauth whoami --account=0f": ["whoami", "--account=0f5c2f6e"],
        "registryauth whoami --account me@ex": ["whoami", "--account", "me@example.com"],
        "registryauth whoami --account ro": ["whoami", "--account", "robot$proj+x y"],
        "registryauth whoami --account DO": ["whoami", "--account", "DOM\\user"],
        "registryauth whoami --account it": ["whoami", "--account", "it's me"],
        "registryauth whoami --account 'ro": ["whoami", "--account", "robot$proj+x y"],
        'registryauth whoami --account "ro': ["whoami", "--account", "robot$proj+x y"],
        "registryauth whoami --account f": ["whoami", "--account", "f!touch"],
        "registryauth whoami --account c": ["whoami", "--account", "c'; touch ran; $(touch ran)'"],
        "registryauth whoami --account 'c": ["whoami", "--account", "c'; touch ran; $(touch ran)'"],
        'registryauth whoami --account "c': ["whoami", "--account", "c'; touch ran; $(touch ran)'"],
        "registryauth whoami other.example --account ": ["whoami", "other.example", "--account", "DOM\\user"],
        "registryauth login --ca-file a": ["login", "--ca-file", "a file.pem"],
        "registryauth login --ca-file=a": ["login", "--ca-file=a file.pem"],
        "registryauth setup kubelet --bin-dir p": ["setup", "kubelet", "--bin-dir", "place/"],
        "registryauth list --output=j": ["list", "--output=json"],
        "registryauth list --outp": ["list", "--output"],
        "registryauth -v logi": ["-v", "login"],
    }.items():
        line = press_tab(typed)
        # What a shell makes of it, and not what it looks like, counts.
        meant = subprocess.run(["sh", "-c", line.replace("registryauth", "printf '%s\\n'", 1)], cwd=home, capture_output=True, check=True)
        assert meant.stdout.decode().splitlines() == words, (typed, line)


def test_what_goes_on_gets_no_space_and_what_is_whole_gets_one(press_tab):
    assert press_tab("registryauth resolve oth") == "registryauth resolve other.example/"
    assert press_tab("registryauth logi") == "registryauth login "


def test_nothing_that_stands_on_the_line_is_run(press_tab, home):
    press_tab("registryauth whoami $(touch ran) `touch ran` --account ")
    press_tab("registryauth whoami --account '$(touch ran)")
    assert not (home / "ran").exists()


def test_a_word_that_begins_nothing_stays_as_it_is(press_tab):
    assert press_tab("registryauth whoami nothing-like-it").strip() == "registryauth whoami nothing-like-it"


@pytest.fixture
def fish(program, surroundings, home, tmp_path):
    """``fish(line)``: the words that fish offers for it."""
    script = 'registryauth completion fish | source; complete -C"$argv[1]"'
    path = program("fish")

    def fish(line):
        done = subprocess.run([path, "--no-config", "-c", script, line], env=surroundings, cwd=home, capture_output=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, b"")
        return [one.partition("\t")[0] for one in done.stdout.decode().splitlines()]

    return fish


def test_fish_offers_the_same(fish):
    for typed, words in {
        "registryauth lo": ["lock", "login", "logout"],
        "registryauth whoami localhost:50": ["localhost:5000"],
        "registryauth whoami --account ro": ["robot$proj+x y"],
        "registryauth whoami --account 'ro": ["robot$proj+x y"],
        "registryauth whoami --account=ro": ["--account=robot$proj+x y"],
        "registryauth whoami other.example --account ": ["DOM\\user"],
        "registryauth login --ca-file a": ["a file.pem"],
        "registryauth login --ca-file=a": ["--ca-file=a file.pem"],
        "registryauth setup kubelet --bin-dir p": ["place/"],
        "registryauth list --output=j": ["--output=json"],
        "registryauth resolve oth": ["other.example/"],
        "registryauth whoami nothing-like-it": [],
    }.items():
        assert fish(typed) == words, typed


def test_fish_shows_what_a_word_is(program, surroundings, home):
    script = 'registryauth completion fish | source; complete -C"registryauth logi"'
    done = subprocess.run([program("fish"), "--no-config", "-c", script], env=surroundings, capture_output=True, timeout=60)
    assert b"login\tVerify a credential" in done.stdout


def test_powershell_offers_the_same(program, surroundings, home):
    script = (
        "registryauth completion powershell | Out-String | Invoke-Expression; "
        "foreach ($line in 'registryauth logi', 'registryauth whoami --account ro', 'registryauth whoami localhost:50') "
        "{ (TabExpansion2 $line $line.Length).CompletionMatches | ForEach-Object { $_.CompletionText } }"
    )
    done = subprocess.run([program("pwsh"), "-NoProfile", "-Command", script], env=surroundings, capture_output=True, timeout=120)
    assert done.stdout.decode().splitlines() == ["login", "'robot$proj+x y'", "localhost:5000"]


# -- the manual --


@pytest.mark.parametrize("name", ["registryauth", "docker-credential-registryauth", "registryauth-credential-provider"])
@pytest.mark.parametrize(
    "command", [["mandoc", "-Tlint", "-Wwarning"], ["groff", "-ww", "-man", "-Tutf8", "-z"]], ids=lambda command: command[0]
)
def test_the_manual_page_is_one_that_its_readers_find_no_fault_with(program, name, command):
    page = os.path.join(os.path.dirname(__file__), "..", "..", "docs", "man", f"{name}.1")
    done = subprocess.run([program(command[0]), *command[1:], page], capture_output=True, timeout=60)
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")


def test_man_shows_the_page_that_is_printed(program, surroundings):
    printed = subprocess.run([f"{BIN}/registryauth", "man"], env=surroundings, capture_output=True, check=True).stdout
    done = subprocess.run(
        [program("man"), "-l", "-"],
        input=printed,
        env=surroundings | {"MANWIDTH": "80", "MANPAGER": "cat"},
        capture_output=True,
        timeout=60,
    )
    text = re.sub(".\b", "", done.stdout.decode())
    assert (done.returncode, done.stderr) == (0, b"")
    assert "registryauth principal rotate [options] REGISTRY[/PATH]" in text
    assert max(map(len, text.splitlines())) <= 80
