"""A token for Key Vault from the environment, against the simulator's endpoints."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from urllib.parse import parse_qs

import pytest

from registryauth._origin import Url
from registryauth.errors import ConfigurationError, StoreLocked, StoreUnavailable, TransportError
from registryauth.stores import azure_login
from registryauth.stores.azure_login import AzureLogin, Cloud, cloud_of
from registryauth.stores.remote import Unreachable
from registryauth.testing import KeyVaultSimulator, answers

AZURE = Cloud("https://login.microsoftonline.com", "https://vault.azure.net")
SECRET = {"AZURE_TENANT_ID": "a-tenant", "AZURE_CLIENT_ID": "client-1", "AZURE_CLIENT_SECRET": "canary-secret"}


class Clock:
    now = 1_700_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def simulator(clock):
    return KeyVaultSimulator(clients={"client-1": "canary-secret"}, clock=clock)


@pytest.fixture(autouse=True)
def _without_azure_identity(monkeypatch):
    """Whether or not it is installed where this runs."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)


def nobody(_):
    raise TransportError("no route to host", hint="h")


def a_login(simulator, environ, clock, near=None):
    return AzureLogin(AZURE, simulator.transport().send, near or nobody, environ, clock)


@pytest.mark.parametrize(
    ("host", "authority"),
    [
        ("team.vault.azure.net", "https://login.microsoftonline.com"),
        ("team.vault.azure.cn", "https://login.chinacloudapi.cn"),
        ("team.vault.usgovcloudapi.net", "https://login.microsoftonline.us"),
    ],
)
def test_each_cloud_has_its_authority(host, authority) -> None:
    cloud = cloud_of(Url.parse(f"https://{host}"), {"AZURE_AUTHORITY_HOST": f"{authority}/"})
    assert cloud == Cloud(authority, f"https://{host.partition('.')[2]}")
    assert cloud_of(Url.parse(f"https://{host}"), {}) == cloud


@pytest.mark.parametrize(
    "host", ["vault.azure.net", "team.vault.azure.net.evil.example", "evilvault.azure.net", "team.vault.azure.nte", "vault.example"]
)
def test_a_host_outside_of_azure_gets_no_token(host) -> None:
    with pytest.raises(ConfigurationError, match="is no key vault"):
        cloud_of(Url.parse(f"https://{host}"), {})


def test_the_environment_cannot_send_a_secret_to_another_authority() -> None:
    with pytest.raises(ConfigurationError, match=r"AZURE_AUTHORITY_HOST is https://evil\.example"):
        cloud_of(Url.parse("https://team.vault.azure.net"), {"AZURE_AUTHORITY_HOST": "https://evil.example"})
    assert cloud_of(Url.parse("http://127.0.0.1:8443"), {"AZURE_AUTHORITY_HOST": "http://127.0.0.1:9"}).authority == "http://127.0.0.1:9"
    with pytest.raises(ConfigurationError, match="plain http"):
        AzureLogin(Cloud("http://evil.example", "r"), nobody, nobody, {})


def test_a_client_secret_goes_to_the_tenants_endpoint_as_a_form(simulator, clock) -> None:
    login = a_login(simulator, SECRET, clock)
    assert login() in simulator.tokens
    (request,) = simulator.requests
    assert (request.method, str(request.url)) == ("POST", "https://login.microsoftonline.com/a-tenant/oauth2/v2.0/token")
    assert {name: value[0] for name, value in parse_qs(request.body.decode()).items()} == {
        "grant_type": "client_credentials", "client_id": "client-1", "client_secret": "canary-secret", "scope": "https://vault.azure.net/.default",
    }  # fmt: skip


def test_a_tenant_cannot_change_the_path(simulator, clock) -> None:
    a_login(simulator, SECRET | {"AZURE_TENANT_ID": "../x?y"}, clock)()
    assert simulator.requests[0].url.target == "/..%2Fx%3Fy/oauth2/v2.0/token"


def test_a_token_is_kept_until_five_minutes_before_its_end(simulator, clock) -> None:
    login = a_login(simulator, SECRET, clock)
    first = login()
    clock.now += 3600 - 301
    assert login() == first
    clock.now += 2
    assert login() != first
    assert len(simulator.requests) == 2


def test_a_refused_token_is_replaced(simulator, clock) -> None:
    login = a_login(simulator, SECRET, clock)
    first = login()
    assert login(first) != first


