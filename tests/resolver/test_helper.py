from __future__ import annotations

import json
import os
import time
import traceback

import pytest

from registryauth.credentials import Basic, IdentityToken
from registryauth.errors import SourceFailed
from registryauth.resolver.helper import ACTIVE, MAX_ANSWER, NOT_FOUND, ask_helper, find_program, list_helper, reason_to_skip

CANARY = "canary-7f3a"


def answer(**fields):
    return f"print(json.dumps({fields!r}))"


def runs(log):
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def test_a_helper_is_given_the_key_without_a_newline_and_its_answer_is_the_credential(helper, environ):
    log = helper("team", answer(ServerURL="host.example", Username="me", Secret="p:w"))
    assert ask_helper("team", "host.example", environ) == Basic("me", "p:w")
    [(arguments, line, _)] = runs(log)
    assert (arguments, line) == (["get"], "host.example")


def test_the_user_name_token_says_that_the_secret_is_an_identity_token(helper, environ):
    helper("team", answer(ServerURL="host.example", Username="<token>", Secret="t"))
    assert ask_helper("team", "host.example", environ) == IdentityToken("t")


@pytest.mark.parametrize(
    "body",
    [
        f"print({NOT_FOUND!r}); sys.exit(1)",
        f"print('  '+{NOT_FOUND!r}+'  '); sys.exit(3)",
        answer(ServerURL="host.example", Username="", Secret=""),
        "print('{}')",
    ],
)
def test_a_helper_that_has_nothing_is_absent(helper, environ, body):
    helper("team", body)
    assert ask_helper("team", "host.example", environ) is None


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (f"print('{CANARY}'); sys.exit(1)", "ended with status 1"),
        (f"print('oh: ' + {NOT_FOUND!r}); sys.exit(1)", "ended with status 1"),
        (f"print('{CANARY}', file=sys.stderr); sys.exit(7)", "ended with status 7"),
        ("os.kill(os.getpid(), 9)", "ended with status -9"),
        (f"print('{CANARY}')", "is not JSON"),
        ("pass", "is not JSON"),
        (f"print('[\"{CANARY}\"]')", "must be an object"),
        (f'print(\'{{"Username": ["{CANARY}"]}}\')', "Username must be a string"),
        (answer(Username="", Secret=CANARY), "without a user name"),
        (answer(ServerURL="https://evil.example", Username="me", Secret=CANARY), "another registry"),
        (f"print('{CANARY}' * {MAX_ANSWER})", "more than 65536 bytes"),
        ("print('[' * 60000)", "nested too deeply"),
        ("sys.stdout.buffer.write(b'\\xff')", "not UTF-8"),
    ],
)
def test_a_helper_that_fails_is_broken_and_its_output_is_not_shown(helper, environ, capfd, body, words):
    helper("team", body)
    with pytest.raises(SourceFailed, match=words) as caught:
        ask_helper("team", "host.example", environ)
    assert "docker-credential-team" in caught.value.message
    assert caught.value.hint
    assert CANARY not in "".join(traceback.format_exception(caught.value)) + caught.value.hint + "".join(capfd.readouterr())


@pytest.mark.parametrize("body", ["time.sleep(60)", "os.close(1); time.sleep(60)"])
def test_a_helper_that_hangs_is_ended(helper, environ, body):
    helper("team", body)
    start = time.monotonic()
    with pytest.raises(SourceFailed, match="did not answer in time"):
        ask_helper("team", "host.example", environ, timeout=0.3)
    assert time.monotonic() - start < 10


def test_a_helper_that_does_not_read_its_input_is_heard_all_the_same(environ, tmp_path):
    program = tmp_path / "bin/docker-credential-deaf"
    program.write_text('#!/bin/sh\nexec <&-\necho \'{"Username":"u","Secret":"s"}\'\n')
    program.chmod(0o755)
    assert ask_helper("deaf", "host.example", environ) == Basic("u", "s")


