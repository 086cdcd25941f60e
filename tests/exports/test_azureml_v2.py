from __future__ import annotations

import json

import pytest
import yaml

from registryauth.credentials import Anonymous, Basic
from registryauth.errors import ConfigurationError
from registryauth.exports import Options, export

CANARY = "canary-7f3a"


@pytest.fixture
def one(secret):
    return [secret("my.azurecr.io/team/model:v1", Basic("0f5c", CANARY))]


def test_the_environment_has_the_image_and_no_place_for_a_secret(one):
    document = export(one, "azureml-environment-yaml", Options("mine"))
    assert not document.secret
    assert yaml.safe_load(document.text) == {
        "$schema": "https://azuremlschemas.azureedge.net/latest/environment.schema.json",
        "name": "mine",
        "image": "my.azurecr.io/team/model:v1",
    }


def test_the_connection_has_the_registrys_address_and_the_user_name_and_password(one):
    assert yaml.safe_load(export(one, "azureml-connection", Options("mine")).text) == {
        "name": "mine",
        "type": "container_registry",
        "target": "https://my.azurecr.io",
        "credentials": {"type": "username_password", "username": "0f5c", "password": CANARY},
    }


def test_arm_takes_the_same_in_its_own_words(one):
    assert json.loads(export(one, "azureml-connection-arm").text) == {
        "properties": {
            "category": "ContainerRegistry",
            "target": "https://my.azurecr.io",
            "authType": "UsernamePassword",
            "credentials": {"username": "0f5c", "password": CANARY},
            "isSharedToAll": True,
            "metadata": {},
        }
    }


def test_what_a_url_has_no_place_for_is_encoded_and_that_is_said(secret):
    given = [secret("my.azurecr.io/a", Basic("me@corp.example", "a/b+c=%~-._"))]
    text = export(given, "azureml-connection").text
    assert text.startswith("# user name and password are percent-encoded")
    assert yaml.safe_load(text)["credentials"] == {
        "type": "username_password", "username": "me%40corp.example", "password": "a%2Fb%2Bc%3D%25~-._",
    }  # fmt: skip


def test_a_secret_as_entra_makes_them_is_the_same_either_way(secret):
    # Letters, digits and ~ . _ - are RFC 3986's unreserved characters.
    text = export([secret("my.azurecr.io/a", Basic("0f5c2f6e-1111", "abC8Q~-xyz.12_3"))], "azureml-connection").text
    assert not text.startswith("#")
    assert yaml.safe_load(text)["credentials"]["password"] == "abC8Q~-xyz.12_3"


def test_where_no_secret_is_needed_there_is_no_connection_to_make(secret):
    public = [secret("mcr.microsoft.com/a", Anonymous())]
    assert export(public, "azureml-connection").text == "# no pull secret is needed for mcr.microsoft.com\n"
    assert export(public, "azureml-connection-arm").text == "{}\n"


@pytest.mark.parametrize("wrong", ["-a", "a b", "a/b", "ä", "a" * 256])
def test_a_name_that_cannot_stand_in_an_address_is_refused(one, wrong):
    with pytest.raises(ConfigurationError, match="is no name for a workspace connection"):
        export(one, "azureml-connection", Options(name=wrong))
