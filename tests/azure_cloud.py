"""The Azure that the documentation speaks of, and the environment of somebody who is signed in to it."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from registryauth.testing.azure import AzureSimulator

from .real.certificates import Authority

SUBSCRIPTION = "7b5c2b4e-0000-4000-8000-000000000001"
CLIENT_ID = "0f5c2f6e-0000-4000-8000-000000000002"
SECRET = "the secret of the service principal in the documentation"
HOSTS = ["login.microsoftonline.com", "management.azure.com", "graph.microsoft.com", "*.azurecr.io", "*.blob.core.windows.net"]


def a_cloud() -> AzureSimulator:
    """Two workspaces in the resource group ``ml``, one with a registry, and a registry of nobody's beside them."""
    azure = AzureSimulator()
    azure.subscription = SUBSCRIPTION
    me = azure.tenant().app("me", app_id=CLIENT_ID)
    me.add_secret(value=SECRET)
    azure.assign(me, "Contributor")
    azure.assign(me, "AcrPull")
    registry = azure.registry("myworkspace", group="ml", admin=True, sku="Standard")
    registry.images.add_image("azureml/azureml_0123456789abcdef0123456789abcdef", "latest", layers=[b"a layer"])
    azure.workspace("my-workspace", group="ml", registry=registry)
    azure.workspace("new-workspace", group="ml")
    azure.registry("myregistry", group="ml", sku="Standard").images.add_image("team/model", "v1", layers=[b"a layer"])
    return azure


@contextmanager
def signed_in(page: Path, directory: Path, home: Path) -> Iterator[dict[str, str]]:
    """What the environment of a person says who is signed in there, and has *page*'s first TOML block for a configuration."""
    azure, authority = a_cloud(), Authority(directory)
    if block := re.search(r"^```toml\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
        (home / ".config/registryauth").mkdir(parents=True, exist_ok=True)
        (home / ".config/registryauth/config.toml").write_text(block[1])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("azure", hosts=HOSTS))
    me = azure.home.apps[0]
    with azure.proxy(context) as proxy:
        yield {
            "HTTPS_PROXY": proxy, "SSL_CERT_FILE": str(authority.ca_file),
            "AZURE_TENANT_ID": azure.home.id, "AZURE_CLIENT_ID": me.app_id, "AZURE_CLIENT_SECRET": SECRET,
        }  # fmt: skip
