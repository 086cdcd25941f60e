from __future__ import annotations

import base64
import json

import pytest

from registryauth.credentials import NULL_GUID, Basic, IdentityToken, RegistryToken
from registryauth.errors import CredentialError
from registryauth.exports.containers_auth import export
from registryauth.reference import Repository
from registryauth.resolver.containers_auth import ContainersAuth


def auths(*secrets):
    return json.loads(export(secrets).text)["auths"]


def test_an_identity_token_has_the_field_that_the_library_reads(secret):
    assert auths(secret("my.azurecr.io/a", IdentityToken("t"))) == {
        "my.azurecr.io": {"auth": base64.b64encode(f"{NULL_GUID}:".encode()).decode(), "identitytoken": "t"}
    }


def test_a_registry_token_has_no_field_that_anybody_would_read(secret):
    with pytest.raises(CredentialError, match=r"no place for a registry token, as held for host\.example"):
        export([secret("host.example/a", RegistryToken("r"))])


def test_our_own_source_finds_each_repositorys_account_again(secret, tmp_path):
    given = {"host.example:5000/a/x": Basic("me", "p:w"), "host.example:5000/b": Basic("you", "y"), "ubuntu": IdentityToken("t")}
    (tmp_path / "auth.json").write_text(export([secret(*each) for each in given.items()]).text)
    source = ContainersAuth({"REGISTRY_AUTH_FILE": str(tmp_path / "auth.json")})
    assert {text: source.ask(Repository.parse(text)).fetch().credential for text in given} == given
    assert not hasattr(source.ask(Repository.parse("host.example:5000/c")), "fetch")
