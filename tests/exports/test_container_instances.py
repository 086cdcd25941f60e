from __future__ import annotations

import argparse
import shlex
import subprocess

import pytest
import yaml

from registryauth.credentials import Anonymous, Basic
from registryauth.exports import export

from .conftest import AWKWARD


def test_the_server_has_no_scheme(secret):
    given = [secret("my.azurecr.io/a", Basic("me", "x"))]
    assert yaml.safe_load(export(given, "aci-yaml").text) == {
        "imageRegistryCredentials": [{"server": "my.azurecr.io", "username": "me", "password": "x"}]
    }


@pytest.mark.parametrize("password", AWKWARD)
def test_the_flags_come_through_a_shell_and_argparse_as_az_reads_them(secret, password):
    text = export([secret("my.azurecr.io/a", Basic("me", password))], "aci-az").text
    line = f"printf '%s\\0' {text}"
    words = subprocess.run(["sh", "-c", line], capture_output=True, check=True).stdout.decode().split("\0")[:-1]
    assert not [word for word in words if word.startswith("@")], "az would read a file of that name"
    parser = argparse.ArgumentParser(exit_on_error=False)
    for flag in ("login-server", "username", "password"):
        parser.add_argument(f"--registry-{flag}")
    assert vars(parser.parse_args(words)) == {
        "registry_login_server": "my.azurecr.io", "registry_username": "me", "registry_password": password,
    }  # fmt: skip


def test_for_a_public_image_there_are_no_flags_and_no_entry(secret):
    given = [secret("mcr.microsoft.com/a", Anonymous())]
    assert shlex.split(export(given, "aci-az").text) == []
    assert export(given, "aci-yaml").text == "# no pull secret is needed for mcr.microsoft.com\nimageRegistryCredentials: []\n"