def test_a_wrong_secret_is_refused_without_being_shown(simulator, clock) -> None:
    with pytest.raises(StoreLocked, match=r"the service principal client-1 was refused a token \(status 401: AADSTS7000215") as caught:
        a_login(simulator, SECRET | {"AZURE_CLIENT_SECRET": "canary-wrong"}, clock)()
    assert "canary" not in str(caught.value) + caught.value.hint
    assert len(simulator.requests) == 1, "a wrong secret is one attempt"


def test_an_authority_that_repeats_the_secret_is_not_quoted(simulator, clock) -> None:
    simulator.handle = lambda request: answers.document(request, 400, {"error": "x", "error_description": "no canary-secret"})
    with pytest.raises(StoreLocked, match=r"no \*\*\*"):
        a_login(simulator, SECRET, clock)()


def test_a_workload_presents_the_token_that_kubernetes_keeps_fresh(simulator, clock, tmp_path) -> None:
    file = tmp_path / "token"
    environ = {name: SECRET[name] for name in ("AZURE_TENANT_ID", "AZURE_CLIENT_ID")} | {"AZURE_FEDERATED_TOKEN_FILE": str(file)}
    login = a_login(simulator, environ, clock)
    with pytest.raises(StoreLocked, match="cannot be read"):
        login()
    file.write_text("assertion-2\n")
    simulator.assertions.add("assertion-2")
    assert login() in simulator.tokens
    form = parse_qs(simulator.requests[-1].body.decode())
    assert form["client_assertion"] == ["assertion-2"]
    assert form["client_assertion_type"] == ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"]
    assert "client_secret" not in form


def test_without_variables_the_machine_is_asked_directly(simulator, clock) -> None:
    simulator.has_managed_identity = True
    login = AzureLogin(AZURE, nobody, simulator.transport().send, {"AZURE_CLIENT_ID": "client-2"}, clock)
    assert login() in simulator.tokens
    (request,) = simulator.requests
    assert str(request.url) == (
        "http://169.254.169.254/metadata/identity/oauth2/token"
        "?api-version=2018-02-01&resource=https%3A%2F%2Fvault.azure.net&client_id=client-2"
    )
    assert request.header("metadata") == "true"


def test_where_nobody_says_who_we_are_that_is_no_outage(simulator, clock) -> None:
    """Else a cache would answer for a machine that has lost its identity."""
    with pytest.raises(StoreLocked, match="nobody says who we are to Azure: no AZURE_CLIENT_SECRET") as caught:
        a_login(simulator, {}, clock)()
    assert "registryauth[azure]" in caught.value.hint


def test_an_authority_that_is_away_is_an_outage(clock) -> None:
    with pytest.raises(Unreachable):
        AzureLogin(AZURE, nobody, nobody, SECRET, clock)()


@pytest.mark.parametrize("body", [{}, {"access_token": ""}, {"access_token": "a b", "expires_in": 5}])
def test_an_answer_without_a_token_is_none(simulator, clock, body) -> None:
    simulator.handle = lambda request: answers.document(request, 200, body)
    with pytest.raises(StoreUnavailable, match="without a token"):
        a_login(simulator, SECRET, clock)()


def test_azure_identity_is_used_where_it_is_installed(simulator, clock, monkeypatch) -> None:
    asked = []

    class ClientAuthenticationError(Exception):
        pass

    class DefaultAzureCredential:
        def __init__(self, authority):
            asked.append(authority)

        def get_token(self, scope):
            asked.append(scope)
            if len(asked) > 2:
                raise ClientAuthenticationError("az login has expired")
            return SimpleNamespace(token="from-the-library", expires_on=int(clock.now) + 3600)

    modules = {"azure": {}, "azure.core": {}, "azure.core.exceptions": {"ClientAuthenticationError": ClientAuthenticationError}}
    for name, content in (modules | {"azure.identity": {"DefaultAzureCredential": DefaultAzureCredential}}).items():
        module = ModuleType(name)
        module.__dict__.update(content)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    login = a_login(simulator, {}, clock)
    assert login() == login() == "from-the-library"
    assert asked == ["https://login.microsoftonline.com", "https://vault.azure.net/.default"]
    with pytest.raises(StoreLocked, match="az login has expired"):
        login("from-the-library")


def test_the_metadata_service_is_named_by_its_number() -> None:
    assert azure_login.METADATA == "http://169.254.169.254"
