from __future__ import annotations

import json
import shutil

import pytest

_CONTAINERS = ".config/containers/auth.json"
FILES = {
    "docker": ".docker/config.json",
    "oras": ".docker/config.json",
    "helm": ".config/helm/registry/config.json",
    **dict.fromkeys(("containers", "podman", "skopeo", "buildah"), _CONTAINERS),
}
HELPER = "docker-credential-registryauth"


@pytest.fixture(params=FILES)
def target(request):
    return request.param


@pytest.fixture(autouse=True)
def on_path(tmp_path, monkeypatch):
    """``on_path(name, script)``: a program; beside it, nothing is on PATH but a shell's own, and our helper, which knows nobody."""
    directory = tmp_path / "on-path"
    directory.mkdir()

    def on_path(name, script):
        (directory / name).write_text(f"#!/bin/sh\n{script}\n")
        (directory / name).chmod(0o755)

    for name in ("sh", "cat"):
        (directory / name).symlink_to(shutil.which(name))
    monkeypatch.setenv("PATH", str(directory))
    on_path(HELPER, "exit 9")
    return on_path


@pytest.fixture
def file(home, target):
    path = home / FILES[target]
    path.parent.mkdir(parents=True)
    return path


def test_every_stored_registry_is_set_up_and_the_rest_of_the_file_kept(cli, keep, target, file):
    file.write_text('{"auths": {"other.example": {"auth": "eDp5"}}, "unknown": [1]}')
    keep("registry.example")
    keep("docker.io")
    keep("path.example/team")
    keep("*.example.com")
    done = cli("setup", target, "--no-prove")
    assert (done.status, done.out) == (0, "")
    hub = "docker.io" if FILES[target] == _CONTAINERS else "https://index.docker.io/v1/"
    assert f"Set up {hub}, registry.example in {file}." in done.err
    assert json.loads(file.read_text()) == {
        "auths": {"other.example": {"auth": "eDp5"}},
        "unknown": [1],
        "credHelpers": {hub: "registryauth", "registry.example": "registryauth"},
    }


def test_only_the_registries_that_are_named(cli, keep, target, file):
    keep("a.example")
    assert cli("setup", target, "b.example", "https://c.example/team").status == 0
    assert json.loads(file.read_text()) == {"credHelpers": {"b.example": "registryauth", "c.example": "registryauth"}}


def test_a_dry_run_shows_the_change_and_makes_none(cli, target, file):
    before = '{"auths": {"other.example": {"auth": "Y2FuYXJ5LWQ0MTc="}}}'
    file.write_text(before)
    done = cli("setup", target, "registry.example", "--dry-run")
    assert done.status == 0
    assert '+\t\t"registry.example": "registryauth"' in done.out
    assert "Y2FuYXJ5" not in done.out
    assert file.read_text() == before
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_dry_run_that_would_change_nothing_says_so(cli, target, file):
    cli("setup", target, "registry.example")
    done = cli("setup", target, "registry.example", "--dry-run")
    assert (done.status, done.out) == (0, "")
    assert f"Nothing to change in {file}." in done.err


def test_undo_takes_back_what_was_added_and_nothing_else(cli, target, file):
    file.write_text('{"credHelpers": {"theirs.example": "pass"}, "x": 1}')
    cli("setup", target, "a.example", "b.example")
    assert "Removed a.example" in cli("setup", target, "a.example", "--undo").err
    shown = cli("setup", target, "--undo", "--dry-run").out
    assert '-\t\t"b.example": "registryauth"' in shown
    assert cli("setup", target, "--undo").status == 0
    assert json.loads(file.read_text()) == {"credHelpers": {"theirs.example": "pass"}, "x": 1}
    done = cli("setup", target, "--undo")
    assert (done.status, done.err) == (0, f"Nothing to change in {file}.\n")


def test_with_nothing_stored_and_nothing_named_there_is_nothing_to_set_up(cli, home, target):
    done = cli("setup", target)
    assert done.status == 3
    assert "error: no registry is stored yet" in done.err
    assert "hint: log in first, or name the registries" in done.err
    assert list(home.iterdir()) == []


@pytest.mark.parametrize(
    "content", ["{not json", "[]", '{"credHelpers": "x"}', '{"credHelpers": {"registry.example": "pass"}}', "\ufeff{}"]
)
@pytest.mark.parametrize("undo", [[], ["--undo"]])
def test_a_file_that_is_not_as_it_should_be_is_left_as_it_was(cli, target, file, content, undo):
    file.write_text(content)
    done = cli("setup", target, "registry.example", *undo)
    assert file.read_text() == content
    if "pass" in content and undo:
        assert done.status == 0
    else:
        assert done.status == 2
        assert "error: " in done.err
        assert "hint: " in done.err


def test_a_program_that_docker_cannot_find_is_warned_of(cli, target, file, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert "warning: docker-credential-registryauth is not on PATH" in cli("setup", target, "registry.example").err


def test_what_is_no_address_is_status_2_and_changes_nothing(cli, target, file):
    assert cli("setup", target, "not a registry").status == 2
    assert not file.exists()


ANSWERS = """cat >/dev/null; echo '{"Username": "me", "Secret": "canary-d417"}'"""


def test_after_a_change_the_client_is_seen_to_get_the_answer(cli, keep, target, on_path):
    on_path(HELPER, ANSWERS)
    keep("registry.example")
    done = cli("setup", target)
    assert done.status == 0
    assert f"{HELPER} answers for registry.example as me." in done.err
    assert "canary" not in done.err
    assert "answers for" not in cli("setup", target).err, "nothing was changed"
    assert "answers for registry.example as me." in cli("setup", target, "--prove").err


def test_what_is_not_stored_cannot_be_proved_and_is_no_failure(cli, keep, target, on_path):
    keep("registry.example/team")
    done = cli("setup", target, "registry.example")
    assert done.status == 0
    assert "Nothing is stored for registry.example as a whole yet: registryauth login registry.example" in done.err


def test_a_proof_that_fails_says_why_and_leaves_the_entry(cli, keep, target, file, on_path):
    on_path(HELPER, f"echo '{HELPER}: the store is locked' >&2; exit 1")
    keep("registry.example")
    done = cli("setup", target)
    assert done.status == 1
    assert f"error: {HELPER} has no answer for registry.example: the store is locked" in done.err
    assert "hint: " in done.err
    assert json.loads(file.read_text()) == {"credHelpers": {"registry.example": "registryauth"}}


@pytest.mark.parametrize("argv", [["--dry-run"], ["--no-prove"]])
def test_who_does_not_want_it_gets_no_proof(cli, keep, target, argv):
    keep("registry.example")
    assert cli("setup", target, *argv).status == 0


@pytest.mark.parametrize("client", ["podman", "skopeo", "buildah"])
def test_the_client_itself_says_whose_login_it_has(cli, keep, on_path, client):
    on_path(HELPER, ANSWERS)
    on_path(client, '[ "$*" = "login --get-login registry.example" ] && echo me')
    keep("registry.example")
    assert f"{client} login --get-login registry.example says me." in cli("setup", client).err
    on_path(client, "echo somebody")
    done = cli("setup", client, "--prove")
    assert done.status == 1
    assert "as somebody, and me is stored" in done.err
