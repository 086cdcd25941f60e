"""Azure's own Python packages read what `resolve --format` writes; each test names the distribution that it needs."""

from __future__ import annotations

import json

import pytest
import yaml

from registryauth.credentials import Basic
from registryauth.exports import Options, azureml, export
from registryauth.resolver import Resolver
from registryauth.resolver.explicit import Explicit

from .distributions import needs

# What these packages warn of is their makers' business.
pytestmark = [pytest.mark.real, pytest.mark.filterwarnings("ignore")]

PASSWORD = "p@ss/w+rd='\"$"


def secret(reference, credential):
    """The pull secret of an image whose registry takes *credential*."""
    explicit = {} if credential is None else {reference.partition("/")[0]: credential}
    return Resolver([Explicit(explicit)]).resolve(reference)


@pytest.fixture
def one():
    return [secret("my.azurecr.io/team/model:v1", Basic("0f5c", PASSWORD))]


@pytest.fixture
def none():
    return [secret("mcr.microsoft.com/azureml/x:1", None)]


@pytest.mark.parametrize(("name", "load"), [("aci", json.loads), ("aci-yaml", yaml.safe_load)])
def test_container_instances_sdk_reads_the_credentials_of_a_template(one, none, name, load):
    models = needs("azure-mgmt-containerinstance", "azure.mgmt.containerinstance.models")
    serialization = needs("azure-mgmt-containerinstance", "azure.mgmt.containerinstance._serialization")
    deserialize = serialization.Deserializer({key: kind for key, kind in vars(models).items() if isinstance(kind, type)})
    group = {"properties": load(export(one, name).text) | {"containers": [], "osType": "Linux"}}
    (found,) = deserialize("ContainerGroup", group).image_registry_credentials
    assert found.serialize() == {"server": "my.azurecr.io", "username": "0f5c", "password": PASSWORD}
    assert load(export(none, name).text) == {"imageRegistryCredentials": []}


def test_app_services_sdk_reads_the_settings(one):
    models = needs("azure-mgmt-web", "azure.mgmt.web.models")
    settings = [{"name": each["name"], "value": each["value"]} for each in json.loads(export(one, "app-service").text)]
    config = models.SiteConfig({"appSettings": settings})
    assert {each.name.rpartition("_")[2]: each.value for each in config.app_settings} == {
        "URL": "https://my.azurecr.io", "USERNAME": "0f5c", "PASSWORD": PASSWORD,
    }  # fmt: skip


def test_azure_ai_ml_loads_the_environment(one, none, tmp_path):
    ml = needs("azure-ai-ml", "azure.ai.ml")
    for given, image in ((one, "my.azurecr.io/team/model:v1"), (none, "mcr.microsoft.com/azureml/x:1")):
        (tmp_path / "environment.yml").write_text(export(given, "azureml-environment-yaml", Options("mine")).text)
        environment = ml.load_environment(tmp_path / "environment.yml")
        assert (environment.name, environment.image) == ("mine", image)


def test_azure_ai_ml_loads_the_connection_and_makes_the_same_body_of_it(one, tmp_path):
    ml = needs("azure-ai-ml", "azure.ai.ml")
    (tmp_path / "connection.yml").write_text(export(one, "azureml-connection", Options("mine")).text)
    connection = ml.load_connection(tmp_path / "connection.yml")
    assert (connection.name, connection.type, connection.target) == ("mine", "container_registry", "https://my.azurecr.io")
    assert (connection.credentials.type, connection.credentials.username) == ("username_password", "0f5c")
    ours = json.loads(export(one, "azureml-connection-arm").text)["properties"]
    assert ours.pop("metadata") == {}
    theirs = connection._to_rest_object().as_dict()["properties"]
    assert {key: value for key, value in theirs.items() if key in ours} == ours


def test_azureml_core_takes_the_environment_as_json_and_in_place(one, none, tmp_path):
    core = needs("azureml-core", "azureml.core")
    (tmp_path / "azureml_environment.json").write_text(export(one, "azureml-environment", Options("mine")).text)
    loaded, applied = core.Environment.load_from_directory(str(tmp_path)), core.Environment("mine")
    azureml.apply(one[0], applied)
    for environment in (loaded, applied):
        registry = environment.docker.base_image_registry
        assert environment.docker.base_image == "my.azurecr.io/team/model:v1"
        assert (registry.address, registry.username, registry.password) == ("my.azurecr.io", "0f5c", PASSWORD)
    azureml.apply(none[0], applied)
    registry = applied.docker.base_image_registry
    assert (registry.address, registry.username, registry.password) == (None, None, None)
