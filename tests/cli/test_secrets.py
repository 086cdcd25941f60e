"""How a secret comes in: through a pipe or at a prompt, never on the command line."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import time

import pytest

from .conftest import CANARY


@pytest.fixture
def login(cli, online):
    def login(*options, stdin=b""):
        return cli("login", "registry.example", *options, stdin=stdin)

    return login


@pytest.fixture
def arrived(login, accounts, kept):
    """The secret that the registry was sent and the store keeps when *stdin* is given."""

    def arrived(stdin, expected):
        accounts["me"] = expected
        done = login("-u", "me", "--password-stdin", stdin=stdin)
        assert done.status == 0, done.err
        return kept()[0].slots[0].secret

    return arrived


@pytest.mark.parametrize(
    ("stdin", "secret"),
    [
        (b"pw", "pw"),
        (b"pw\n", "pw"),
        (b"pw\r\n", "pw"),
        (b"pw\r", "pw"),
        (b" pw \n", " pw "),
        (b"a b:c:\n", "a b:c:"),
        (b":\n", ":"),
        (" \u00e4\u20ac\n".encode(), " ä€"),
        (b" \n", " "),
        (b"s" * 65536 + b"\n", "s" * 65536),
        (b"s" * 65536 + b"\r\n", "s" * 65536),
    ],
)
def test_exactly_one_line_end_is_no_part_of_the_secret(arrived, stdin, secret):
    assert arrived(stdin, secret) == secret


@pytest.mark.parametrize(
    ("stdin", "said"),
    [
        (b"", "the secret is empty"),
        (b"\n", "the secret is empty"),
        (b"pw\n\n", "the secret holds a control character"),
        (b"pw\n\r\n", "the secret holds a control character"),
        (b"pw\nmore\n", "the secret holds a control character"),
        (b"pw\0\n", "the secret holds a control character"),
        (b"canary-d417\xff\n", "the password on standard input is not UTF-8"),
        (b"s" * 65537, "is longer than 65536 bytes"),
        (b"s" * 10_000_000, "is longer than 65536 bytes"),
    ],
)
def test_what_is_no_secret_is_refused_before_anything_is_sent(login, online, kept, stdin, said):
    done = login("-u", "me", "--password-stdin", stdin=stdin)
    assert (done.status, online.requests, kept()) == (2, [], [])
    assert said in done.err
    assert "hint: " in done.err
    assert CANARY not in done.err


def test_an_identity_token_needs_no_user_name(login, online, kept, sent):
    token = online.identity_token("me")
    done = login("--identity-token-stdin", stdin=token + "\n")
    assert done.status == 0, done.err
    assert [(record.account, record.kind) for record in kept()] == [("<token>", "identity-token")]
    assert sent(token) == ["POST https://registry.example/token"]


def test_an_identity_token_may_have_the_name_of_its_account(login, online, kept):
    assert login("-u", "ci", "--identity-token-stdin", stdin=online.identity_token("me")).status == 0
    assert [(record.account, record.kind) for record in kept()] == [("ci", "identity-token")]


def test_an_identity_token_that_is_refused_is_not_stored(login, kept):
    done = login("--identity-token-stdin", stdin="made-up-token")
    assert (done.status, kept()) == (4, [])
    assert "made-up-token" not in done.err


def test_an_identity_token_is_nothing_for_a_registry_that_wants_a_password(login, online, kept, sent):
    online.auth = "basic"
    done = login("--identity-token-stdin", stdin="a-token")
    assert (done.status, kept(), sent("a-token")) == (4, [], [])
    assert "log in with --username and --password-stdin" in done.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["-u", "me", "--password-stdin", "--identity-token-stdin"], "--password-stdin and --identity-token-stdin exclude each other"),
        (["--password-stdin"], "--password-stdin needs --username"),
        ([], "use --username with --password-stdin"),
        (["-u", "me"], "there is no terminal to ask for the secret at: use --password-stdin"),
        (["-u", "me", "--password", CANARY], "a password is not taken on the command line"),
        (["-u", "me", "-p", CANARY], "a password is not taken on the command line"),
        (["-u", "me", f"--password={CANARY}"], "a password is not taken on the command line"),
        (["-u", "me", f"-p{CANARY}"], "and change the one that was typed"),
        (["-u", "me", "-p", ""], "a password is not taken on the command line"),
        (["-u", "me", f"--password-stdin={CANARY}"], "--password-stdin"),
        (["-u", "me", "--identity-token", CANARY], "No such option: --identity-token"),
    ],
)
def test_a_misuse_is_status_2_and_repeats_no_secret(login, online, kept, options, said):
    done = login(*options, stdin=CANARY)
    assert (done.status, done.out, online.requests, kept()) == (2, "", [], [])
    assert said in done.err
    assert CANARY not in done.err


@pytest.mark.parametrize("username", ["a:b", "a\nb", "a\x1b[2Jb", "\udcff"])
def test_a_user_name_that_no_protocol_carries_is_refused(login, online, username):
    done = login("-u", username, "--password-stdin", stdin=CANARY)
    assert (done.status, online.requests) == (2, [])
    assert "\x1b" not in done.err


# -- at a terminal --


#: Makes the terminal on standard input the process's own, as a shell's is.
_AT_TERMINAL = """
import fcntl, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from registryauth.__main__ import main
sys.exit(main())
"""


class Terminal:
    """A command that runs at a terminal of its own, and a person at it."""

    def __init__(self, *argv: str) -> None:
        self.shown = b""
        self._screen, inside = os.openpty()
        command = [sys.executable, "-c", _AT_TERMINAL, *argv]
        self._process = subprocess.Popen(command, stdin=inside, stdout=inside, stderr=inside, start_new_session=True)
        os.close(inside)

    def expect(self, text: bytes) -> None:
        """Wait until *text* is on the screen."""
        deadline = time.monotonic() + 30
        while text not in self.shown:
            assert self._read(deadline), f"{text!r} never came: {self.shown!r}"

    def type(self, text: bytes) -> None:
        os.write(self._screen, text)

    def interrupt(self, key: bytes) -> None:
        """Press *key* until it is heard: Python misses a signal between writing its prompt and beginning to read."""
        for _ in range(20):
            self.type(key)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(0.5)
                return

    def end(self) -> int:
        """The exit status, when all was read."""
        while self._read(time.monotonic() + 30):
            pass
        return self._process.wait(30)

    def _read(self, deadline: float) -> bool:
        if not select.select([self._screen], [], [], max(0, deadline - time.monotonic()))[0]:
            return False
        # Linux ends a terminal whose other side is closed with EIO.
        with contextlib.suppress(OSError):
            piece = os.read(self._screen, 4096)
            self.shown += piece
            return bool(piece)
        return False

    def close(self) -> None:
        self._process.kill()
        self._process.wait(30)
        os.close(self._screen)


@pytest.fixture
def terminal():
    opened = []

    def terminal(*argv):
        opened.append(Terminal(*argv))
        return opened[-1]

    yield terminal
    for each in opened:
        each.close()


@pytest.fixture
def host(simulator):
    with simulator.serve() as host:
        yield host


def test_at_a_terminal_name_and_password_are_asked_for_and_the_password_is_not_shown(terminal, host, kept):
    person = terminal("login", host)
    person.expect(b"Username: ")
    person.type(b"me\n")
    person.expect(b"Password: ")
    person.type(CANARY.encode() + b"\n")
    assert person.end() == 0, person.shown
    assert b"Stored me for" in person.shown
    assert CANARY.encode() not in person.shown
    assert [record.slots[0].secret for record in kept()] == [CANARY]


def test_a_name_that_was_given_is_not_asked_for(terminal, host):
    person = terminal("login", host, "-u", "me")
    person.expect(b"Password: ")
    person.type(b"mistyped\n")
    assert person.end() == 4
    assert b"Username" not in person.shown
    assert b"mistyped" not in person.shown


@pytest.mark.parametrize(("key", "where"), [(b"\x03", b"Username: "), (b"\x03", b"Password: "), (b"\x04", b"Password: ")])
def test_ctrl_c_and_ctrl_d_at_a_prompt_end_it_with_130(terminal, host, simulator, kept, key, where):
    person = terminal("login", host, *(["-u", "me"] if where == b"Password: " else []))
    person.expect(where)
    person.interrupt(key)
    assert person.end() == 130
    assert b"Traceback" not in person.shown
    assert (simulator.requests, kept()) == ([], [])


@pytest.mark.parametrize(("answer", "status"), [(b"y\n", 0), (b"n\n", 4), (b"\n", 4)])
def test_a_person_is_asked_about_a_token_server_elsewhere(terminal, simulator, host, kept, answer, status):
    with simulator.serve() as other:
        simulator.realm = f"http://{other}/token"
        person = terminal("login", host, "-u", "me")
        person.expect(b"Password: ")
        person.type(CANARY.encode() + b"\n")
        person.expect(f"wants its credentials sent to the token server http://{other}. Is that its own? [y/N]".encode())
        assert not [request for request in simulator.requests if request.header("authorization")]
        person.type(answer)
        assert person.end() == status, person.shown
    assert [record.realm for record in kept()] == ([f"http://{other}/token"] if status == 0 else [])


def test_a_password_that_is_piped_at_a_terminal_is_announced(terminal, host):
    person = terminal("login", host, "-u", "me", "--password-stdin")
    person.expect(b"reading the password from standard input")
    person.type(CANARY.encode() + b"\n\x04")
    assert person.end() == 0, person.shown


def test_documents_with_secrets_are_not_for_a_terminal(terminal, keep):
    keep("registry.example")
    person = terminal("resolve", "registry.example/x", "--format", "docker-config")
    assert person.end() == 2
    assert b"use --output-file, a pipe, or --show-secret" in person.shown
    person = terminal("resolve", "registry.example/x", "--format", "env", "--show-secret")
    assert person.end() == 0
    assert CANARY.encode() in person.shown


def test_a_blob_is_not_for_a_terminal(terminal):
    person = terminal("blob", "get", "registry.example/x@sha256:" + "a" * 64)
    assert person.end() == 2
    assert b"a blob is not for a terminal" in person.shown
