from __future__ import annotations

import base64
import json
import traceback

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registryauth.credentials import Anonymous, Basic, IdentityToken, RegistryToken
from registryauth.errors import CredentialError
from registryauth.exports import FORMATS
from registryauth.exports.docker_config import export
from registryauth.reference import Repository
from registryauth.resolver.docker_config import DockerConfig

CANARY = "canary-7f3a"


def auths(*secrets):
    document = export(secrets)
    assert document.media_type == "application/json"
    return json.loads(document.text)["auths"]


def test_it_is_what_docker_config_names():
    assert FORMATS["docker-config"].export is export


def test_a_user_name_and_password_are_one_base64_string(secret):
    assert auths(secret("host.example:5000/team/app", Basic("me", "p:w"))) == {
        "host.example:5000": {"auth": base64.b64encode(b"me:p:w").decode()}
    }


def test_docker_hub_has_the_key_that_docker_gives_it(secret):
    assert list(auths(secret("ubuntu", Basic("me", "x")))) == ["https://index.docker.io/v1/"]


def test_an_identity_token_looks_as_az_acr_login_writes_it(secret):
    assert auths(secret("my.azurecr.io/a", IdentityToken("t"))) == {
        "my.azurecr.io": {"auth": base64.b64encode(b"00000000-0000-0000-0000-000000000000:").decode(), "identitytoken": "t"}
    }


def test_a_registry_token_has_a_field_of_its_own(secret):
    assert auths(secret("host.example/a", RegistryToken("r"))) == {"host.example": {"registrytoken": "r"}}


def test_where_no_credential_is_needed_there_is_no_entry_and_no_secret(secret):
    document = export([secret("mcr.microsoft.com/a", Anonymous())])
    assert (json.loads(document.text), document.secret) == ({"auths": {}}, False)


def test_the_secret_is_in_the_text_and_not_in_the_repr(secret):
    document = export([secret("host.example/a", IdentityToken(CANARY))])
    assert document.secret
    assert CANARY in document.text
    assert CANARY not in repr(document)


def test_two_registries_stand_side_by_side_and_the_same_account_once(secret):
    one = Basic("me", "x")
    assert list(auths(secret("a.example/x", one), secret("b.example/x", one), secret("a.example/y", one))) == ["a.example", "b.example"]


def test_two_credentials_at_one_registry_have_no_place(secret):
    with pytest.raises(CredentialError, match=r"a\.example would need two") as caught:
        export([secret("a.example/x", Basic("me", CANARY)), secret("a.example/y", Basic("you", CANARY))])
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_a_user_name_with_a_colon_would_be_read_as_another(secret):
    with pytest.raises(CredentialError, match="colon"):
        export([secret("a.example/x", Basic("a:b", "x"))])


name = st.text(st.characters(exclude_characters=":", exclude_categories=("Cs",)), min_size=1).filter(lambda text: text != "<token>")
password = st.text(st.characters(exclude_categories=("Cs",))).filter(lambda text: not text.endswith("\0"))
token = st.text(st.characters(exclude_categories=("Cs",)), min_size=1)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.one_of(st.builds(Basic, name, password), st.builds(IdentityToken, token), st.builds(RegistryToken, token)))
def test_our_own_source_reads_back_what_was_exported(secret, tmp_path, credential):
    (tmp_path / "config.json").write_text(export([secret("host.example/a", credential)]).text, encoding="utf-8")
    answer = DockerConfig({"DOCKER_CONFIG": str(tmp_path)}).ask(Repository.parse("host.example/a"))
    assert answer.fetch().credential == credential
