"""A workspace's registry, pulled from by clients that we did not write, which only our helper lets in.

Azure is the simulator, under Azure's own names and over TLS: a proxy leads every name to it.
"""

from __future__ import annotations

import json
import ssl

import pytest

from registryauth.testing.azure import AzureSimulator

pytestmark = pytest.mark.real

HOSTS = ["login.microsoftonline.com", "management.azure.com", "*.azurecr.io", "*.westeurope.data.azurecr.io", "*.blob.core.windows.net"]
CANARY = "canary-8e21"


@pytest.fixture(scope="session")
def azure_certificate(authority):
    return authority.issue("azure-workspace", hosts=HOSTS)


@pytest.fixture
def azure(authority, azure_certificate, user):
    """A simulator that the user's programs reach under Azure's names, and the user signed in to it by the environment."""
    simulator = AzureSimulator()
    me = simulator.tenant().app("me")
    me.add_secret(value=CANARY)
    simulator.assign(me, "Reader")
    simulator.assign(me, "AcrPull")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*azure_certificate)
    with simulator.proxy(context) as url:
        user.environ |= {"HTTPS_PROXY": url, "SSL_CERT_FILE": str(authority.ca_file)}
        user.environ |= {"AZURE_TENANT_ID": simulator.home.id, "AZURE_CLIENT_ID": me.app_id, "AZURE_CLIENT_SECRET": CANARY}
        yield simulator


@pytest.fixture
def workspace(azure, user):
    """The configured workspace ``prod``, with an image that Azure ML built; docker and containers ask our helper for its registry."""
    workspace = azure.workspace("prod", group="ml")
    workspace.train().images.add_image("azureml/base", "v1", layers=[b"a layer"])
    (user.home / ".config/registryauth").mkdir(parents=True)
    (user.home / ".config/registryauth/config.toml").write_text(f'[workspaces.prod]\nid = "{workspace.id}"\n')
    for client in ("docker", "containers"):
        user.registryauth("setup", client, workspace.registry.login_server)
    return workspace


def test_skopeo_reads_and_copies_with_what_our_helper_gets(user, program, workspace, tmp_path):
    image = f"docker://{workspace.registry.login_server}/azureml/base:v1"
    skopeo = [program("skopeo"), "--insecure-policy"]
    shown = json.loads(user.run(*skopeo, "inspect", image).stdout)
    assert shown["Name"] == f"{workspace.registry.login_server}/azureml/base"
    user.run(*skopeo, "copy", image, f"oci:{tmp_path}/copied:v1")
    assert (tmp_path / "copied/index.json").exists()


def test_docker_reads(user, program, workspace):
    user.environ["DOCKER_HOST"] = f"unix://{user.home}/no-daemon.sock"
    done = user.run(program("docker"), "manifest", "inspect", f"{workspace.registry.login_server}/azureml/base:v1")
    assert json.loads(done.stdout)["schemaVersion"] == 2


def test_without_a_role_nobody_gets_in_and_the_secret_is_nowhere(user, program, azure, workspace):
    azure.roles.assignments.clear()
    image = f"docker://{workspace.registry.login_server}/azureml/base:v1"
    done = user.run(program("skopeo"), "--insecure-policy", "inspect", image, check=False)
    assert done.returncode != 0
    assert "you may not look at workspace prod" in done.stdout + done.stderr
    assert CANARY not in done.stdout + done.stderr


def test_our_own_command_walks_the_same_road_with_nothing_replaced(user, workspace):
    host = workspace.registry.login_server
    assert user.registryauth("azure", "workspace-registry", "prod", "--login-server").stdout == f"{host}\n"
    assert "workspace" in user.registryauth("resolve", "azureml/base:v1").stdout
    manifest = json.loads(user.registryauth("manifest", "get", "azureml/base:v1").stdout)
    assert manifest["schemaVersion"] == 2
