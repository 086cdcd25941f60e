"""Azure's clouds: named, told by a registry's host, read from their own words."""

from __future__ import annotations

import json

import pytest

from registryauth._http.messages import Request
from registryauth._origin import Url
from registryauth.azure.clouds import CHINA, CLOUDS, PUBLIC, US_GOVERNMENT, cloud_from_metadata, cloud_named, cloud_of
from registryauth.errors import ConfigurationError
from registryauth.reference import Registry
from registryauth.testing import AzureSimulator


@pytest.mark.parametrize("cloud", CLOUDS, ids=lambda cloud: cloud.name)
def test_a_cloud_is_found_by_its_name_in_any_case(cloud):
    assert cloud_named(cloud.name.upper()) is cloud


def test_no_name_is_the_public_cloud():
    assert cloud_named("") is PUBLIC


def test_a_name_that_no_cloud_has_is_answered_with_those_there_are():
    with pytest.raises(ConfigurationError, match="there is no Azure cloud 'AzureMoon'") as caught:
        cloud_named("AzureMoon")
    assert all(cloud.name in caught.value.hint for cloud in CLOUDS)


@pytest.mark.parametrize(
    ("host", "cloud"),
    [
        ("myregistry.azurecr.io", PUBLIC),
        ("myregistry-e7ggejfuhzhgedc8.azurecr.io", PUBLIC),
        ("myregistry.azurecr.cn", CHINA),
        ("myregistry.azurecr.us", US_GOVERNMENT),
        ("myregistry.azurecr.io.evil.example", None),
        ("docker.io", None),
    ],
)
def test_a_registry_is_in_the_cloud_whose_suffix_it_has(host, cloud):
    assert cloud_of(Registry.parse(host)) is cloud


def test_scopes_are_the_audiences_with_their_default_permissions():
    assert PUBLIC.management_scope == "https://management.azure.com/.default"
    assert US_GOVERNMENT.graph_scope == "https://graph.microsoft.us/.default"


def metadata(cloud, version):
    url = Url.parse(f"{cloud.management}/metadata/endpoints?api-version={version}")
    return json.loads(AzureSimulator(cloud=cloud).handle(Request("GET", url)).read(1 << 20))


@pytest.mark.parametrize("version", ["2019-05-01", "2022-09-01"])
@pytest.mark.parametrize("cloud", CLOUDS, ids=lambda cloud: cloud.name)
def test_a_cloud_reads_as_it_is_in_our_table_from_its_own_metadata(cloud, version):
    read = cloud_from_metadata(str(cloud.management), metadata(cloud, version))
    assert read.replace(audience=cloud.audience, provider_cloud=cloud.provider_cloud) == cloud
    assert read.audience.startswith("https://management.")


def test_of_several_clouds_the_one_that_was_asked_is_taken():
    several = [*metadata(PUBLIC, "2019-05-01"), *metadata(CHINA, "2019-05-01")]
    assert cloud_from_metadata("https://management.chinacloudapi.cn/", several).registry_suffix == ".azurecr.cn"


def changed(**fields):
    said = metadata(PUBLIC, "2022-09-01")
    for path, value in fields.items():
        inner, *rest = path.split("__")
        if rest:
            said[inner][rest[0]] = value
        else:
            said[inner] = value
    return said


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({}, "suffixes.acrLoginServer"),
        (changed(authentication__loginEndpoint=None), "authentication.loginEndpoint"),
        (changed(authentication__loginEndpoint="http://login.example/"), "authentication.loginEndpoint"),
        (changed(authentication__loginEndpoint=["https://login.example/"]), "authentication.loginEndpoint"),
        (changed(authentication="none"), "authentication"),
        (changed(authentication__audiences="https://management.azure.com"), "authentication.audiences"),
        (changed(resourceManager="management.azure.com"), "resourceManager"),
        (changed(microsoftGraphResourceId=""), "microsoftGraphResourceId"),
        (changed(suffixes__acrLoginServer=""), "suffixes.acrLoginServer"),
        (changed(suffixes__acrLoginServer="io"), "suffixes.acrLoginServer"),
        (changed(suffixes__acrLoginServer="azurecr.io/x"), "suffixes.acrLoginServer"),
    ],
)
def test_metadata_that_cannot_be_used_names_the_field(said, field):
    with pytest.raises(ConfigurationError) as caught:
        cloud_from_metadata("https://management.azure.com", said)
    assert field in caught.value.message


@pytest.mark.parametrize("said", [[], "a string", None])
def test_what_is_no_metadata_at_all_is_refused(said):
    with pytest.raises(ConfigurationError, match=r"the metadata of https://management\.example"):
        cloud_from_metadata("https://management.example", said)


def test_a_cloud_on_this_machine_may_do_without_tls():
    said = changed(authentication__loginEndpoint="http://127.0.0.1:8080/", resourceManager="", microsoftGraphResourceId="http://[::1]:1/")
    assert str(cloud_from_metadata("http://127.0.0.1:8080", said).authority) == "http://127.0.0.1:8080"