def test_a_program_that_cannot_be_run_is_broken(environ, tmp_path):
    program = tmp_path / "bin/docker-credential-bad"
    program.write_bytes(b"\x7fELF nonsense")
    program.chmod(0o755)
    with pytest.raises(SourceFailed, match="cannot be run"):
        ask_helper("bad", "host.example", environ)


def test_a_helper_that_is_not_there_is_broken(environ):
    with pytest.raises(SourceFailed, match="docker-credential-nope is not on PATH"):
        ask_helper("nope", "host.example", environ)


@pytest.mark.parametrize("name", ["", "../evil", "a/b", "a b", "a;b", "a\nb", "ä", "x" * 101])
def test_a_helpers_name_is_a_plain_word(environ, name):
    with pytest.raises(SourceFailed, match="other characters"):
        find_program(name, environ)


def test_no_program_is_taken_from_the_current_directory(helper, environ, tmp_path, monkeypatch):
    planted = tmp_path / "planted"
    planted.mkdir()
    helper("team", "pass", planted)
    monkeypatch.chdir(planted)
    for path in ("", ".", ":", "./", "../planted", f":{tmp_path}/bin"):
        assert find_program("team", {"PATH": path}) is None
    assert find_program("team", {}) is None
    assert find_program("team", {"PATH": f".:{planted}"}) == f"{planted}/docker-credential-team"


def test_a_child_sees_none_of_our_secrets_and_knows_that_we_are_asking(helper, environ):
    log = helper("team", answer(Username="me", Secret="x"))
    secrets = (
        "REGISTRYAUTH_PASSWORD",
        "REGISTRYAUTH_USERNAME",
        "REGISTRYAUTH_STORE_KEY_FILE",
        "REGISTRYAUTH_PASSPHRASE",
        "DOCKER_AUTH_CONFIG",
    )
    kept = {"AWS_PROFILE": "p", "REGISTRYAUTH_CONFIG": "/c", "REGISTRYAUTH_STORE_PATH": "/s"}
    ask_helper("team", "host.example", environ | dict.fromkeys(secrets, CANARY) | kept)
    [(_, _, seen)] = runs(log)
    assert CANARY not in seen.values()
    assert seen[ACTIVE] == "1"
    assert kept.items() <= seen.items()


def test_our_own_helper_is_skipped_by_its_name_by_a_link_and_by_another_name(helper, environ, tmp_path):
    helper("registryauth", "sys.exit(1)")
    os.symlink(tmp_path / "bin/docker-credential-registryauth", tmp_path / "bin/docker-credential-alias")
    os.symlink("docker-credential-alias", tmp_path / "bin/docker-credential-again")
    for name in ("registryauth", "alias", "again"):
        assert "our own" in reason_to_skip(name, environ)
    helper("other", "pass")
    assert reason_to_skip("other", environ) == ""
    assert reason_to_skip("absent", environ) == ""


def test_while_a_helper_is_asking_no_other_is_asked(environ):
    assert ACTIVE in reason_to_skip("other", environ | {ACTIVE: "1"})


def test_a_helper_lists_the_server_keys_that_it_keeps(helper, environ):
    log = helper("team", "print(json.dumps({'https://index.docker.io/v1/': 'me', 'host.example': 'you'}))")
    assert list_helper("team", environ) == ("https://index.docker.io/v1/", "host.example")
    [(arguments, line, _)] = runs(log)
    assert (arguments, line) == (["list"], "unused")


@pytest.mark.parametrize("body", [f"print({CANARY!r}); sys.exit(1)", f"print({CANARY!r})", f"print('[{CANARY!r}]')", "print('x' * 70_000)"])
def test_a_helper_that_cannot_list_is_broken_and_nothing_of_its_answer_is_repeated(helper, environ, body):
    helper("team", body)
    with pytest.raises(SourceFailed) as caught:
        list_helper("team", environ)
    assert CANARY not in f"{caught.value} {caught.value.hint}"
    assert caught.value.hint


def test_a_helper_that_is_not_there_cannot_list(environ):
    with pytest.raises(SourceFailed, match="is not on PATH"):
        list_helper("team", environ)
