from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from registryauth.credentials import NULL_GUID, Basic, IdentityToken, RegistryToken
from registryauth.errors import ConfigurationError, CredentialError, InvalidReference
from registryauth.exports import Options, azureml, export
from registryauth.exports.azureml_image import BaseImage, joined
from registryauth.registries import Kind

CANARY = "canary-7f3a"
MINE, WORKSPACE, PUBLIC = "standalone.example/team/model:v1", "ws.azurecr.io/azureml/azureml_1", "mcr.microsoft.com/azureml/x:1"
KNOWN = {"ws.azurecr.io": Kind.WORKSPACE}


MINE_IS = Basic("me", CANARY)


def a_registry():
    return SimpleNamespace(address="old", username="old", password="old")


def an_environment():
    return SimpleNamespace(name="e", docker=SimpleNamespace(enabled=False, base_image="old", base_image_registry=a_registry()))


def an_image_config():
    return SimpleNamespace(base_image="old", base_image_registry=a_registry(), execution_script="score.py")


@pytest.fixture
def apply(secret):
    """Apply the secret of an image; base image, the registry's three fields, and which secrets were fetched."""

    def apply(target, reference, credential=MINE_IS):
        fetched = []
        azureml.apply(secret(reference, credential, known=KNOWN, fetched=fetched), target)
        place = getattr(target, "docker", target)
        registry = place.base_image_registry
        return place.base_image, (registry.address, registry.username, registry.password), fetched

    return apply


@pytest.mark.parametrize("make", [an_environment, an_image_config])
def test_a_standalone_registry_has_address_user_name_and_password(apply, make):
    image, registry, _ = apply(make(), MINE)
    assert (image, registry) == (MINE, ("standalone.example", "me", CANARY))


@pytest.mark.parametrize("make", [an_environment, an_image_config])
@pytest.mark.parametrize("reference", [WORKSPACE, PUBLIC])
def test_a_workspaces_registry_and_a_public_one_have_none_of_them_and_nothing_is_fetched(apply, make, reference):
    image, registry, fetched = apply(make(), reference)
    assert image == (f"{reference}:latest" if reference == WORKSPACE else reference)
    assert registry == (None, None, None)
    assert fetched == []


def test_docker_is_switched_on_in_an_environment(apply):
    target = an_environment()
    apply(target, MINE)
    assert target.docker.enabled is True
    assert target.name == "e"


def test_azures_refresh_token_is_a_password_and_another_token_is_refused(apply):
    _, registry, _ = apply(an_environment(), "my.azurecr.io/a", IdentityToken("t"))
    assert registry == ("my.azurecr.io", NULL_GUID, "t")
    target = an_environment()
    for token in (IdentityToken(CANARY), RegistryToken(CANARY)):
        with pytest.raises(CredentialError, match="is a token"):
            apply(target, MINE, token)
    assert target == an_environment(), "a refusal changes nothing"


@pytest.mark.parametrize(
    "target",
    [
        SimpleNamespace(),
        SimpleNamespace(docker=SimpleNamespace(enabled=True)),
        # As some pages of the documentation have it.
        SimpleNamespace(base_image="x", base_image_registry="my.azurecr.io"),
    ],
)
def test_an_object_of_another_shape_is_refused(secret, target):
    with pytest.raises(ConfigurationError, match="has no base_image and base_image_registry"):
        azureml.apply(secret(MINE, Basic("me", "x")), target)


def test_as_json_it_is_an_environment(secret):
    document = export([secret(MINE, Basic("me", CANARY))], "azureml-environment", Options("my-env.1"))
    assert json.loads(document.text) == {
        "name": "my-env.1",
        "docker": {
            "enabled": True,
            "baseImage": MINE,
            "baseImageRegistry": {"address": "standalone.example", "username": "me", "password": CANARY},
        },
    }


@pytest.mark.parametrize("reference", [WORKSPACE, PUBLIC])
@pytest.mark.parametrize(
    "name", ["azureml-environment", "azureml-inferenceconfig", "azureml-environment-yaml", "azureml-connection", "azureml-connection-arm"]
)
def test_no_format_fetches_for_a_workspaces_registry_or_a_public_one(secret, reference, name):
    fetched = []
    # Short-lived, which would be no matter: it is not written.
    document = export([secret(reference, Basic("me", CANARY), expires_at=1, known=KNOWN, fetched=fetched)], name)
    assert (document.secret, fetched) == (False, [])
    assert "password" not in document.text.replace('"password": null', "")


@pytest.mark.parametrize("wrong", ["AzureML-mine", "Microsoft", "-a", "a b", "a/b", "ä", "a" * 256, "a\n"])
@pytest.mark.parametrize("name", ["azureml-environment", "azureml-inferenceconfig", "azureml-environment-yaml"])
def test_a_name_that_azure_does_not_take_is_refused(secret, name, wrong):
    with pytest.raises(ConfigurationError, match="is no name for an environment"):
        export([secret(MINE, Basic("me", "x"))], name, Options(name=wrong))


@pytest.mark.parametrize(
    ("image", "address", "meant"),
    [
        ("myimage:v1", "my.azurecr.io", "my.azurecr.io/myimage:v1"),
        ("team/myimage", "https://MY.azurecr.io/", "my.azurecr.io/team/myimage:latest"),
        ("myimage", "localhost:5000", "localhost:5000/myimage:latest"),
        ("my.azurecr.io/myimage:v1", "my.azurecr.io", "my.azurecr.io/myimage:v1"),
        ("my.azurecr.io/myimage:v1", "", "my.azurecr.io/myimage:v1"),
        ("azureml/azureml_1", "ws.azurecr.io", "ws.azurecr.io/azureml/azureml_1:latest"),
        ("ubuntu", "docker.io", "docker.io/library/ubuntu:latest"),
    ],
)
def test_a_name_without_a_host_lies_in_the_registry_at_the_address(image, address, meant):
    assert str(joined(image, address)) == meant


@pytest.mark.parametrize(
    ("image", "address", "error", "words"),
    [
        ("a.azurecr.io/a.azurecr.io/x", "", InvalidReference, "written twice"),
        ("a.azurecr.io/a.azurecr.io/x", "a.azurecr.io", InvalidReference, "written twice"),
        ("a.azurecr.io/x", "b.azurecr.io", ConfigurationError, "the image is at a.azurecr.io, and its registry's address is b.azurecr.io"),
        ("x", "a.azurecr.io/team", ConfigurationError, "has a path in it"),
        ("x", "a.azureecr.io", InvalidReference, "slip of the finger"),
        ("x ", "a.azurecr.io", InvalidReference, "white space"),
    ],
)
def test_what_cannot_be_meant_is_refused(image, address, error, words):
    with pytest.raises(error, match=words):
        joined(image, address)


def test_the_password_is_in_no_repr():
    assert CANARY not in repr(BaseImage("i", "a", "u", CANARY))
