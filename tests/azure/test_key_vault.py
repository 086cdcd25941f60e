"""A token for Key Vault, and what the vault's store says where there is none."""

from __future__ import annotations

from urllib.parse import parse_qs

import pytest

from registryauth._origin import Url
from registryauth.azure import clouds, library
from registryauth.azure.key_vault import VaultToken, cloud_of_vault
from registryauth.azure.wire import Wire
from registryauth.errors import ConfigurationError, StoreLocked, TransportError
from registryauth.stores.remote import Unreachable
from registryauth.testing import KeyVaultSimulator, answers

VAULT = Url.parse("https://team.vault.azure.net")
SECRET = {"PATH": "", "AZURE_TENANT_ID": "a-tenant", "AZURE_CLIENT_ID": "client-1", "AZURE_CLIENT_SECRET": "canary-secret"}


class Nobody:
    def send(self, request):
        raise TransportError("no route to host", hint="h")

    def close(self):
        pass


@pytest.fixture(autouse=True)
def _without_azure_identity(monkeypatch):
    """Whether or not it is installed where this runs."""
    monkeypatch.setattr(library, "is_installed", lambda: False)


@pytest.fixture
def simulator(clock):
    return KeyVaultSimulator(clients={"client-1": "canary-secret"}, clock=clock)


@pytest.fixture
def a_token(config, simulator, clock):
    def a_token(environ, *, far=None, near=None, vault=VAULT, **flags):
        wire = Wire(far or simulator.transport(), near or Nobody())
        return VaultToken(config(None, **flags), environ, vault, wire, clock)

    return a_token


@pytest.mark.parametrize(
    ("host", "cloud"),
    [
        ("team.vault.azure.net", clouds.PUBLIC),
        ("team.vault.azure.cn", clouds.CHINA),
        ("team.vault.usgovcloudapi.net", clouds.US_GOVERNMENT),
    ],
)
def test_each_cloud_has_its_authority_and_audience(host, cloud) -> None:
    assert cloud_of_vault(Url.parse(f"https://{host}"), {}) == (cloud, f"https://{host.partition('.')[2]}/.default")


@pytest.mark.parametrize(
    "host", ["vault.azure.net", "team.vault.azure.net.evil.example", "evilvault.azure.net", "team.vault.azure.nte", "vault.example"]
)
def test_a_host_outside_of_azure_gets_no_token(host, a_token) -> None:
    with pytest.raises(ConfigurationError, match="is no key vault"):
        a_token(SECRET, vault=Url.parse(f"https://{host}"))


def test_the_environment_cannot_send_a_secret_to_another_authority(a_token) -> None:
    with pytest.raises(ConfigurationError, match=r"AZURE_AUTHORITY_HOST is https://evil\.example"):
        a_token(SECRET | {"AZURE_AUTHORITY_HOST": "https://evil.example"})
    with pytest.raises(ConfigurationError, match="plain http"):
        a_token(SECRET | {"AZURE_AUTHORITY_HOST": "http://evil.example"})
    a_token(SECRET | {"AZURE_AUTHORITY_HOST": "https://login.microsoftonline.com/"})


def test_a_vault_on_this_machine_is_a_simulator_with_an_authority_of_its_own(a_token, simulator) -> None:
    a_token(SECRET | {"AZURE_AUTHORITY_HOST": "http://127.0.0.1:9"}, vault=Url.parse("http://127.0.0.1:8443"))()
    a_token(SECRET, vault=Url.parse("http://127.0.0.1:8443"))()
    assert [str(request.url.origin) for request in simulator.requests] == ["http://127.0.0.1:9", "http://127.0.0.1:8443"]


def test_a_client_secret_goes_to_the_tenants_endpoint_as_a_form(simulator, a_token) -> None:
    assert a_token(SECRET)() in simulator.tokens
    (request,) = simulator.requests
    assert (request.method, str(request.url)) == ("POST", "https://login.microsoftonline.com/a-tenant/oauth2/v2.0/token")
    assert {name: value[0] for name, value in parse_qs(request.body.decode()).items()} == {
        "grant_type": "client_credentials", "client_id": "client-1", "client_secret": "canary-secret", "scope": "https://vault.azure.net/.default",
    }  # fmt: skip


