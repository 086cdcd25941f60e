from __future__ import annotations

import json

import pytest

from registryauth.errors import ConfigurationError
from registryauth.reference import Address
from registryauth.setup import apply, helm


def plan(environ, *texts):
    return helm.plan([Address.parse(text) for text in texts], environ)


def test_the_file_is_the_one_that_helm_reads(environ, home):
    assert plan(environ, "host.example").path == f"{home}/.config/helm/registry/config.json"
    environ["XDG_CONFIG_HOME"] = "/x"
    assert plan(environ, "host.example").path == "/x/helm/registry/config.json"
    environ["HELM_CONFIG_HOME"] = "/h"
    assert plan(environ, "host.example").path == "/h/registry/config.json"
    environ["HELM_REGISTRY_CONFIG"] = "/r/mine.json"
    assert plan(environ, "host.example").path == "/r/mine.json"


def test_on_a_mac_it_is_elsewhere(environ, home):
    assert helm._file(environ, "darwin") == f"{home}/Library/Preferences/helm/registry/config.json"


def test_without_a_home_it_is_said(monkeypatch):
    monkeypatch.setattr(helm, "home_dir", lambda _: "")
    with pytest.raises(ConfigurationError) as caught:
        plan({}, "host.example")
    assert "HELM_REGISTRY_CONFIG" in caught.value.hint


def test_keys_are_dockers_and_undo_gives_the_file_back(environ, home, write):
    path = write(home / ".config/helm/registry/config.json", {"auths": {"x.example": {"auth": "x"}}})
    before = path.read_bytes()
    apply(plan(environ, "host.example", "docker.io"))
    assert json.loads(path.read_bytes())["credHelpers"] == {"host.example": "registryauth", "https://index.docker.io/v1/": "registryauth"}
    apply(helm.undo(environ=environ))
    assert path.read_bytes() == before
