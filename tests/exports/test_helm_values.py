from __future__ import annotations

import pytest
import yaml

from registryauth.credentials import Anonymous, Basic
from registryauth.errors import CredentialError
from registryauth.exports import Options, export

CANARY = "canary-7f3a"


def test_the_values_name_the_secret_and_say_what_is_in_it(secret):
    values = yaml.safe_load(export([secret("host.example:5000/a", Basic("me", CANARY))], "helm-values", Options("pull")).text)
    assert values == {
        "imagePullSecrets": [{"name": "pull"}],
        "imageCredentials": {"name": "pull", "registry": "host.example:5000", "username": "me", "password": CANARY, "email": ""},
    }


@pytest.mark.parametrize("login", [("me", f'{CANARY}"'), ("me", f"\\{CANARY}"), ('m"e', CANARY)])
def test_what_helms_own_template_would_break_on_is_refused_with_another_way(secret, login):
    with pytest.raises(CredentialError, match="quotation mark or a backslash") as caught:
        export([secret("host.example/a", Basic(*login))], "helm-values")
    assert "kubernetes-secret" in caught.value.hint
    assert CANARY not in str(caught.value)


def test_for_a_public_image_the_values_are_empty_and_say_why(secret):
    document = export([secret("mcr.microsoft.com/a", Anonymous())], "helm-values")
    assert document.text.startswith("# no pull secret is needed for mcr.microsoft.com\n")
    assert yaml.safe_load(document.text) == {"imagePullSecrets": [], "imageCredentials": {}}
