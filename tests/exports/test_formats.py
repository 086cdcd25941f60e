"""What holds for every format."""

from __future__ import annotations

import json
import re
import traceback

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings

from registryauth.credentials import NULL_GUID, Anonymous, Basic, IdentityToken, RegistryToken
from registryauth.errors import ConfigurationError, CredentialError
from registryauth.exports import FORMATS, Options, export, format_named
from registryauth.reference import DOCKER_HUB_KEY

from .conftest import AWKWARD, a_jwt, printable
from .readers import READERS

CANARY = "canary-7f3a"
NOW = 1_800_000_000
SEVERAL = {
    "docker-config", "containers-auth", "kubernetes-secret", "kubernetes-secret-json", "kustomize", "iot-edge", "aci", "aci-yaml",
    "gitlab-ci", "terraform", "secret-json", "secret-yaml",
}  # fmt: skip
#: Where a repository can have a key of its own.
PATHS = {"containers-auth", "kubernetes-secret", "kubernetes-secret-json", "kustomize", "gitlab-ci"}
NO_SECRET = {"kubernetes-service-account", "azureml-environment-yaml"}
#: What tells an identity token from a password.
TOKENS = {"docker-config", "containers-auth", "env", "env-fish", "env-powershell", "secret-json", "secret-yaml"}
REGISTRY_TOKENS = {"docker-config", "secret-json", "secret-yaml"}
all_formats = pytest.mark.parametrize("name", FORMATS)
login_formats = pytest.mark.parametrize("name", READERS)


def test_every_format_has_a_reader_here_or_holds_no_secret():
    assert set(FORMATS) == set(READERS) | NO_SECRET


def expressible(name, text):
    """Helm's own template cannot quote everything; test_helm_values.py has the refusal."""
    return name != "helm-values" or not re.search(r'["\\]', text)


@login_formats
def test_what_means_something_to_a_shell_or_a_parser_arrives_as_it_is(secret, name):
    for password in filter(lambda text: expressible(name, text), AWKWARD):
        text = export([secret("host.example:5000/team/app:v1", Basic("me", password))], name).text
        assert READERS[name](text) == {"host.example:5000": ("me", password)}


@login_formats
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(printable.filter(lambda text: ":" not in text), printable)
def test_any_printable_user_name_and_password_arrive_as_they_are(secret, name, username, password):
    assume(expressible(name, username + password) and username not in ("<token>", NULL_GUID))
    text = export([secret("host.example/a", Basic(username, password))], name).text
    assert READERS[name](text) == {"host.example": (username, password)}


@all_formats
def test_the_secret_shows_in_no_repr_and_is_announced(secret, name):
    document = export([secret("host.example/a", Basic("me", CANARY))], name)
    assert CANARY not in repr(document)
    assert document.secret == (name not in NO_SECRET)
    assert document.text.endswith("\n")


@all_formats
def test_the_media_type_is_that_of_the_text(secret, name):
    document = export([secret("host.example/a", Basic("me", "x"))], name)
    parsed = {"application/json": json.loads, "application/yaml": yaml.safe_load, "text/plain": str.splitlines}[document.media_type]
    assert parsed(document.text)


@all_formats
def test_a_public_image_needs_no_secret_and_that_is_said_in_the_formats_own_way(secret, name):
    document = export([secret("mcr.microsoft.com/a", Anonymous())], name)
    assert not document.secret
    if name in ("github-actions", "env", "env-fish", "env-powershell", "azureml-connection", "azureml-connection-arm"):
        return  # in the test of each: a line for a shell, a comment
    if name in READERS:
        assert READERS[name](document.text) == {}


@all_formats
def test_a_registry_token_goes_where_it_can_be_told_from_a_password(secret, name):
    given = secret("host.example/a", RegistryToken(CANARY))
    if name in REGISTRY_TOKENS | NO_SECRET:
        export([given], name)
        return
    with pytest.raises(CredentialError, match="token") as caught:
        export([given], name, allow_short_lived=True)
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    assert caught.value.hint


