from __future__ import annotations

import json

from registryauth.credentials import Anonymous, Basic
from registryauth.exports import export


def settings(*secrets):
    return {each["name"]: each["value"] for each in json.loads(export(secrets, "app-service").text)}


def test_all_three_settings_the_address_with_its_scheme(secret):
    assert settings(secret("my.azurecr.io/a", Basic("me", "x"))) == {
        "DOCKER_REGISTRY_SERVER_URL": "https://my.azurecr.io",
        "DOCKER_REGISTRY_SERVER_USERNAME": "me",
        "DOCKER_REGISTRY_SERVER_PASSWORD": "x",
    }


def test_or_none(secret):
    assert settings(secret("mcr.microsoft.com/a", Anonymous())) == {}
