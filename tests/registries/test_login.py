from __future__ import annotations

import pytest

from registryauth.credentials import NULL_GUID, Anonymous, Basic, IdentityToken, RegistryToken
from registryauth.reference import Registry
from registryauth.registries.login import login_at


@pytest.mark.parametrize(
    ("credential", "host", "login"),
    [
        (Basic("me", "x"), "host.example", ("me", "x")),
        (IdentityToken("x"), "myregistry.azurecr.io", (NULL_GUID, "x")),
        (IdentityToken("x"), "myregistry.azurecr.io.evil.example", None),
        (IdentityToken("x"), "myregistry.azurecr.io:8443", None),
        (IdentityToken("x"), "host.example", None),
        (RegistryToken("x"), "myregistry.azurecr.io", None),
        (Anonymous(), "myregistry.azurecr.io", None),
    ],
)
def test_azures_refresh_token_is_the_null_guids_password_and_other_tokens_are_none(credential, host, login):
    assert login_at(credential, Registry(host)) == login
