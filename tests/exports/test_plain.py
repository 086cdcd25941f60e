from __future__ import annotations

import json

import yaml

from registryauth.credentials import Anonymous, Basic, IdentityToken
from registryauth.exports import export


def test_each_image_has_an_entry_in_its_order_and_public_ones_say_that_nothing_is_needed(secret):
    given = [
        secret("b.example/x:v1", Basic("me", "p"), expires_at=1_900_000_000),
        secret("mcr.microsoft.com/y", Anonymous()),
        secret("a.example/z", IdentityToken("t")),
    ]
    shown = json.loads(export(given, "secret-json").text)
    assert shown["version"] == 1
    assert shown["pull_secrets"] == [
        {
            "reference": "b.example/x:v1", "registry": "b.example", "kind": "standalone", "type": "Basic",
            "username": "me", "password": "p", "expires_at": "2030-03-17T17:46:40Z",
        },
        {
            "reference": "mcr.microsoft.com/y:latest", "registry": "mcr.microsoft.com", "kind": "public", "type": "Anonymous",
            "username": None, "password": None, "expires_at": None,
        },
        {
            "reference": "a.example/z:latest", "registry": "a.example", "kind": "standalone", "type": "IdentityToken",
            "username": "<token>", "password": "t", "expires_at": None,
        },
    ]  # fmt: skip
    assert yaml.safe_load(export(given, "secret-yaml").text) == shown
