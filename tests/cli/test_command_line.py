"""What holds for every verb: help, exit statuses, streams, and never a traceback."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
import typer

from registryauth import __version__
from registryauth.cli import run
from registryauth.cli.app import command
from registryauth.testing import RegistrySimulator

from .conftest import CANARY

DIGEST = "@sha256:" + "a" * 64


def _verbs(found, path=()):
    """Every command with its path, the groups too."""
    yield path, found
    for name in getattr(found, "list_commands", lambda _: [])(None):
        yield from _verbs(found.get_command(None, name), (*path, name))


VERBS = dict(_verbs(command()))
#: Arguments that a verb takes, by their names in its help.
SAMPLES = {
    "REGISTRY[/PATH]": "registry.example",
    "REFERENCE...": "registry.example/x:v1",
    "SHELL": "bash",
    "REPOSITORY@DIGEST": f"registry.example/x{DIGEST}",
}
OPTIONS = {
    # What it writes by default is the machine's.
    ("setup", "kubelet"): ["--config", "kubelet.yaml"],
    # Optional only so that leaving it out is answered in our own words.
    ("login",): ["registry.example", "-u", "me", "--password-stdin", "--no-verify"],
    # Left out only where --all is said.
    ("logout",): ["registry.example"],
    ("principal", "add"): ["--client-id", "me", "--secret-stdin", "--no-verify"],
}
#: Every verb but the groups and the tour, with arguments that it takes.
CALLS = {
    path: [
        *(SAMPLES.get(p.metavar, "registry.example/x") for p in found.params if p.param_type_name == "argument" and p.required),
        *OPTIONS.get(path, []),
    ]
    for path, found in VERBS.items()
    if not hasattr(found, "list_commands") and path != ("demo",)
}


def test_the_sweep_sweeps():
    assert {("login",), ("blob", "get"), ("setup", "docker"), ("config", "init")} < set(CALLS)
    assert CALLS["principal", "add"] == ["registry.example", *OPTIONS["principal", "add"]]


@pytest.mark.parametrize("path", VERBS, ids=" ".join)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_the_help_of_every_verb_names_every_option_and_argument(cli, path, option):
    done = cli(*path, option)
    assert (done.status, done.err) == (0, "")
    for parameter in VERBS[path].params:
        if getattr(parameter, "hidden", False):
            continue
        for name in parameter.opts if parameter.param_type_name == "option" else [parameter.metavar]:
            assert name in done.out
        assert parameter.param_type_name != "option" or parameter.help, f"{parameter.name} is not explained"
    assert VERBS[path].help
    for verb in getattr(VERBS[path], "list_commands", lambda _: [])(None):
        assert f"  {verb} " in done.out


@pytest.mark.parametrize("path", [path for path, found in VERBS.items() if hasattr(found, "list_commands")], ids=" ".join)
def test_no_verb_s_summary_is_cut_in_a_list_of_80_columns(cli, path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    _, listed = cli(*path, "--help").out.split("Commands:\n")
    assert "..." not in listed


def test_no_option_takes_a_secret_as_its_value():
    for path, found in VERBS.items():
        for parameter in found.params:
            name = parameter.name or ""
            if any(word in name for word in ("password", "secret", "token")):
                assert parameter.is_flag, f"{path}: {name}"


@pytest.mark.parametrize(
    "argv", [["bogus"], ["logn"], ["manifest", "bogus"], ["principal", "remove"], ["--bogus"], ["list", "--bogus"], ["list", "x"]]
)
def test_what_is_unknown_is_status_2(cli, argv):
    done = cli(*argv)
    assert (done.status, done.out) == (2, "")
    assert "Error: " in done.err


@pytest.mark.parametrize("argv", [[], ["manifest"], ["setup"], ["principal"]])
def test_no_verb_at_all_gets_the_help(cli, argv):
    done = cli(*argv)
    assert done.status == 2
    assert "Commands:" in done.out + done.err


@pytest.mark.parametrize("argv", [["--version"], ["--version", "list"]])
def test_the_version(cli, argv):
    assert (cli(*argv).out, cli(*argv).status) == (f"registryauth {__version__}\n", 0)


# -- the sweep --

ODD = ["", "-", "\x1b[2J", "\udcff", " ", "..", "a\nb", "x" * 5000, "@", "http://", "[::1", "host:99999/x"]
#: As an option's value, which most options take as it comes.
ODD_VALUES = ["", "\x1b[2J\u202e", "\udcff"]


@pytest.mark.parametrize("path", CALLS, ids=" ".join)
def test_no_odd_argument_leads_to_a_traceback_or_an_escape(cli, online, path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = [name for p in VERBS[path].params if p.param_type_name == "option" and not p.is_flag for name in p.opts[:1]]
    calls = [[odd, *CALLS[path][1:]] for odd in ODD] + [[*CALLS[path], odd] for odd in ODD[:4]]
    calls += [[*CALLS[path], name, odd] for name in options for odd in ODD_VALUES]
    for argv in calls:
        done = cli(*path, *argv, stdin=argv[-1].encode("utf-8", "surrogateescape"))
        assert done.status in range(8), argv
        assert not set("\x1b\x9b\u202e") & set(done.err), argv
        # A question answered "no" is answered where answers go.
        assert (done.out if done.status == 7 else done.err) or not done.status, argv


@pytest.mark.parametrize("path", CALLS, ids=" ".join)
def test_no_home_that_cannot_be_used_leads_to_a_traceback(cli, online, path, tmp_path, monkeypatch):
    def nobody(_):
        raise KeyError("no such user")

    monkeypatch.chdir(tmp_path)
    # Where HOME does not count, the home of the user who runs this test must not either.
    monkeypatch.setattr("pwd.getpwuid", nobody)
    (tmp_path / "file").write_text("not a directory")
    for where in ("/dev/null/home", "/proc/nothing", str(tmp_path / "file"), "relative", ""):
        monkeypatch.setenv("HOME", where)
        done = cli(*path, *CALLS[path], stdin=CANARY)
        assert done.status in range(8)
        assert "error: " in done.err.lower() or not done.status or (done.status == 7 and done.out)
        assert CANARY not in done.err + done.out
        assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_without_any_home_a_login_says_what_to_set(cli, monkeypatch):
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", lambda _: (_ for _ in ()).throw(KeyError("no such user")))
    done = cli(*["login"], *CALLS["login",], stdin=CANARY)
    assert done.status == 2
    assert "hint: set HOME" in done.err


@pytest.mark.parametrize("path", [("login",), ("principal", "add"), ("list",), ("status",), ("logout",), ("resolve",)], ids=" ".join)
def test_a_store_directory_that_cannot_be_written_is_a_reason_not_a_traceback(cli, path, keep, monkeypatch, home):
    keep("registry.example")
    monkeypatch.setenv("REGISTRYAUTH_STORE_PATH", "/proc/nothing/store.db")
    done = cli(*path, *CALLS[path], stdin=CANARY)
    assert done.status == {"login": 5, "principal": 5, "list": 0, "status": 0, "logout": 3, "resolve": 3}[path[0]]


def test_an_unforeseen_failure_of_the_system_is_one_line(cli, monkeypatch):
    def fail(*_):
        raise PermissionError(13, "Permission denied", "/some/where")

    monkeypatch.setattr("registryauth.config.user_file", fail)
    done = cli("config", "path")
    assert (done.status, done.err) == (1, "error: Permission denied: '/some/where'\n")


@pytest.mark.parametrize(("raised", "status"), [(KeyboardInterrupt, 130), (EOFError, 130), (typer.Abort, 130)])
def test_an_interruption_is_130(cli, monkeypatch, raised, status):
    def interrupt(*_):
        raise raised

    monkeypatch.setattr("registryauth.config.user_file", interrupt)
    done = cli("config", "path")
    assert (done.status, done.out) == (status, "")


# -- streams, as only a process has them --


@pytest.fixture
def shell(home):
    """Run ``registryauth`` in a line of shell, as $R."""

    def shell(line, **environ):
        surroundings = {"HOME": str(home), "R": f"{sys.executable} -m registryauth", "PATH": os.environ["PATH"], **environ}
        done = subprocess.run(["sh", "-c", line], env=surroundings, capture_output=True, stdin=subprocess.DEVNULL, timeout=60)
        assert b"Traceback" not in done.stderr
        assert b"Exception ignored" not in done.stderr
        return done

    return shell


@pytest.mark.parametrize("verb", ["status -o json", "--help", "--version", "config show"])
def test_a_reader_that_goes_away_is_no_fault(shell, verb):
    done = shell(f"($R {verb}; echo $? >&2) | true")
    assert done.stderr == b"0\n"


def test_a_reader_that_goes_away_in_the_middle_is_no_fault(shell):
    registry = RegistrySimulator(auth="none")
    blob = registry.add_blob(bytes(1_000_000))
    with registry.serve() as host:
        done = shell(f"($R blob get {host}/x@{blob}; echo $? >&2) | head -c 5")
    assert (done.stdout, done.stderr) == (bytes(5), b"0\n")


@pytest.mark.parametrize(
    ("verb", "status"),
    [("resolve registry.example -o json", 3), ("list --expired=no", 2), ("principal add registry.example", 2), ("config path", 0)],
)
def test_nor_does_it_make_a_fault_none(shell, verb, status):
    done = shell(f"exec 3>&2; ($R {verb} 2>&1; echo $? >&3) | true")
    assert done.stderr == f"{status}\n".encode()


@pytest.mark.parametrize("verb", ["config path", "--version", "status -o json"])
def test_a_full_disk_is_an_error_not_a_silence(shell, verb):
    done = shell(f"$R {verb} > /dev/full")
    assert (done.returncode, done.stderr) == (1, b"error: No space left on device\n")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("verb", ["list", "login registry.example -u me --password-stdin"])
def test_a_closed_stream_is_no_traceback(shell, closed, verb):
    assert shell(f"$R {verb} {closed}").returncode in (0, 2)


@pytest.mark.parametrize(
    "locale", [{"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}]
)
def test_a_poor_locale_stops_no_output(shell, keep, locale):
    keep("registry.example", "jörg", "pä€")
    for verb in ("list -o json", "blob get --help"):
        assert shell(f"$R {verb}", **locale).returncode == 0
    assert "pä€" in shell("$R resolve registry.example/x --format env", **locale).stdout.decode("utf-8")


def test_ctrl_c_during_a_request_is_130(home):
    silent = RegistrySimulator(auth="none")
    released = threading.Event()
    silent.inject(lambda _: released.wait(60) and None)
    with silent.serve() as host:
        command_line = [sys.executable, "-m", "registryauth", "manifest", "get", f"{host}/x"]
        process = subprocess.Popen(command_line, env={"HOME": str(home)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        while not silent.requests:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        released.set()
    assert (process.returncode, out) == (130, b"")
    assert b"Traceback" not in err


def test_colour_is_never_forced_on_a_pipe(shell, keep):
    keep("registry.example")
    done = shell("$R list; $R --help; $R bogus", FORCE_COLOR="1", TERM="xterm-256color")
    assert b"\x1b" not in done.stdout + done.stderr


def test_standard_input_that_was_given_is_not_read_by_a_verb_that_has_no_use_for_it(capsys, monkeypatch):
    class Untouched(io.StringIO):
        def read(self, *_):
            raise AssertionError("it was read")

        readline = readlines = read

    monkeypatch.setattr("sys.stdin", Untouched())
    assert run(["list"]) == 0
