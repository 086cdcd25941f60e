"""The tour through Azure, in the order of Azure ML's how-to "Deploy a model using a custom Docker base image" (August 2019)."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

from registryauth.demo.stage import OURS, Said, Stage, Step, staged
from registryauth.errors import Error
from registryauth.testing.azure import App, AzureRegistry, AzureSimulator, Build, Workspace
from registryauth.testing.file_systems import add_base_image

_WORKSPACE = "my-workspace"
_GROUP = "ml"
_STANDALONE = "demoregistry"
_HOST = f"{_STANDALONE}.azurecr.io"
_IMAGE = f"{_HOST}/team/base:v1"
_PUBLIC = "mcr.microsoft.com/azureml/onnxruntime:latest"
_DERIVED = "azureml/azureml_0123456789abcdef0123456789abcdef"
_ENVIRONMENT = "azureml_environment.json"
_DOCKERFILE = """\
FROM ubuntu:16.04
COPY miniconda.sh /tmp/
RUN /bin/bash /tmp/miniconda.sh -b -p /opt/miniconda
ENV PATH=/opt/miniconda/bin:$PATH
RUN conda install -y conda=4.5.12 python=3.6
"""


def tour() -> Iterator[Step]:
    """Each step when it is done; raise `Error` where one failed."""
    azure = AzureSimulator()
    me = azure.home.app("me", graph={"Application.ReadWrite.OwnedBy"})
    for role in ("Contributor", "User Access Administrator", "AcrPull"):
        azure.assign(me, role)
    azure.registry(_STANDALONE, group=_GROUP, sku="Standard")
    add_base_image(azure.registries[0].images, "team/base", "v1")
    workspace = azure.workspace(_WORKSPACE, group=_GROUP)
    with azure.environment() as reached, staged(reached | _signed_in(me)) as stage:
        yield from _workspace_registry(stage, workspace)
        # The model was trained on the way: it is the registry of then.
        registry = workspace.train()
        yield from _base_image(stage, registry)
        yield from _standalone_registry(stage)
        yield stage.show("A public image: nothing to send", "resolve", _PUBLIC)
        yield from _deployment(stage, f"{registry.login_server}/base:v1")
        yield from _rotation(stage)


def _signed_in(me: App) -> dict[str, str]:
    return {"AZURE_TENANT_ID": me.tenant.id, "AZURE_CLIENT_ID": me.app_id, "AZURE_CLIENT_SECRET": me.add_secret().value}


def _workspace_registry(stage: Stage, workspace: Workspace) -> Iterator[Step]:
    yield Step(
        "An Azure runs on this machine; it is simulated, and nothing reaches the real one",
        "(embedded: Entra, Graph, resource management, registries, builds)",
        f"it holds the workspace {workspace.name}, which is new, and the registry {_HOST} with an image in it;\n"
        "AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET say as whom we are signed in",
    )
    settings = f'[workspaces.{workspace.name}]\nsubscription = "{workspace.azure.subscription}"\nresource_group = "{workspace.group}"\n'
    config = os.path.join(stage.home, ".config", "registryauth", "config.toml")
    yield stage.write("The configuration says which workspace is ours", config, settings, "cat ~/.config/registryauth/config.toml")
    lookup = ("azure", "workspace-registry", workspace.name)
    yield stage.show("Which registry does it have? A new workspace has none", *lookup, status=3)

    workspace.train().images.add_image(_DERIVED, "latest", (b"what a run was in",))
    yield stage.show("A model is trained (simulated), and with that Azure ML makes a registry", *lookup)
    title = "The image of a run is looked for in there; Azure ML itself needs no user name and no password for it"
    yield stage.show(title, "resolve", _DERIVED)
    yield stage.show("… and nor do we: a token of Entra's is traded for the registry's", "digest", _DERIVED)


def _base_image(stage: Stage, registry: AzureRegistry) -> Iterator[Step]:
    registry.build = Build(image=add_base_image)
    stage.put("miniconda.sh", "# in place of Miniconda's installer\n")
    yield stage.write("A base image of our own", "Dockerfile", _DOCKERFILE)
    build = ("azure", "acr", "build", "--image", "base:v1", "--registry", registry.name, "--file", "Dockerfile", ".")
    yield stage.show("… is built in the workspace's registry (simulated: an image as that Dockerfile makes one is put there)", *build)
    check = ("image", "check", f"{registry.login_server}/base:v1", "--profile", "azureml-2019")
    yield stage.show("Does it have what Azure ML asks for? Its layers are read; it is neither run nor pulled", *check)


def _standalone_registry(stage: Stage) -> Iterator[Step]:
    create = ("azure", "principal", "create", "deploy-tool", "--registry", _STANDALONE, "--expires", "60d", "--owner", "ml-platform")
    yield stage.show("A standalone registry takes a service principal: it is made, gets AcrPull, and its secret is stored", *create)
    yield stage.show("Can it pull, and no more than that?", "principal", "verify", _IMAGE.removesuffix(":v1"))
    yield stage.show("A deploy tool resolves the pull secret", "resolve", _IMAGE)


def _deployment(stage: Stage, base: str) -> Iterator[Step]:
    said, written = _environment(stage)
    password = written["docker"]["baseImageRegistry"].pop("password")
    if not password:
        raise Error(f"{_ENVIRONMENT} has no password", hint=OURS)
    written["docker"]["baseImageRegistry"]["password"] = "(in the file, not shown here)"  # noqa: S105 - in place of one
    title = "For the standalone registry the environment has all three: address, user name, password"
    yield Step(title, f"{said.typed} && cat {_ENVIRONMENT}", json.dumps(written, indent=2))

    name = "inferenceconfig.json"
    said = stage.run("resolve", base, "--format", "azureml-inferenceconfig", "--name", "my-env", "--output-file", name)
    yield Step("For the workspace's own it has the image's name, and no secret", f"{said.typed} && cat {name}", stage.read(name).rstrip())

    stage.put("deploymentconfig.json", '{"computeType": "aks"}\n')
    check = ("azureml", "check", "--ic", name, "--dc", "deploymentconfig.json", "--ct", "my-cluster")
    yield stage.show("Who pulls what is deployed like that, and can they?", *check)


def _environment(stage: Stage) -> tuple[Said, Any]:
    """Have the standalone registry's environment written, and give what is in it."""
    said = stage.run("resolve", _IMAGE, "--format", "azureml-environment", "--name", "my-env", "--output-file", _ENVIRONMENT)
    return said, json.loads(stage.read(_ENVIRONMENT))


def _rotation(stage: Stage) -> Iterator[Step]:
    before = stage.read(_ENVIRONMENT)
    yield stage.show("Which secrets end within 90 days?", "principal", "list", "--expiring", "90d", status=7)
    rotate = ("principal", "rotate", _HOST, "--source", "entra", "--lifetime", "180d", "--keep-old", "0d")
    yield stage.show("Entra makes the next one; it is proven before it takes the old one's place", *rotate)
    said, _ = _environment(stage)
    if stage.read(_ENVIRONMENT) == before:
        raise Error(f"{_ENVIRONMENT} has the old secret still", hint=OURS)
    yield Step("The file that has the old one is written anew", said.typed, f"{_ENVIRONMENT} has another password now")
    yield stage.show("The old one is removed here and at Entra; nothing else of the application is touched", "principal", "prune", "--all")
