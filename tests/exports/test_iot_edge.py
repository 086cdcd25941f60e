from __future__ import annotations

import json
import re

import pytest

from registryauth.credentials import Basic
from registryauth.exports import export


def credentials(*secrets):
    return json.loads(export(secrets, "iot-edge").text)["registryCredentials"]


def test_an_entry_for_each_registry_under_a_name_that_a_twin_takes(secret):
    assert credentials(secret("my-1.azurecr.io:443/a", Basic("me", "x"))) == {
        "my_1_azurecr_io_443": {"username": "me", "password": "x", "address": "my-1.azurecr.io:443"}
    }


def test_hosts_that_look_alike_without_their_marks_keep_an_entry_each(secret):
    hosts = ["a-b.example", "a.b.example", "a-b-example.example", "a-b.example:1", "a-b.example-1.example"]
    found = credentials(*(secret(f"{host}/a", Basic("me", host)) for host in hosts))
    assert sorted(entry["address"] for entry in found.values()) == sorted(hosts)
    assert all(entry["address"] == entry["password"] for entry in found.values())
    assert {"a_b_example", "a_b_example_2"} < set(found)


@pytest.mark.parametrize("host", ["my-1.azurecr.io:443", "docker.io", "[2001:db8::1]:5000", "localhost"])
def test_every_entry_is_as_the_published_schema_wants_it(secret, host):
    """http://json.schemastore.org/azure-iot-edge-deployment-1.1, ``registryCredentials``: three texts, no white space in the address."""
    for name, entry in credentials(secret(f"{host}/me/app", Basic("me", "a b"))).items():
        assert re.fullmatch(r"[^.$# ]+", name), "what a twin takes for a name, as everywhere in that schema"
        assert set(entry) == {"username", "password", "address"}
        assert all(isinstance(value, str) for value in entry.values())
        assert re.fullmatch(r"\S+", entry["address"])


def test_docker_hub_is_found_whether_or_not_the_image_names_it(secret):
    found = credentials(secret("me/app", Basic("me", "x")))
    assert [entry["address"] for entry in found.values()] == ["docker.io", "https://index.docker.io/v1/"]
    assert not [name for name in found if set(name) & set(". $#/:")]
