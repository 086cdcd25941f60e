"""What is answered at a TAB, in processes of their own as a shell asks; tests/real/test_shells.py presses the key."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registryauth.cli.app import command
from registryauth.cli.complete import SHELLS, generate, quoting, verbs
from registryauth.reference import Address
from registryauth.stores import Principal, Slot, open_store
from registryauth.stores.glimpse import places_in

from .conftest import CANARY


@pytest.fixture
def ask(home):
    """``ask(*words, current)``: the directive and the words offered; nothing may be said on stderr."""

    def ask(*words, shell="fish", timeout=20, **environ):
        *before, current = words
        argv = [sys.executable, "-m", "registryauth", "__complete", shell, *before, f"={current}"]
        done = subprocess.run(argv, env={"HOME": str(home), **environ}, capture_output=True, stdin=subprocess.DEVNULL, timeout=timeout)
        assert (done.returncode, done.stderr) == (0, b"")
        kind, *lines = done.stdout.decode().splitlines() or [""]
        return kind, [line.partition("\t")[0] for line in lines]

    return ask


@pytest.fixture
def words(ask):
    """The words offered."""
    return lambda *typed, **said: ask(*typed, **said)[1]


@pytest.fixture
def stored(keep, home):
    (home / ".config/registryauth").mkdir(parents=True, mode=0o700)
    keep("myregistry.azurecr.io", "0f5c")
    keep("myregistry.azurecr.io/team", "robot$a+b c")
    keep("localhost:5000", "me@example.com")
    keep("*.corp.example", "it's me")


@pytest.fixture
def configure(home):
    def configure(text):
        (home / ".config/registryauth").mkdir(parents=True, exist_ok=True, mode=0o700)
        (home / ".config/registryauth/config.toml").write_text(text)

    return configure


# -- verbs and options --


def test_what_is_checked_in_is_what_the_verbs_are():
    with open(verbs.FILE, encoding="utf-8") as file:
        assert file.read() == generate.text(generate.tree(command())), "run: sh scripts/generated"


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (["lo"], ["login", "logout", "lock"]),
        (["principal", "di"], ["disable"]),
        (["azure", "acr", "lo"], ["login"]),
        (["bogus", ""], []),
        (["bogus", "--"], []),
        (["list", "--ou"], ["--output"]),
        (["list", "--verb"], ["--verbose"]),
        (["list", "--verbose", "--verb"], []),
        (["list", "-v", "--verb"], []),
        (["principal", "add", "x", "--label", "a=b", "--lab"], ["--label"]),
        (["setup", "docker", "--no"], ["--no-prove"]),
        (["login", "--pass"], ["--password-stdin"]),
        (["list", "--output", ""], ["table", "json", "yaml"]),
        (["list", "-o", "j"], ["json"]),
        (["list", "--output=y"], ["--output=yaml"]),
        (["list", "--output", "json", "--outp"], []),
        (["list", "--", "--outp"], []),
        (["resolve", "x", "--format", "kubernetes-secret"], ["kubernetes-secret", "kubernetes-secret-json"]),
        (["principal", "export", "--format", ""], ["bundle", "csv", "toml"]),
        (["principal", "add", "--kind", "rob"], ["robot"]),
        (["principal", "rotate", "--source", ""], ["stdin", "prompt", "entra"]),
        (["azure", "acr", "build", "--source-auth", ""], ["none", "default", "caller"]),
        (["azure", "acr", "run", "list", "--cloud", "AzureC"], ["AzureCloud", "AzureChinaCloud"]),
        (["store", "migrate", "--to", ""], ["local", "vault", "azure-key-vault"]),
        (["completion", ""], [*SHELLS]),
        (["list", ""], []),
        (["login", "x", "--expires", ""], []),
    ],
    ids=" ".join,
)
def test_verbs_options_and_fixed_values(words, typed, offered):
    assert words(*typed) == offered


def test_the_refused_password_is_not_offered(words):
    assert words("login", "--passw") == ["--password-stdin"]


@pytest.mark.parametrize(
    ("typed", "kind"),
    [
        (["login", "--ca-file", ""], "files"),
        (["login", "--ca-file=/e"], "files"),
        (["pull", "x", ""], "files"),
        (["push", ""], "files"),
        (["artifact", "push", "x", "a", ""], "files"),
        (["azure", "acr", "build", "--image", "a:1", ""], "files"),
        (["setup", "kubelet", "--bin-dir", ""], "directories"),
        (["pull", ""], "values"),
    ],
    ids=" ".join,
)
def test_files_are_left_to_the_shell(ask, typed, kind):
    assert ask(*typed) == (kind, [])


# -- what is stored --


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (["whoami", "my"], ["myregistry.azurecr.io", "myregistry.azurecr.io/team"]),
        (["logout", ""], ["*.corp.example", "localhost:5000", "myregistry.azurecr.io", "myregistry.azurecr.io/team"]),
        (["principal", "list", "--registry", "loc"], ["localhost:5000"]),
        (["resolve", ""], ["localhost:5000/", "myregistry.azurecr.io/", "myregistry.azurecr.io/team/"]),
        (["resolve", "a", "loc"], ["localhost:5000/"]),
        (["tag", "list", "loc"], ["localhost:5000/"]),
        (["setup", "docker", ""], ["*.corp.example", "localhost:5000", "myregistry.azurecr.io"]),
        (["setup", "docker", "localhost:5000", "l"], []),
        (["whoami", "--account", ""], ["0f5c", "it's me", "me@example.com", "robot$a+b c"]),
        (["whoami", "localhost:5000", "--account", ""], ["me@example.com"]),
        (["resolve", "localhost:5000/x:v1", "--account", ""], ["me@example.com"]),
        (["whoami", "localhost:50001", "--account", ""], ["0f5c", "it's me", "me@example.com", "robot$a+b c"]),
        (["principal", "default", "localhost:5000", ""], ["me@example.com"]),
        (["azure", "acr", "login", ""], ["myregistry"]),
        (["azure", "acr", "build", "--registry", ""], ["myregistry"]),
        (["azure", "acr", "build", "--with-credential", "loc"], ["localhost:5000"]),
    ],
    ids=" ".join,
)
def test_names_out_of_the_store(stored, words, typed, offered):
    assert words(*typed) == offered


def test_names_out_of_the_configuration(configure, words):
    configure(
        '[registries."configured.example"]\nkind = "standalone"\n'
        '[workspaces.ml-prod]\nsubscription = "0f5c2f6e-0000-0000-0000-000000000000"\nresource_group = "g"\n'
        '[profiles.ours]\nos = "Ubuntu 22.04+"\n'
    )
    assert words("login", "conf") == ["configured.example"]
    assert words("resolve", "x", "--workspace", "") == ["ml-prod"]
    assert words("image", "check", "--profile", "") == ["azureml-2019", "azureml-2020", "azureml-2021", "ours"]


def test_no_key_is_needed_and_nothing_is_asked_written_or_noted(stored, words, home):
    (home / ".config/registryauth/store.key").unlink()
    log = home / ".local/state/registryauth/audit.log"
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    assert len(words("logout", "")) == 4
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before
    assert not log.exists() or log in before


def test_a_store_with_a_passphrase_gives_its_names_too(words, home, tmp_path):
    environ = {"HOME": str(home), "REGISTRYAUTH_PASSPHRASE": "a passphrase of several words"}
    store = open_store(key="passphrase", environ=environ)
    store.put(Principal(Address.parse("locked.example"), "me", (Slot(CANARY),)))
    store.close()
    assert words("logout", "") == ["locked.example"]


def test_of_a_remote_store_only_what_its_cache_knows_is_offered(words, configure, home):
    configure('[store]\nbackend = "vault"\ncache = "1d"\n[vault]\naddress = "https://192.0.2.1:8200"\n')
    assert words("logout", "") == []
    from registryauth.stores.cached import CachedStore
    from registryauth.stores.memory import MemoryStore

    remote = MemoryStore()
    remote.put(Principal(Address.parse("team.example/a"), "svc", (Slot(CANARY),)))
    place = home / ".cache/registryauth"
    place.mkdir(parents=True, mode=0o700)
    cache = open_store(str(place / "answers-0.db"), key="file", environ={"HOME": str(home)})
    kept = CachedStore(remote, cache, 3600, notice=lambda _: None)
    assert kept.nearest(Address.parse("team.example/a/b"))
    kept.close()
    assert words("logout", "") == ["team.example/a"]
    assert words("whoami", "team.example", "--account", "") == ["svc"]


def _junk(path):
    path.write_bytes(b"not a database" * 1000)


def _readable(path):
    path.chmod(0o644)


def _link(path):
    path.rename(path.with_name("elsewhere.db"))
    path.symlink_to("elsewhere.db")


def _fifo(path):
    path.unlink()
    os.mkfifo(path)


def _gone(path):
    path.unlink()


@pytest.mark.parametrize("spoil", [_junk, _readable, _link, _fifo, _gone])
def test_a_store_that_cannot_be_trusted_or_read_completes_nothing_and_says_nothing(stored, words, home, spoil):
    spoil(home / ".local/share/registryauth/store.db")
    assert words("logout", "") == []


def test_what_a_writer_that_died_left_behind_is_left_to_the_next_one(stored, home, tmp_path):
    path, copy = home / ".local/share/registryauth/store.db", tmp_path / "store.db"
    tmp_path.chmod(0o700)
    writing = sqlite3.connect(path, isolation_level=None)
    writing.execute("PRAGMA cache_size=1")
    writing.execute("BEGIN IMMEDIATE")
    writing.execute("CREATE TABLE large (content)")
    writing.executemany("INSERT INTO large VALUES (?)", [("x" * 4000,)] * 100)
    for suffix in ("", "-journal"):
        (tmp_path / f"store.db{suffix}").write_bytes((home / f".local/share/registryauth/store.db{suffix}").read_bytes())
        (tmp_path / f"store.db{suffix}").chmod(0o600)
    writing.close()
    before = {each.name: each.read_bytes() for each in tmp_path.iterdir()}
    places_in(str(copy))
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == before


def test_a_store_that_another_process_holds_is_not_waited_for(stored, words, home):
    held = sqlite3.connect(home / ".local/share/registryauth/store.db", isolation_level=None)
    held.execute("BEGIN EXCLUSIVE")
    assert words("logout", "", timeout=5) == []
    held.close()


@pytest.mark.parametrize("text", ["[store\n", '[store]\nbackend = "bogus"\n', "\x00"])
def test_a_configuration_that_is_broken_completes_nothing_and_says_nothing(stored, words, configure, text):
    configure(text)
    assert words("logout", "") == []
    assert words("logo") == ["logout"]


def test_a_pipe_in_the_place_of_the_configuration_keeps_nobody_waiting(ask, home):
    (home / ".config/registryauth").mkdir(parents=True)
    os.mkfifo(home / ".config/registryauth/config.toml")
    assert ask("logout", "", timeout=10)[1] == []


def test_names_that_could_not_be_typed_are_left_out(stored, home):
    path = home / ".local/share/registryauth/store.db"
    changed = sqlite3.connect(path)
    for registry in ("a\x1b[2J.example", "a\nb.example", b"\xff.example", "\u202e.example"):
        changed.execute("INSERT INTO records VALUES (?, '', 'x', 1, '{}')", (registry,))
    changed.commit()
    changed.close()
    assert {place.registry for place in places_in(str(path))} == {"myregistry.azurecr.io", "localhost:5000", "*.corp.example"}


def test_no_secret_is_ever_offered(stored, ask, home):
    for typed in (["whoami", "--account", ""], ["login", ""], ["logout", ""], ["resolve", ""], [""], ["login", "--"]):
        assert CANARY not in str(ask(*typed))


@pytest.mark.parametrize("argv", [[], ["tcsh", "="], ["bash"], ["bash", "\udcff", "="], ["fish", "\x1b", "=\x00"[:1]]])
def test_a_question_that_makes_no_sense_is_answered_with_nothing(home, argv):
    argv = [os.fsencode(word) for word in argv]
    done = subprocess.run([sys.executable, "-m", "registryauth", "__complete", *argv], env={"HOME": str(home)}, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_shell_that_has_gone_away_is_no_fault(home):
    shell = f"({sys.executable} -m registryauth __complete bash =; echo $? >&2) | true"
    done = subprocess.run(["sh", "-c", shell], env={"HOME": str(home), "PATH": os.environ["PATH"]}, capture_output=True)
    assert done.stderr == b"0\n"


def test_a_tab_loads_no_command_line(home, stored):
    script = (
        "import sys; from registryauth.cli import run; run(sys.argv[1:]); "
        "print(*sorted(name for name in sys.modules if '.' not in name or name.startswith('registryauth')), file=sys.stderr)"
    )
    argv = [sys.executable, "-c", script, "__complete", "bash", "whoami", "="]
    done = subprocess.run(argv, env={"HOME": str(home)}, capture_output=True)
    names = set(done.stderr.decode().split())
    assert b"localhost:5000" in done.stdout
    assert "registryauth.stores.glimpse" in names, "the measure works"
    assert not names & {"typer", "click", "inspect", "subprocess", "httpx", "keyring", "yaml", "cryptography", "logging", "ssl", "socket"}
    assert not [name for name in names if name.startswith("registryauth.cli.") and not name.startswith("registryauth.cli.complete")]


# -- quoting --


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1), st.sampled_from(["", "'", '"']))
def test_what_is_quoted_for_bash_stands_for_the_same_word(word, quote):
    assert quoting.plain("bash", as_the_line_editor_leaves_it(word, quote)) == (word, "")


def as_the_line_editor_leaves_it(word, quote):
    """Readline inserts what it is given behind the open quote, and closes that one unless a quote is the last that stands there."""
    inside = f"{quote}{quoting.quoted('bash', word, quote)}"
    return inside if quote and word and inside.endswith(quote) else f"{inside}{quote}"


def test_bash_itself_agrees():
    odd = [
        "robot$a+b c", "it's me", "*.corp.example", "DOM\\user", 'say "x"', "a`b`", "~me", "!x", "#x", "ä€", "a|b;c&d", "{a,b}", "x[1]?",
        "ends'", 'ends"', "\\",
    ]  # fmt: skip
    for quote in ("", "'", '"'):
        line = " ".join(as_the_line_editor_leaves_it(word, quote) for word in odd)
        done = subprocess.run(["bash", "-c", f"printf '%s\\n' {line}"], capture_output=True)
        assert done.stdout.decode().splitlines() == odd, quote


def test_an_exclamation_mark_between_double_quotes_brings_no_earlier_command_back():
    line = f"echo {as_the_line_editor_leaves_it('f!touch', chr(34))}"
    typed = f"set -H; set -o history\ntouch() {{ echo ran; }}\ntouch now\n{line}\n"
    done = subprocess.run(["bash", "--norc"], input=typed.encode(), capture_output=True)
    assert done.stdout.decode().splitlines() == ["ran", "f!touch"]


def test_powershells_own_quotes_are_doubled():
    assert quoting.quoted("powershell", "it's") == "'it''s'"
    assert quoting.quoted("powershell", "a\u2019b") == "'a\u2019\u2019b'"
    assert quoting.quoted("powershell", "localhost:5000/x") == "localhost:5000/x"
    assert quoting.quoted("powershell", "@x") == "'@x'"


# -- the verb --


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_printed_and_nothing_is_written(cli, home, shell):
    done = cli("completion", shell)
    assert (done.status, done.err) == (0, "")
    assert f"registryauth __complete {shell} " in done.out
    assert list(home.iterdir()) == []


def test_another_shell_is_refused_by_name(cli):
    done = cli("completion", "tcsh")
    assert (done.status, done.out) == (2, "")
    assert "there is no completion for 'tcsh': bash, zsh, fish, powershell" in done.err


def test_many_names_are_bounded(home, words):
    store = open_store(key="file", environ={"HOME": str(home)})
    store.put_all([(Principal(Address.parse("many.example"), f"{number:05}", (Slot("x"),)), None) for number in range(5100)])
    store.close()
    assert len(words("whoami", "--account", "")) == 5000
