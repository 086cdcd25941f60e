"""Which cloud, and as whom."""

from __future__ import annotations

import pytest

from registryauth._origin import Url
from registryauth.azure.clouds import CHINA, PUBLIC, US_GOVERNMENT, Cloud
from registryauth.azure.settings import chosen_cloud, settings_of
from registryauth.errors import AzureError, ConfigurationError
from registryauth.reference import Registry
from registryauth.testing.azure import AzureSimulator


def reg(host):
    return Registry.parse(host)


@pytest.mark.parametrize(
    ("named", "environ", "registry", "cloud"),
    [
        ("", {}, None, PUBLIC),
        ("azurechinacloud", {}, None, CHINA),
        ("", {}, "x12345.azurecr.us", US_GOVERNMENT),
        ("", {"AZURE_AUTHORITY_HOST": "https://login.microsoftonline.us/"}, None, US_GOVERNMENT),
        ("", {"AZURE_AUTHORITY_HOST": "login.microsoftonline.us"}, "x12345.azurecr.us", US_GOVERNMENT),
        ("", {"AZURE_AUTHORITY_HOST": "login.partner.microsoftonline.cn"}, None, CHINA),
        ("AzureChinaCloud", {"AZURE_AUTHORITY_HOST": "https://login.partner.microsoftonline.cn"}, "x12345.azurecr.cn", CHINA),
        ("", {}, "registry.example", PUBLIC),
    ],
)
def test_the_cloud_is_the_one_that_everything_agrees_on(named, environ, registry, cloud):
    assert chosen_cloud(named, environ, None, registry and reg(registry)) == cloud


@pytest.mark.parametrize(
    ("named", "environ", "registry", "complaint"),
    [
        ("AzureChinaCloud", {}, "x12345.azurecr.io", "is in AzureCloud, and AzureChinaCloud is configured"),
        (
            "",
            {"AZURE_AUTHORITY_HOST": "https://login.microsoftonline.us"},
            "x12345.azurecr.io",
            "come from https://login.microsoftonline.com",
        ),
        ("", {"AZURE_AUTHORITY_HOST": "https://login.microsoftonline.com.evil.example"}, None, "no cloud's that we know"),
        ("", {"AZURE_AUTHORITY_HOST": "http://login.microsoftonline.com"}, None, "plain http"),
        ("AzureClod", {}, None, "there is no Azure cloud"),
        ("http://management.azure.com", {}, None, "plain http"),
        ("https://", {}, None, "is no URL"),
    ],
)
def test_two_that_do_not_go_together_are_refused_before_a_secret_travels(named, environ, registry, complaint):
    with pytest.raises(ConfigurationError, match=complaint) as caught:
        chosen_cloud(named, environ, None, registry and reg(registry))
    assert caught.value.hint


def test_another_cloud_describes_itself(clock):
    origin = {name: Url.parse(f"https://{name}.stack.example").origin for name in ("login", "management", "graph")}
    stack = Cloud("Stack", *origin.values(), "https://management.stack.example", ".azurecr.stack.example")
    azure = AzureSimulator(clock=clock, cloud=stack)
    found = chosen_cloud("https://management.stack.example/", {}, azure.transport())
    assert (found.name, found.authority, found.registry_suffix) == ("Stack", stack.authority, ".azurecr.stack.example")
    assert str(azure.requests[0].url) == "https://management.stack.example/metadata/endpoints?api-version=2022-09-01"


def test_a_known_cloud_by_its_management_url_is_the_known_one(azure):
    assert chosen_cloud("https://management.azure.com", {}, azure.transport()) is PUBLIC


def test_a_host_that_describes_no_cloud(azure):
    with pytest.raises(AzureError, match="does not say where its services are"):
        chosen_cloud("https://graph.microsoft.com", {}, azure.transport())


def test_flags_come_before_the_configuration_and_that_before_azures_own_variables(config):
    environ = {"AZURE_TENANT_ID": "theirs", "AZURE_CLIENT_ID": "theirs", "AZURE_SUBSCRIPTION_ID": "theirs", "AZURE_CLIENT_SECRET": "canary"}
    ours = config(azure__tenant="ours", azure__client_id="ours")
    found = settings_of(ours, environ, None, tenant="flag")
    assert (found.tenant, found.client_id, found.subscription, found.client_secret) == ("flag", "ours", "theirs", "canary")
    assert "canary" not in repr(found)