def test_a_token_is_kept_until_shortly_before_its_end(simulator, clock, a_token) -> None:
    token = a_token(SECRET)
    first = token()
    clock.now += 3600 - 121
    assert token() == first
    clock.now += 2
    assert token() != first
    assert len(simulator.requests) == 2


def test_a_refused_token_is_replaced_once(simulator, a_token) -> None:
    token = a_token(SECRET)
    first = token()
    second = token(first)
    assert second != first
    assert token(first) == second, "another thread has replaced it already"


def test_a_wrong_secret_is_refused_without_being_shown(simulator, a_token) -> None:
    with pytest.raises(StoreLocked, match=r"Entra refused the service principal client-1: its client secret is wrong") as caught:
        a_token(SECRET | {"AZURE_CLIENT_SECRET": "canary-wrong"})()
    assert "canary" not in str(caught.value) + caught.value.hint
    assert len(simulator.requests) == 1, "a wrong secret is one attempt"


def test_an_authority_that_repeats_the_secret_is_not_quoted(simulator, a_token) -> None:
    simulator.handle = lambda request: answers.document(request, 400, {"error": "x", "error_description": "no canary-secret"})
    with pytest.raises(StoreLocked, match=r"no \*\*\*"):
        a_token(SECRET)()


def test_a_workload_presents_the_token_that_kubernetes_keeps_fresh(simulator, a_token, tmp_path) -> None:
    file = tmp_path / "token"
    environ = {name: SECRET[name] for name in ("PATH", "AZURE_TENANT_ID", "AZURE_CLIENT_ID")} | {"AZURE_FEDERATED_TOKEN_FILE": str(file)}
    token = a_token(environ, azure__credential="workload-identity")
    with pytest.raises(StoreLocked, match="cannot be read"):
        token()
    file.write_text("assertion-2\n")
    simulator.assertions.add("assertion-2")
    assert token() in simulator.tokens
    form = parse_qs(simulator.requests[-1].body.decode())
    assert form["client_assertion"] == ["assertion-2"]


def test_without_variables_the_machine_is_asked_directly(simulator, a_token) -> None:
    simulator.has_managed_identity = True
    token = a_token({"PATH": "", "AZURE_CLIENT_ID": "client-2"}, far=Nobody(), near=simulator.transport())
    assert token() in simulator.tokens
    assert token.label == "the managed identity client-2 of this machine"
    probe, request = simulator.requests
    assert probe.header("metadata") == ""
    assert str(request.url) == (
        "http://169.254.169.254/metadata/identity/oauth2/token"
        "?api-version=2018-02-01&resource=https%3A%2F%2Fvault.azure.net&client_id=client-2"
    )


def test_where_nobody_says_who_we_are_that_is_no_outage(a_token) -> None:
    """Else a cache would answer for a machine that has lost its identity."""
    with pytest.raises(StoreLocked, match="nobody here is signed in to Azure") as caught:
        a_token({"PATH": ""})()
    assert "registryauth[azure]" in caught.value.hint


def test_an_authority_that_is_away_is_an_outage(a_token) -> None:
    with pytest.raises(Unreachable):
        a_token(SECRET, far=Nobody())()


@pytest.mark.parametrize("body", [{}, {"access_token": ""}, {"access_token": "a b", "expires_in": 5}])
def test_an_answer_without_a_token_is_none(simulator, a_token, body) -> None:
    simulator.handle = lambda request: answers.document(request, 200, body)
    with pytest.raises(StoreLocked, match="without a token"):
        a_token(SECRET)()


def test_who_signs_in_is_known_before_anybody_is_asked(simulator, a_token) -> None:
    """A cache of the vault's answers is for one account."""
    assert a_token(SECRET).label == "the service principal client-1"
    assert simulator.requests == []


def test_closing_it_closes_both_ways(simulator, config, clock) -> None:
    wire = Wire(simulator.transport(), simulator.transport())
    VaultToken(config(None), SECRET, VAULT, wire, clock).close()
    assert wire.far.closed
    assert wire.near.closed
