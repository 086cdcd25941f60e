from __future__ import annotations

import base64
import json
import shlex
import stat
import subprocess

import pytest

from .conftest import CANARY

IMAGE = "registry.example/team/model:v1"


def auth_of(username="me", secret=CANARY):
    return base64.b64encode(f"{username}:{secret}".encode()).decode()


def test_the_table_says_which_credential_of_which_source(cli, keep):
    keep("registry.example", dates={"expires_at": 1_900_000_000})
    done = cli("resolve", IMAGE)
    assert (done.status, done.err) == (0, "")
    head, row = (line.split() for line in done.out.splitlines())
    assert head == ["REFERENCE", "KIND", "SOURCE", "ACCOUNT", "EXPIRES"]
    assert row == [IMAGE, "standalone", "store", "me", "2030-03-17T17:46:40Z"]


def test_the_json_is_one_object_with_an_entry_for_each_image(load, keep):
    keep("registry.example")
    shown = load("resolve", "registry.example/team/model", "mcr.microsoft.com/azureml/x:1")
    assert shown["version"] == 1
    mine, public = shown["pull_secrets"]
    trace, detail, why = (mine.pop(name) for name in ("trace", "detail", "why"))
    assert mine == {
        "reference": "registry.example/team/model:latest",
        "registry": "registry.example",
        "repository": "team/model",
        "kind": "standalone",
        "provider": "generic",
        "source": "store",
        "account": "me",
        "slot": None,
        "credential": {"type": "Basic", "username": "me"},
        "expires_at": None,
        "error": None,
    }
    assert "account me" in detail
    assert "not declared public" in why
    assert trace[-1] == {"source": "store", "verdict": "found", "detail": detail}
    assert public["kind"] == "public"
    assert public["credential"] == {"type": "Anonymous", "username": None}


def test_explain_lists_every_source_that_was_asked(cli, keep):
    keep("registry.example")
    done = cli("resolve", "--explain", IMAGE)
    assert done.status == 0
    lines = done.out.splitlines()
    assert lines[0].startswith(f"{IMAGE}: standalone, ")
    assert [line.split(":")[0].strip() for line in lines[1:]] == ["explicit argument", "environment", "store"]
    assert CANARY not in done.out


def test_a_public_image_needs_none_and_that_is_status_0(cli):
    done = cli("resolve", "mcr.microsoft.com/azureml/onnxruntime:latest")
    assert done.status == 0
    assert "(none needed)" in done.out
    assert "public" in done.out


def test_a_registry_that_was_declared_public_is_public(cli, home):
    (home / ".config/registryauth").mkdir(parents=True)
    (home / ".config/registryauth/config.toml").write_text('[registries."registry.example"]\nkind = "public"\n')
    assert "(none needed)" in cli("resolve", IMAGE).out


def test_not_found_is_status_3_and_the_next_step(cli, home):
    done = cli("resolve", IMAGE)
    assert (done.status, done.out) == (3, "")
    assert "error: no credential for registry.example/team/model" in done.err
    assert "hint: registryauth login registry.example" in done.err
    assert list(home.iterdir()) == []


def test_not_found_with_explain_says_who_was_asked(cli):
    done = cli("resolve", "--explain", IMAGE)
    assert done.status == 3
    for source in ("explicit argument", "environment", "store", "docker config", "containers auth", "public registries"):
        assert f"  {source}: absent: " in done.out
    assert done.err.startswith("error: no credential for registry.example/team/model")


def test_an_explanation_in_json_has_every_image_what_failed_and_the_status_of_the_first_failure(cli, keep, home):
    keep("registry.example", dates={"expires_at": 1_900_000_000, "serial": 4})
    (home / ".config/registryauth").mkdir(parents=True, exist_ok=True)
    (home / ".config/registryauth/config.toml").write_text('[registries."registry.example"]\norder = ["store"]\n')
    done = cli("resolve", "--explain", "other.example/x", IMAGE, "mcr.microsoft.com/x", "--output", "json")
    assert done.status == 3
    shown = json.loads(done.out)
    assert shown["version"] == 1
    absent, mine, public = shown["pull_secrets"]
    assert (absent["source"], absent["credential"], absent["account"]) == (None, None, None)
    assert absent["error"].startswith("no credential for other.example/x")
    assert {step["verdict"] for step in absent["trace"]} == {"absent"}
    assert (mine["account"], mine["slot"], mine["expires_at"], mine["error"]) == ("me", 4, "2030-03-17T17:46:40Z", None)
    assert [step["verdict"] for step in mine["trace"]] == ["found", *["not-asked"] * 5]
    assert (public["provider"], public["account"], public["trace"][-1]["source"]) == ("mcr", None, "public registries")
    assert set(absent) == set(mine) == set(public)
    assert CANARY not in done.out + done.err