@all_formats
def test_an_identity_token_goes_where_it_can_be_told_from_a_password(secret, name):
    given = secret("host.example/a", IdentityToken(CANARY))
    if name in TOKENS | NO_SECRET:
        export([given], name)
        return
    with pytest.raises(CredentialError, match="token") as caught:
        export([given], name)
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    assert "--format docker-config" in caught.value.hint


@pytest.mark.parametrize("name", [name for name in READERS if name not in TOKENS])
def test_azures_refresh_token_is_the_password_of_the_null_guid(secret, name):
    given = secret("my.azurecr.io/a", IdentityToken("e.y.j"))
    assert READERS[name](export([given], name, allow_short_lived=True).text) == {"my.azurecr.io": (NULL_GUID, "e.y.j")}


@all_formats
def test_two_accounts_at_one_registry_have_keys_of_their_own_or_are_refused(secret, name):
    given = [secret("host.example/a/x", Basic("me", CANARY)), secret("host.example/b", Basic("you", CANARY))]
    if name in PATHS:
        assert READERS[name](export(given, name).text) == {"host.example/a/x": ("me", CANARY), "host.example/b": ("you", CANARY)}
    elif name in ("secret-json", "secret-yaml", "kubernetes-service-account"):
        export(given, name)
    else:
        with pytest.raises(CredentialError, match=r"would need two|holds one|not 2") as caught:
            export(given, name)
        assert CANARY not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("name", PATHS)
def test_two_accounts_at_one_repository_are_refused_and_none_is_dropped(secret, name):
    given = [secret("host.example/a", Basic("me", CANARY)), secret("host.example/a:v2", Basic("you", CANARY))]
    with pytest.raises(CredentialError, match=r"host\.example/a would need two"):
        export(given, name)


@pytest.mark.parametrize("name", PATHS)
def test_two_accounts_at_docker_hub_stand_under_its_own_name(secret, name):
    given = [secret("ubuntu", Basic("me", "x")), secret("me/app", Basic("you", "y"))]
    assert set(READERS[name](export(given, name).text)) == {"docker.io/library/ubuntu", "docker.io/me/app"}


@pytest.mark.parametrize("name", SEVERAL)
def test_several_registries_make_one_document_each_once_and_public_ones_nothing(secret, name):
    one, two = Basic("me", "x"), Basic("you", "y")
    given = [secret("b.example:5000/x", one), secret("a.example/y", two), secret("b.example:5000/z:v2", one)]
    given.append(secret("mcr.microsoft.com/q", Anonymous()))
    assert READERS[name](export(given, name).text) == {"b.example:5000": ("me", "x"), "a.example": ("you", "y")}


@pytest.mark.parametrize("name", SEVERAL - {"secret-json", "secret-yaml"})
def test_the_order_of_the_images_does_not_change_the_document(secret, name):
    given = [secret(f"{host}.example/x", Basic("me", "x")) for host in "cab"]
    assert export(given, name).text == export(given[::-1], name).text


@pytest.mark.parametrize("name", [name for name in READERS if name not in SEVERAL])
def test_a_format_for_one_registry_refuses_two_and_names_a_way(secret, name):
    given = [secret(f"{host}.example/x", Basic("me", CANARY)) for host in "ab"]
    with pytest.raises(CredentialError, match=r"not 2") as caught:
        export(given, name)
    assert "export each" in caught.value.hint
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_docker_hub_has_the_key_that_each_target_looks_for(secret):
    by_format = {name: list(READERS[name](export([secret("ubuntu", Basic("me", "x"))], name).text)) for name in READERS}
    keys = {
        "docker.io": {
            "containers-auth", "aci", "aci-yaml", "aci-az", "github-actions", "env", "env-fish", "env-powershell",
            "azureml-environment", "azureml-inferenceconfig", "secret-json", "secret-yaml",
        },
        DOCKER_HUB_KEY: {"docker-config", "kubernetes-secret", "kubernetes-secret-json", "kustomize", "gitlab-ci", "helm-values"},
        "index.docker.io/v1/": {"app-service", "azureml-connection", "azureml-connection-arm"},
        "registry-1.docker.io": {"terraform"},
    }  # fmt: skip
    assert by_format.pop("iot-edge") == ["docker.io", DOCKER_HUB_KEY]
    assert by_format == {name: [key] for key, names in keys.items() for name in names}


