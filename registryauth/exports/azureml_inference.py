"""``inferenceconfig.json`` of Azure Machine Learning's v1 CLI, read and written, and ``azureml_environment.json`` with it.

Sources: Microsoft Learn "Deploy a model using a custom Docker base image" (2019: ``baseImage``, and ``baseImageRegistry`` as a
string, at the top), "Inference configuration schema" (later: both in ``environment.docker``, ``baseImageRegistry`` as an object
of ``address``, ``username`` and ``password``); azureml-core 1.61 ``Environment.load_from_directory`` (an environment by itself:
``docker`` is at the top).
"""

from __future__ import annotations

import json

from registryauth._json import Node
from registryauth.errors import ConfigurationError
from registryauth.exports.azureml import name as environment_name
from registryauth.exports.azureml import registry_object
from registryauth.exports.azureml_image import TARGET, BaseImage, base_image, one
from registryauth.exports.document import Document
from registryauth.exports.options import PLAIN, Options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from registryauth.resolver import PullSecret

#: What the file is called in messages.
FILE = "inferenceconfig.json"


class _Fields:
    """Where the fields are: in ``environment.docker``, in ``docker`` of an environment, or at the top in files of 2019."""

    def __init__(self, document: object, what: str = FILE) -> None:
        top = Node(document, what)
        environment, docker = top.field("environment"), top.field("docker")
        self.place = environment.field("docker") if environment else docker or top
        self.image = self.place.field("baseImage").text()
        self.dockerfile = self.place.field("baseDockerfile").text()
        self.registry = self.place.field("baseImageRegistry")


def read(document: object, what: str = FILE) -> BaseImage | None:
    """The base image in *document*, None where it names none and Azure's own is meant; *what* names it in messages.

    Raise `ConfigurationError` naming the field for another shape, and where a ``baseDockerfile`` stands beside
    it: Azure takes one of them.
    """
    fields = _Fields(document, what)
    if fields.image and fields.dockerfile:
        raise ConfigurationError(f"{what} has a baseImage and a baseDockerfile, and {TARGET} takes one of them", hint="remove one")
    if not fields.image:
        return None
    if isinstance(fields.registry.value, str):
        return BaseImage(fields.image, fields.registry.text())
    address, username, password = (fields.registry.field(name).text() for name in ("address", "username", "password"))
    return BaseImage(fields.image, address, username, password)


def dockerfile(document: object) -> bool:
    """Whether *document* has a ``baseDockerfile``, whose own FROM lines say what is pulled."""
    return bool(_Fields(document).dockerfile)


def write(document: Mapping[str, Any], secret: PullSecret) -> dict[str, Any]:
    """*document* with the image of *secret* as its base image, everything else kept; it stays in the form that it has.

    A standalone registry's address, user name and password become an object; for a workspace's and a public one a file of
    2019 keeps the address alone, as a string, and a later one has None for all three. Raise what `azureml.apply` does.
    """
    fields = _Fields(document)
    found = base_image(secret)
    registry: object = registry_object(found)
    if fields.place.path == "" and not found.password:
        registry = secret.reference.registry.host
    changed = {"baseImage": found.image, "baseImageRegistry": registry}
    written = dict(document)
    if fields.place.path == "":
        return written | changed
    # Of the two Azure takes one, and the other was meant to go.
    docker = {key: node.value for key, node in fields.place.fields() if key != "baseDockerfile"} | {"enabled": True} | changed
    if fields.place.path == "docker":
        return written | {"docker": docker}
    return written | {"environment": dict(document["environment"]) | {"docker": docker}}


def export(secrets: Sequence[PullSecret], options: Options = PLAIN) -> Document:
    """What an ``inferenceconfig.json`` says of the image, ``entryScript`` and the rest to be added; raise what `write` does."""
    secret = one(secrets)
    document = write({"environment": {"name": environment_name(options)}}, secret)
    return Document("application/json", json.dumps(document, indent=2) + "\n", secret=bool(base_image(secret).password))