def test_one_of_several_that_is_not_found_is_status_3_and_no_half_answer(cli, keep):
    keep("registry.example")
    done = cli("resolve", IMAGE, "other.example/x", "--output", "json")
    assert (done.status, done.out) == (3, "")
    assert "other.example/x" in done.err


def test_a_broken_source_is_status_1_and_named_and_not_passed_over(cli, home):
    (home / ".docker").mkdir()
    (home / ".docker/config.json").write_text('{"auths": {"registry.example": {"auth": "' + CANARY)
    for argv in (["resolve", IMAGE], ["resolve", "--explain", IMAGE], ["resolve", "-o", "json", IMAGE]):
        done = cli(*argv)
        assert done.status == 1
        assert ("docker config: broken: " in done.out) if "--explain" in argv else done.out == ""
        assert "config.json" in done.err
        assert "hint: " in done.err
        assert CANARY not in done.err


def test_a_broken_helper_stops_no_image_of_a_registry_known_to_be_public(cli, home, monkeypatch):
    (home / ".docker").mkdir()
    (home / ".docker/config.json").write_text('{"credsStore": "gone"}')
    done = cli("resolve", "mcr.microsoft.com/x")
    assert done.status == 0
    assert "(none needed)" in done.out
    assert done.err == (
        "warning: the credential helper docker-credential-gone is not on PATH;"
        " mcr.microsoft.com is public and is asked without a credential\n"
    )
    assert "docker config: broken: the credential helper docker-credential-gone" in cli("resolve", "--explain", "mcr.microsoft.com/x").out
    assert cli("resolve", "ubuntu").status == 1
    monkeypatch.setenv("REGISTRYAUTH_RESOLVER_BROKEN_HELPER", "fail")
    assert cli("resolve", "mcr.microsoft.com/x").status == 1


def test_several_accounts_without_a_default_are_status_2_and_how_to_choose(cli, keep, home):
    for account in ("b", "a"):
        keep("registry.example/team", account, preferred_at=0)
    done = cli("resolve", IMAGE)
    assert (done.status, done.out) == (2, "")
    assert "error: 2 accounts are stored for registry.example/team and none of them is the default: a, b" in done.err
    assert "--account" in done.err
    assert " b " in cli("resolve", IMAGE, "--account", "b").out
    (home / ".config/registryauth/config.toml").write_text('[registries."registry.example"]\naccount = "a"\n')
    assert " a " in cli("resolve", IMAGE).out
    assert " b " in cli("resolve", IMAGE, "--account", "b").out


def test_a_disabled_account_is_absent_with_the_reason(cli, keep):
    keep("registry.example", disabled_at=1)
    done = cli("resolve", IMAGE, "--explain")
    assert done.status == 3
    assert "disabled: me at registry.example" in done.out


def test_the_account_may_be_named(cli, keep):
    keep("registry.example", "a", preferred_at=2)
    keep("registry.example", "b", preferred_at=1)
    assert " a " in cli("resolve", IMAGE).out
    assert " b " in cli("resolve", IMAGE, "--account", "b").out
    done = cli("resolve", IMAGE, "--account", "c")
    assert done.status == 3


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("https://registry.example/x", "a reference is not a URL"),
        ("registry.example/Team", "write team"),
        ("x.azureecr.io/y", "did you mean azurecr.io?"),
        ("registry.example/x ", "white space around the reference"),
        ("registry.example/registry.example/x", "the registry is written twice"),
        ("registry.example/x@sha256:abc", "registry.example/x@sha256:abc"),
        ("azureml/azureml_1", "never looked for on Docker Hub"),
        ("", "the reference is empty"),
    ],
)
def test_a_reference_that_is_none_is_status_2_with_a_guess(cli, reference, said):
    done = cli("resolve", reference)
    assert (done.status, done.out) == (2, "")
    assert said in done.err


# -- documents that carry the secret --


def test_docker_config_through_a_pipe(cli, keep):
    keep("registry.example")
    done = cli("resolve", IMAGE, "--format", "docker-config")
    assert (done.status, done.err) == (0, "")
    assert json.loads(done.out) == {"auths": {"registry.example": {"auth": auth_of()}}}


def test_docker_config_for_several_registries(cli, keep):
    keep("registry.example")
    keep("docker.io", "hub")
    keep("ci.example", "<token>", "a-token", kind="identity-token")
    done = cli("resolve", IMAGE, "ubuntu", "ci.example/x", "mcr.microsoft.com/y", "--format", "docker-config")
    auths = json.loads(done.out)["auths"]
    assert set(auths) == {"registry.example", "https://index.docker.io/v1/", "ci.example"}
    assert auths["ci.example"]["identitytoken"] == "a-token"


