"""The Azure that the documentation speaks of, and the environment of somebody who is signed in to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from registryauth.testing.azure import AzureSimulator, Build
from registryauth.testing.file_systems import add_base_image

SUBSCRIPTION = "7b5c2b4e-0000-4000-8000-000000000001"
CLIENT_ID = "0f5c2f6e-0000-4000-8000-000000000002"
SECRET = "the secret of the service principal in the documentation"
TENANT = "3e7a5c10-0000-4000-8000-000000000006"
#: A service principal whose secret is in ``secret.txt``.
DEPLOY, DEPLOY_OBJECT = "4d9c1e77-0000-4000-8000-000000000003", "a1b2c3d4-0000-4000-8000-000000000004"
DEPLOY_KEY, DEPLOY_SECRET = "5e0f7a91-0000-4000-8000-000000000005", "a secret: with colons and spaces"


def a_cloud() -> AzureSimulator:
    """Two workspaces in the resource group ``ml``, one with a registry, and a registry of nobody's beside them."""
    azure = AzureSimulator()
    azure.subscription = SUBSCRIPTION
    me = azure.tenant().app("me", app_id=CLIENT_ID, graph={"Application.ReadWrite.All"})
    me.add_secret(value=SECRET)
    azure.home.id = TENANT
    # Client ids of what is made by the commands on a page.
    made = count(1)
    azure.home.new_id = lambda: f"b81e6d20-0000-4000-8000-{next(made):012}"
    azure.assign(me, "Contributor")
    azure.assign(me, "Owner")
    azure.assign(me, "AcrPull")
    registry = azure.registry("myworkspace", group="ml", admin=True, sku="Standard")
    registry.images.add_image("azureml/azureml_0123456789abcdef0123456789abcdef", "latest", layers=[b"a layer"])
    registry.build = Build(image=add_base_image)
    azure.workspace("my-workspace", group="ml", registry=registry)
    azure.workspace("new-workspace", group="ml")
    azure.registry("myregistry", group="ml", sku="Standard").images.add_image("team/model", "v1", layers=[b"a layer"])
    azure.registry("mybase", group="ml", sku="Standard").images.add_image("os", "1", layers=[b"a base"])
    azure.registry("sharedregistry", group="ml", sku="Standard", mode="abac").images.add_image("team/model", "v1", layers=[b"a layer"])
    deploy = azure.home.app("deploy", app_id=DEPLOY)
    deploy.object_id = DEPLOY_OBJECT
    deploy.add_secret("deploy tool", value=DEPLOY_SECRET, lifetime=180 * 86400).key_id = DEPLOY_KEY
    azure.assign(deploy, "AcrPull")
    return azure


@contextmanager
def signed_in(page: Path, home: Path) -> Iterator[dict[str, str]]:
    """What the environment of a person says who is signed in there, and has *page*'s first TOML block for a configuration."""
    azure = a_cloud()
    if block := re.search(r"^```toml\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
        (home / ".config/registryauth").mkdir(parents=True, exist_ok=True)
        (home / ".config/registryauth/config.toml").write_text(block[1])
    me = azure.home.apps[0]
    with azure.environment() as reached:
        yield reached | {"AZURE_TENANT_ID": azure.home.id, "AZURE_CLIENT_ID": me.app_id, "AZURE_CLIENT_SECRET": SECRET}
