"""The identity of the machine that we run on."""

from __future__ import annotations

import pytest

from registryauth.azure.clouds import REGISTRY_SCOPE
from registryauth.azure.managed_identity import from_environment, imds
from registryauth.errors import AzureError, ConfigurationError, NoIdentity, TransportError
from registryauth.testing import answers


@pytest.fixture
def pauses():
    return []


@pytest.fixture
def machine(azure, clock, pauses):
    azure.machines.identity = azure.home.app("vm")

    def machine(**more):
        return imds(azure.transport(), clock=clock, sleep=pauses.append, **more)

    return machine


def test_imds_is_asked_in_its_own_words(azure, machine, clock):
    token = machine(client_id=azure.machines.identity.app_id).token(REGISTRY_SCOPE)
    (request,) = azure.requests
    assert str(request.url) == (
        "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01"
        f"&resource=https%3A%2F%2Fcontainerregistry.azure.net&client_id={azure.machines.identity.app_id}"
    )
    assert request.header("metadata") == "true"
    assert token.expires_at == clock.now + azure.entra.lifetime


@pytest.mark.parametrize("status", [404, 410, 429, 500, 503])
def test_what_passes_is_waited_for_a_little_more_than_seventy_seconds(azure, machine, pauses, status):
    azure.fault(lambda request: answers.empty(request, status) if len(azure.requests) < 7 else None)
    assert machine().token(REGISTRY_SCOPE).value
    assert 70 <= sum(pauses) < 80


def test_what_does_not_pass_is_said(azure, machine):
    azure.fault(lambda request: answers.empty(request, 410))
    with pytest.raises(AzureError, match=r"was refused a token \(status 410\)"):
        machine().token(REGISTRY_SCOPE)
    assert len(azure.requests) == 7


def test_a_wait_of_an_hour_is_told_and_not_waited_for(azure, machine, pauses):
    azure.fault(lambda request: answers.empty(request, 429, [("retry-after", "3600")]))
    with pytest.raises(AzureError, match="asked for tokens too often") as caught:
        machine().token(REGISTRY_SCOPE)
    assert (pauses, caught.value.hint) == ([], "wait 3600 s, then try again")


def test_a_machine_without_an_identity_has_none(azure, machine):
    azure.machines.identity = None
    with pytest.raises(NoIdentity, match="Identity not found"):
        machine().token(REGISTRY_SCOPE)


def test_an_audience_that_is_not_known_is_another_error(azure, machine):
    azure.entra.audiences.discard("https://containerregistry.azure.net")
    with pytest.raises(AzureError) as caught:
        machine().token(REGISTRY_SCOPE)
    assert (type(caught.value), caught.value.code) == (AzureError, "AADSTS500011")


def test_docker_desktops_own_answer_means_nobody(azure, machine):
    azure.fault(lambda request: answers.document(request, 403, {"message": "A socket operation was attempted to an unreachable network."}))
    with pytest.raises(NoIdentity, match="does not reach it"):
        machine().token(REGISTRY_SCOPE)


def test_where_there_is_no_such_service_nobody_waits(clock):
    class Nowhere:
        def send(self, request):
            raise TransportError("no route to host")

    with pytest.raises(NoIdentity, match="no managed identity: no route to host"):
        imds(Nowhere(), clock=clock, sleep=lambda _: pytest.fail("waited")).token(REGISTRY_SCOPE)


@pytest.mark.parametrize("status", [200, 401, 404, 503])
def test_another_clouds_metadata_service_is_recognised_and_left_alone(azure, machine, status):
    azure.fault(lambda request: answers.content(request, status, "text/plain", b"latest"))
    with pytest.raises(NoIdentity, match="is not Azure's"):
        machine(probe=True).token(REGISTRY_SCOPE)
    assert len(azure.requests) == 1
    assert azure.requests[0].header("metadata") == ""


def test_azures_own_is_found_by_what_it_says_without_its_header(azure, machine):
    assert machine(probe=True).token(REGISTRY_SCOPE).value
    assert len(azure.requests) == 2


def test_nothing_is_followed(azure, machine):
    azure.fault(lambda request: answers.empty(request, 302, [("location", "http://evil.example/")]))
    with pytest.raises(AzureError, match="302"):
        machine().token(REGISTRY_SCOPE)
    assert len(azure.requests) == 1


@pytest.mark.parametrize("style", ["number", "date"])
@pytest.mark.parametrize("kind", ["app service", "azure ml"])
def test_a_platforms_endpoint_is_asked_with_its_secret(azure, clock, kind, style):
    azure.machines.identity, azure.machines.style = azure.home.app("app"), style
    environ = azure.machines.environment("http://127.0.0.1:41056", kind)
    source = from_environment(azure.transport(), environ, azure.machines.identity.app_id, clock=clock)
    assert source.token(REGISTRY_SCOPE).expires_at == clock.now + azure.entra.lifetime
    (request,) = azure.requests
    version, chooser, header = (
        ("2019-08-01", "client_id", "x-identity-header") if kind == "app service" else ("2017-09-01", "clientid", "secret")
    )
    assert request.url.target == (
        f"/msi/token?api-version={version}&resource=https%3A%2F%2Fcontainerregistry.azure.net&{chooser}={azure.machines.identity.app_id}"
    )
    assert request.header(header) == azure.machines.secret
    assert azure.machines.secret not in repr(request)


def test_azure_mls_own_identity_is_the_default_one(azure):
    environ = azure.machines.environment("http://10.0.0.4:8080", "azure ml") | {"DEFAULT_IDENTITY_CLIENT_ID": "c-7"}
    assert from_environment(azure.transport(), environ).label == "the managed identity c-7 of this compute"


@pytest.mark.parametrize(
    "environ", [{}, {"IDENTITY_ENDPOINT": "http://127.0.0.1/x"}, {"MSI_ENDPOINT": "http://127.0.0.1/x"}, {"IDENTITY_HEADER": "x"}]
)
def test_without_both_of_its_variables_there_is_none(environ):
    assert from_environment(None, environ) is None


@pytest.mark.parametrize("endpoint", ["http://evil.example/token", "http://203.0.113.0.example/", "http://8.8.8.8/token", "not a url"])
@pytest.mark.parametrize("names", [("IDENTITY_ENDPOINT", "IDENTITY_HEADER"), ("MSI_ENDPOINT", "MSI_SECRET")])
def test_the_secret_of_an_endpoint_does_not_leave_this_machines_network(endpoint, names):
    with pytest.raises(ConfigurationError, match=names[0]):
        from_environment(None, dict(zip(names, (endpoint, "canary"), strict=True)))
