"""Which way of signing in is taken, and what is said of those that are not."""

from __future__ import annotations

import json

import pytest

from registryauth.azure import library
from registryauth.azure.clouds import PUBLIC, REGISTRY_SCOPE
from registryauth.azure.settings import settings_of
from registryauth.azure.sign_in import sign_in
from registryauth.config.keys import CREDENTIALS
from registryauth.errors import AzureError, ConfigurationError, Error, NoIdentity


@pytest.fixture(autouse=True)
def _without_azure_identity(monkeypatch):
    """Whether or not it is installed where this runs."""
    monkeypatch.setattr(library, "is_installed", lambda: False)


@pytest.fixture
def signed(config, wire, clock):
    """The sign-in of an environment, and of flags."""

    def signed(environ, **flags):
        environ = {"PATH": ""} | environ
        settings = settings_of(config(None, **flags), environ, wire.far)
        return sign_in(settings, wire, environ, clock=clock, sleep=lambda _: None)

    return signed


@pytest.fixture
def vm(azure):
    azure.machines.identity = azure.home.app("vm")
    return azure.machines.identity


def an_az(az, name="from-az"):
    return {"PATH": az(f"""echo '{json.dumps({"accessToken": name, "expires_on": 1_900_000_000, "subscription": "s"})}'""")}


def test_the_environments_secret_comes_first(signed, environ, vm, az):
    who = signed(environ | an_az(az))
    assert who.label == f"the service principal {environ['AZURE_CLIENT_ID']}"
    who.token(REGISTRY_SCOPE)
    assert who.kind == "client-secret"


def test_the_cli_comes_before_the_machine(signed, vm, az, asked):
    who = signed(an_az(az))
    assert who.token(REGISTRY_SCOPE).value == "from-az"
    assert (who.kind, who.subscription, asked()) == ("azure-cli", "s", [])


def test_the_endpoint_of_the_platform_comes_before_the_cli(signed, azure, vm, az):
    who = signed(azure.machines.environment("http://127.0.0.1:4000") | an_az(az))
    who.token(REGISTRY_SCOPE)
    assert (who.kind, who.label) == ("managed-identity", "the managed identity of this app")


def test_a_cli_where_nobody_is_signed_in_is_passed_over(signed, vm, az):
    who = signed({"PATH": az("echo \"Please run 'az login'\" >&2; exit 1")})
    who.token(REGISTRY_SCOPE)
    assert who.kind == "managed-identity"
    both = "azure.tenant (AZURE_TENANT_ID) and azure.client_id (AZURE_CLIENT_ID)"
    assert who.trace == (
        f"client-secret: absent: {both} and AZURE_CLIENT_SECRET are not set",
        f"certificate: absent: {both} and azure.certificate_file (AZURE_CLIENT_CERTIFICATE_PATH) are not set",
        f"workload-identity: absent: {both} and AZURE_FEDERATED_TOKEN_FILE are not set",
        "managed-identity: absent: neither IDENTITY_ENDPOINT nor MSI_ENDPOINT is set",
        "azure-cli: absent: nobody is signed in to the Azure CLI",
        "managed-identity: found: the managed identity of this machine",
    )


def test_what_is_there_and_refused_ends_the_search(signed, environ, vm, az):
    who = signed(environ | an_az(az) | {"AZURE_CLIENT_SECRET": "wrong"})
    with pytest.raises(AzureError, match="its client secret is wrong"):
        who.token(REGISTRY_SCOPE)
    assert who.trace[-1].startswith("client-secret: broken: ")


def test_nobody_at_all_says_where_was_looked(signed):
    with pytest.raises(NoIdentity, match="nobody here is signed in to Azure") as caught:
        signed({}).token(REGISTRY_SCOPE)
    assert caught.value.hint.count("absent") == 7
    assert "pip install 'registryauth[azure]'" in caught.value.hint
    assert caught.value.exit_code == 3


def test_the_way_that_was_found_is_kept_to(signed, vm, az, tmp_path):
    who = signed(an_az(az))
    who.token(REGISTRY_SCOPE)
    (tmp_path / "bin" / "az").unlink()
    with pytest.raises(NoIdentity, match="no Azure CLI"):
        who.token(REGISTRY_SCOPE)


@pytest.mark.parametrize("kind", ["client-secret", "certificate", "workload-identity"])
def test_a_way_that_is_configured_and_lacks_something_says_what(signed, kind, vm):
    with pytest.raises(ConfigurationError, match="AZURE_TENANT_ID"):
        signed({}, azure__credential=kind).token(REGISTRY_SCOPE)


@pytest.mark.parametrize(
    ("kind", "complaint"), [("azure-cli", "no Azure CLI"), ("device-code", "is not installed"), ("azure-identity", "is not installed")]
)
def test_a_way_that_is_configured_and_not_there_says_so(signed, kind, complaint, vm):
    with pytest.raises(Error, match=complaint):
        signed({}, azure__credential=kind).token(REGISTRY_SCOPE)


def test_the_machine_is_asked_without_a_probe_when_it_is_meant(signed, vm, azure):
    who = signed({"AZURE_CLIENT_ID": vm.app_id}, azure__credential="managed-identity")
    who.token(REGISTRY_SCOPE)
    assert len(azure.requests) == 1
    assert who.label == f"the managed identity {vm.app_id} of this machine"


def test_no_person_is_asked_unless_that_is_configured(signed):
    assert "device-code" not in [offer.kind for offer in signed({})._offers]


@pytest.mark.parametrize("kind", CREDENTIALS)
def test_each_word_of_the_configuration_is_a_way(signed, kind, environ):
    assert signed(environ, azure__credential=kind).label


def test_a_secret_is_in_no_repr(signed, environ):
    who = signed(environ)
    token = who.token(REGISTRY_SCOPE).value
    shown = f"{who._offers!r}{who._way!r}{vars(who)!r}"
    assert environ["AZURE_CLIENT_SECRET"] not in shown
    assert token not in shown


def test_the_library_is_not_imported_until_it_is_wanted():
    made = library.Library("device-code", PUBLIC)
    assert made.asks_a_person
    with pytest.raises(NoIdentity) as caught:
        made.token(REGISTRY_SCOPE)
    assert caught.value.hint == library.REMEDY
