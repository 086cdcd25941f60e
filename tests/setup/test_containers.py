from __future__ import annotations

import json

import pytest

from registryauth.reference import Address
from registryauth.setup import apply, containers

CANARY = "canary-7f3a"


def plan(environ, *texts):
    return containers.plan([Address.parse(text) for text in texts], environ)


def test_the_file_is_the_one_that_outlives_a_restart(environ, home, tmp_path):
    assert plan(environ, "host.example").path == f"{home}/.config/containers/auth.json"
    assert plan(environ | {"XDG_CONFIG_HOME": str(tmp_path / "x")}, "host.example").path == f"{tmp_path}/x/containers/auth.json"


def test_what_makes_podman_read_one_file_only_names_that_file(environ, tmp_path):
    environ["DOCKER_CONFIG"] = str(tmp_path / "dc")
    assert plan(environ, "host.example").path == f"{tmp_path}/dc/config.json"
    environ["REGISTRY_AUTH_FILE"] = str(tmp_path / "mine.json")
    assert plan(environ, "host.example").path == f"{tmp_path}/mine.json"


def test_docker_hub_is_docker_io_and_a_path_is_dropped(environ):
    change = plan(environ, "docker.io", "host.example/team")
    apply(change)
    with open(change.path) as file:
        assert json.load(file) == {"credHelpers": {"docker.io": "registryauth", "host.example": "registryauth"}}
    assert change.warnings == ()


def test_undo_takes_it_back(environ, home, write):
    path = write(home / ".config/containers/auth.json", {"auths": {"x.example": {"auth": "x"}}, "credHelpers": {"y.example": "pass"}})
    before = path.read_bytes()
    apply(plan(environ, "host.example"))
    assert path.read_bytes() != before
    apply(containers.undo(environ=environ))
    assert path.read_bytes() == before


def test_an_entry_in_the_file_that_is_read_first_is_reported(environ, tmp_path, write):
    entries = {"host.example/team": {"auth": CANARY}, "marker.example": {}, "other.example": {"auth": CANARY}}
    write(tmp_path / "run/containers/auth.json", {"auths": entries, "credHelpers": {"ours.example": "registryauth", "b.example": "pass"}})
    warnings = plan(environ, "host.example", "marker.example", "ours.example", "b.example").warnings
    assert ["host.example/team" in warning for warning in warnings] == [True, False]
    assert "b.example" in warnings[1]
    assert all("is read first" in warning for warning in warnings)
    assert CANARY not in "".join(warnings)
    assert plan(environ | {"REGISTRY_AUTH_FILE": str(tmp_path / "mine.json")}, "host.example").warnings == ()


@pytest.mark.parametrize(
    ("helpers", "said"),
    [
        (["pass"], "leave auth.json out, so that this entry is not read: add containers-auth.json or registryauth to them"),
        (["pass", "other", "containers-auth.json"], "are asked before auth.json: pass, other"),
        (["containers-auth.json", "pass"], ""),
        (["registryauth"], ""),
        ([], ""),
    ],
)
def test_helpers_that_registries_conf_has_podman_ask_first_are_reported(environ, home, write, tmp_path, helpers, said):
    path = write(home / ".config/containers/registries.conf", f"credential-helpers = {helpers!r}".encode())
    warnings = containers.plan([Address.parse("host.example")], environ, system=str(tmp_path / "etc")).warnings
    assert warnings == ((f"{path} has credential-helpers that {said}",) if said else ())


def test_a_registries_conf_that_podman_cannot_read_is_reported_and_stops_nothing(environ, home, write, tmp_path):
    path = write(home / ".config/containers/registries.conf", b"[")
    change = containers.plan([Address.parse("host.example")], environ, system=str(tmp_path / "etc"))
    assert change.needed
    (warning,) = change.warnings
    assert warning.startswith(f"{path} is not TOML")
