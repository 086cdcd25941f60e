from __future__ import annotations

import json

import pytest

from registryauth.credentials import Basic
from registryauth.errors import ConfigurationError
from registryauth.exports import Options, export
from registryauth.exports.azureml_image import BaseImage
from registryauth.exports.azureml_inference import dockerfile, read, write
from registryauth.registries import Kind

CANARY = "canary-7f3a"
IMAGE = "host.example/team/model:v1"
OF_2019 = {
    "entryScript": "score.py", "runtime": "python", "condaFile": "infenv.yml", "extraDockerfileSteps": None, "sourceDirectory": None,
    "enableGpu": False, "baseImage": "mcr.microsoft.com/azureml/base", "baseImageRegistry": "mcr.microsoft.com",
}  # fmt: skip
LATER = {
    "entryScript": "score.py",
    "environment": {"name": "mine", "python": {"userManagedDependencies": True}, "docker": {"baseDockerfile": "FROM x", "shmSize": "2g"}},
}
ALL_THREE = {"address": "host.example", "username": "me", "password": CANARY}


@pytest.mark.parametrize(
    ("document", "found"),
    [
        (OF_2019, BaseImage("mcr.microsoft.com/azureml/base", "mcr.microsoft.com")),
        ({"baseImage": "a", "baseImageRegistry": ALL_THREE}, BaseImage("a", "host.example", "me", CANARY)),
        ({"baseImage": "a"}, BaseImage("a")),
        ({"baseImage": "a", "baseImageRegistry": None}, BaseImage("a")),
        ({"environment": {"docker": {"baseImage": "a", "baseImageRegistry": ALL_THREE}}}, BaseImage("a", "host.example", "me", CANARY)),
        ({"environment": {"docker": {"baseImage": "a", "baseImageRegistry": "host.example"}}}, BaseImage("a", "host.example")),
        # The scaffold that the SDK writes.
        ({"environment": {"docker": {"baseImage": "a", "baseImageRegistry": dict.fromkeys(ALL_THREE)}}}, BaseImage("a")),
        ({"environment": {"docker": None}}, None),
        (LATER, None),
        ({}, None),
    ],
)
def test_both_forms_of_the_file_and_of_the_registry_are_read(document, found):
    assert read(document) == found


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ([], "the whole of it must be an object"),
        ({"baseImage": 5}, "baseImage must be a string"),
        ({"baseImage": "a", "baseImageRegistry": 5}, "baseImageRegistry must be an object"),
        ({"baseImage": "a", "baseImageRegistry": {"password": 5}}, "baseImageRegistry.password must be a string"),
        ({"environment": "name"}, "environment must be an object"),
        ({"environment": {"docker": {"baseImage": ["a"]}}}, "environment.docker.baseImage must be a string"),
        ({"baseImage": "a", "baseDockerfile": "FROM x"}, "takes one of them"),
    ],
)
def test_another_shape_is_refused_by_the_name_of_the_field(document, field):
    with pytest.raises(ConfigurationError, match=field):
        read(document)


def test_a_dockerfile_is_noticed():
    assert dockerfile(LATER)
    assert not dockerfile(OF_2019)


def test_a_file_of_2019_stays_one_with_the_public_registry_as_a_string(secret):
    written = write(OF_2019, secret("mcr.microsoft.com/other:2", Basic("never", "fetched")))
    assert written == OF_2019 | {"baseImage": "mcr.microsoft.com/other:2", "baseImageRegistry": "mcr.microsoft.com"}


def test_a_workspaces_registry_too(secret):
    written = write(OF_2019, secret("ws.azurecr.io/a:1", Basic("never", "fetched"), known={"ws.azurecr.io": Kind.WORKSPACE}))
    assert (written["baseImage"], written["baseImageRegistry"]) == ("ws.azurecr.io/a:1", "ws.azurecr.io")


def test_a_standalone_registry_needs_the_object(secret):
    written = write(OF_2019, secret(IMAGE, Basic("me", CANARY)))
    assert written == OF_2019 | {"baseImage": IMAGE, "baseImageRegistry": ALL_THREE}
    assert read(written) == BaseImage(IMAGE, **ALL_THREE)


def test_a_later_file_keeps_everything_but_the_dockerfile_that_was_meant_to_go(secret):
    before = json.dumps(LATER)
    written = write(LATER, secret(IMAGE, Basic("me", CANARY)))
    docker = {"shmSize": "2g", "enabled": True, "baseImage": IMAGE, "baseImageRegistry": ALL_THREE}
    assert written == LATER | {"environment": LATER["environment"] | {"docker": docker}}
    assert json.dumps(LATER) == before, "what was given is not changed"


def test_what_was_written_is_read_again(secret):
    for document in (OF_2019, LATER, {}, {"environment": {}}):
        assert read(write(document, secret(IMAGE, Basic("me", CANARY)))) == BaseImage(IMAGE, **ALL_THREE)


def test_an_environment_by_itself_is_read_and_written_too(secret):
    """``azureml_environment.json``, which has ``docker`` at its top."""
    environment = LATER["environment"] | {"docker": {"shmSize": "2g", "baseDockerfile": "FROM x"}}
    assert dockerfile(environment)
    written = write(environment, secret(IMAGE, Basic("me", CANARY)))
    docker = {"shmSize": "2g", "enabled": True, "baseImage": IMAGE, "baseImageRegistry": ALL_THREE}
    assert written == environment | {"docker": docker}
    assert read(written) == BaseImage(IMAGE, **ALL_THREE)


def test_a_file_is_called_in_messages_what_it_is_called():
    with pytest.raises(ConfigurationError, match=r"my\.json: docker\.baseImage must be a string"):
        read({"docker": {"baseImage": 1}}, "my.json")


def test_the_format_is_the_part_that_says_the_image(secret):
    document = json.loads(export([secret(IMAGE, Basic("me", CANARY))], "azureml-inferenceconfig", Options("mine")).text)
    assert document == {"environment": {"name": "mine", "docker": {"enabled": True, "baseImage": IMAGE, "baseImageRegistry": ALL_THREE}}}
