from __future__ import annotations

import json

import pytest

FILES = {"docker": ".docker/config.json", "containers": ".config/containers/auth.json"}


@pytest.fixture(params=FILES)
def target(request):
    return request.param


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
    done = cli("setup", target)
    assert (done.status, done.out) == (0, "")
    hub = "https://index.docker.io/v1/" if target == "docker" else "docker.io"
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
