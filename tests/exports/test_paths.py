"""What is registered for a path in a registry is not handed to a target as the whole registry's."""

from __future__ import annotations

import json
import traceback

import pytest

from registryauth.credentials import Anonymous, Basic
from registryauth.errors import CredentialError
from registryauth.exports import FORMATS, export

from .readers import READERS

CANARY = "canary-7f3a"
#: Where a key may have a path.
KEYED = {
    "containers-auth", "kubernetes-secret", "kubernetes-secret-json", "kustomize", "helm-values", "gitlab-ci", "env", "env-fish",
    "env-powershell",
}  # fmt: skip
#: What describes the one image that was asked for, or has it beside the secret.
OF_THE_IMAGE = {"app-service", "azureml-environment", "azureml-inferenceconfig", "secret-json", "secret-yaml"}
SHARED = {name for name in FORMATS if FORMATS[name].shares}
NO_SECRET = {"kubernetes-service-account", "azureml-environment-yaml"}


def test_every_format_is_one_of_these():
    assert set(FORMATS) == KEYED | OF_THE_IMAGE | SHARED | NO_SECRET
    assert len(KEYED) + len(OF_THE_IMAGE) + len(SHARED) + len(NO_SECRET) == len(FORMATS)


@pytest.fixture
def below(secret):
    return secret("host.example:5000/team/model:v1", Basic("me", CANARY), path="team")


@pytest.mark.parametrize("name", KEYED)
def test_the_path_is_in_the_key_where_the_target_honours_it(below, name):
    assert READERS[name](export([below], name).text) == {"host.example:5000/team": ("me", CANARY)}


@pytest.mark.parametrize("name", SHARED)
def test_elsewhere_it_is_refused_and_the_message_says_what_would_become_of_it(below, name):
    with pytest.raises(
        CredentialError, match=r"host\.example:5000/team is for that path alone, .* for all of host\.example:5000"
    ) as caught:
        export([below], name)
    assert name in caught.value.message
    assert "--allow-whole-registry" in caught.value.hint
    assert CANARY not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("name", SHARED | OF_THE_IMAGE)
def test_who_wants_it_all_the_same_gets_the_registrys_entry(below, name):
    assert READERS[name](export([below], name, allow_whole_registry=name in SHARED).text) == {"host.example:5000": ("me", CANARY)}


@pytest.mark.parametrize("name", SHARED)
def test_a_public_image_is_no_fault_of_the_path(secret, name):
    assert not export([secret("mcr.microsoft.com/team/x", Anonymous(), path="team")], name).secret


@pytest.mark.parametrize("name", ["containers-auth", "kubernetes-secret", "kustomize", "gitlab-ci"])
def test_a_path_stands_beside_the_registry_that_it_is_in(secret, below, name):
    given = [
        secret("host.example:5000/other", Basic("you", CANARY)),
        below,
        secret("host.example:5000/team/x", Basic("me", CANARY), path="team"),
    ]
    assert READERS[name](export(given, name).text) == {"host.example:5000": ("you", CANARY), "host.example:5000/team": ("me", CANARY)}


def test_a_chart_has_one_key(secret, below):
    with pytest.raises(CredentialError, match=r"one registry or path, not host\.example:5000 and host\.example:5000/team"):
        export([below, secret("host.example:5000/other", Basic("me", CANARY))], "helm-values")


@pytest.mark.parametrize(
    ("path", "key"), [("v2/app", "host.example/v2/v2/app"), ("v1/a", "host.example/v2/v1/a"), ("v3/a", "host.example/v3/a")]
)
def test_what_the_kubelet_would_cut_off_a_path_is_given_to_it(secret, path, key):
    given = [secret(f"host.example/{path}/x", Basic("me", CANARY), path=path)]
    assert list(READERS["kubernetes-secret"](export(given, "kubernetes-secret").text)) == [key]
    assert list(json.loads(export(given, "containers-auth").text)["auths"]) == [f"host.example/{path}"]


def test_docker_hubs_namespaces_stand_under_its_own_name(secret):
    given = [secret("me/app", Basic("me", CANARY), path="me")]
    assert list(READERS["kubernetes-secret"](export(given, "kubernetes-secret").text)) == ["docker.io/me"]
    assert list(READERS["containers-auth"](export(given, "containers-auth").text)) == ["docker.io/me"]