def test_env_is_read_by_a_shell_as_it_was_stored(cli, keep):
    secret = 'it\'s "$(touch x)" `y` \\ ä€ !'
    keep("registry.example", "robot$ci", secret)
    done = cli("resolve", IMAGE, "--format", "env")
    assert done.status == 0
    script = done.raw + b'printf "%s|%s|%s" "$REGISTRYAUTH_REGISTRY" "$REGISTRYAUTH_USERNAME" "$REGISTRYAUTH_PASSWORD"'
    shown = subprocess.run(["sh"], input=script, capture_output=True, check=True).stdout
    assert shown.decode() == f"registry.example|robot$ci|{secret}"


def test_env_is_understood_by_ourselves(cli, keep, monkeypatch):
    keep("registry.example")
    for line in cli("resolve", IMAGE, "--format", "env").out.splitlines():
        name, _, value = line.removeprefix("export ").partition("=")
        monkeypatch.setenv(name, shlex.split(value)[0])
    assert "environment" in cli("resolve", IMAGE).out


def test_env_holds_one(cli, keep):
    keep("registry.example")
    done = cli("resolve", IMAGE, "registry.example/other", "--format", "env")
    assert (done.status, done.out) == (1, "")
    assert "the environment holds one pull secret, not 2" in done.err


@pytest.mark.parametrize("document", ["docker-config", "env"])
def test_a_file_is_0600_from_the_first_and_replaced_as_a_whole(cli, keep, tmp_path, document):
    keep("registry.example")
    target = tmp_path / "out"
    target.write_text("old")
    target.chmod(0o644)
    done = cli("resolve", IMAGE, "--format", document, "--output-file", target)
    assert (done.status, done.out) == (0, "")
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert target.read_text() == cli("resolve", IMAGE, "--format", document).out
    assert list(tmp_path.iterdir()) == [target]


def test_a_file_in_the_current_directory_needs_no_path(cli, keep, tmp_path, monkeypatch):
    keep("registry.example")
    monkeypatch.chdir(tmp_path)
    assert cli("resolve", IMAGE, "--format", "env", "--output-file", "out.env").status == 0
    assert [path.name for path in tmp_path.iterdir()] == ["out.env"]


@pytest.mark.parametrize("target", ["/proc/nothing/out", "/dev/null/out", "/no/such/directory/out", "/"])
def test_a_file_that_cannot_be_written_is_status_1_not_a_broken_store(cli, keep, target):
    keep("registry.example")
    done = cli("resolve", IMAGE, "--format", "env", "--output-file", target)
    assert (done.status, done.out) == (1, "")
    assert "cannot be written" in done.err
    assert CANARY not in done.err


def test_what_is_not_found_leaves_the_file_as_it_was(cli, tmp_path):
    target = tmp_path / "out"
    target.write_text("old")
    assert cli("resolve", IMAGE, "--format", "env", "--output-file", target).status == 3
    assert target.read_text() == "old"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--format", "docker-config", "--output", "json"], "--format exports the secret, --output and --explain show it redacted"),
        (["--format", "docker-config", "--output", "yaml"], "choose one"),
        (["--format", "env", "--explain"], "choose one"),
        (["--format", "bogus"], "there is no format 'bogus'"),
        (["--output-file", "x"], "--output-file goes with --format"),
        (["--output", "bogus"], "table"),
    ],
)
def test_options_that_exclude_each_other_are_status_2(cli, keep, options, said, tmp_path, monkeypatch):
    keep("registry.example")
    monkeypatch.chdir(tmp_path)
    done = cli("resolve", IMAGE, *options)
    assert (done.status, done.out, list(tmp_path.iterdir())) == (2, "", [])
    assert said in done.err
    assert "Invalid value: " not in done.err or "--output" in options


@pytest.mark.parametrize("document", ["docker-config", "env"])
def test_a_terminal_is_shown_a_secret_only_on_request(cli, keep, terminal, document, tmp_path):
    keep("registry.example")
    terminal()
    refused = cli("resolve", IMAGE, "--format", document)
    assert (refused.status, refused.out) == (2, "")
    assert "--show-secret" in refused.err
    assert CANARY not in refused.err
    shown = cli("resolve", IMAGE, "--format", document, "--show-secret")
    assert shown.status == 0
    assert CANARY in shown.out or auth_of() in shown.out
    assert cli("resolve", IMAGE, "--format", document, "--output-file", tmp_path / "x").status == 0


def test_a_reference_is_needed(cli):
    assert cli("resolve").status == 2