@pytest.mark.parametrize("username", ["", "me"])
@login_formats
def test_an_empty_password_or_a_control_character_is_refused_where_it_would_be_cut_off(secret, name, username):
    if name in ("docker-config", "containers-auth", "secret-json", "secret-yaml"):
        return  # their readers take it, and the document says it whole
    for password in ("", "a\nb", "a\tb", "a\x1bb", "a\x00b", "a\x85b") if username else ("x",):
        if name.startswith("env") and password not in ("", "a\nb", "a\x00b") and username:
            continue  # a shell's quotes hold them
        with pytest.raises(CredentialError, match=r"nothing in it|control character|line break|NUL"):
            export([secret("host.example/a", Basic(username, password))], name)


@pytest.mark.parametrize("name", [name for name in FORMATS if FORMATS[name].durable])
def test_a_target_that_keeps_it_is_given_nothing_that_dies_within_a_day(secret, name):
    dying = secret("host.example/a", Basic("me", CANARY), expires_at=NOW + 3600)
    with pytest.raises(CredentialError, match="ends at 2027-01-15T09:00:00Z") as caught:
        export([dying], name, now=NOW)
    assert name in caught.value.message
    assert "--allow-short-lived" in caught.value.hint
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    assert export([dying], name, now=NOW, allow_short_lived=True).secret
    assert export([secret("host.example/a", Basic("me", "x"), expires_at=NOW + 2 * 86400)], name, now=NOW).secret


@pytest.mark.parametrize("name", [name for name in FORMATS if not FORMATS[name].durable])
def test_a_target_that_uses_it_at_once_may_have_it(secret, name):
    export([secret("host.example/a", Basic("me", CANARY), expires_at=NOW + 3600)], name, now=NOW)


def test_what_has_ended_is_said_so(secret):
    with pytest.raises(CredentialError, match="ended at 2027-01-15T07:59:59Z"):
        export([secret("host.example/a", Basic("me", "x"), expires_at=NOW - 1)], "aci", now=NOW)


def test_azures_refresh_token_is_short_lived_and_names_its_own_hour(secret):
    with pytest.raises(CredentialError, match="ends within hours"):
        export([secret("my.azurecr.io/a", IdentityToken("opaque"))], "aci", now=NOW)
    with pytest.raises(CredentialError, match="ends at 2027-01-15T11:00:00Z"):
        export([secret("my.azurecr.io/a", IdentityToken(a_jwt(exp=NOW + 3 * 3600)))], "aci", now=NOW)


def test_one_short_lived_secret_among_several_is_enough(secret):
    given = [secret("a.example/a", Basic("me", "x")), secret("b.example/a", Basic("me", "x"), expires_at=NOW + 60)]
    with pytest.raises(CredentialError, match=r"b\.example ends at"):
        export(given, "aci", now=NOW)


def test_a_format_that_there_is_not_is_refused_with_a_guess():
    with pytest.raises(ConfigurationError, match="there is no format 'kubernetes-secrt'") as caught:
        format_named("kubernetes-secrt")
    assert caught.value.hint == "did you mean kubernetes-secret?"
    with pytest.raises(ConfigurationError) as caught:
        format_named("\x1b[2J")
    assert "\x1b" not in str(caught.value)
    assert "docker-config, containers-auth" in caught.value.hint


@all_formats
@pytest.mark.parametrize(
    "options", [Options(name="n"), Options(namespace="n"), Options(labels=(("a", "b"),))], ids=["name", "namespace", "labels"]
)
def test_an_option_that_a_format_has_no_place_for_is_refused_and_not_dropped(secret, name, options):
    (field,) = (field for field in ("name", "namespace", "labels") if getattr(options, field))
    if field not in FORMATS[name].takes:
        with pytest.raises(ConfigurationError, match=f"{name} has no {field} to give"):
            export([secret("host.example/a", Basic("me", "x"))], name, options)
        return
    given = getattr(options, field)
    text = export([secret("host.example/a", Basic("me", "x"))], name, options).text
    assert (f": {given}" if isinstance(given, str) else "a: b") in text.replace('"', "")
