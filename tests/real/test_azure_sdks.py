"""Microsoft's own Python clients against AzureSimulator: what it answers is what they can read.

They reach it under Azure's own host names, over TLS, through a proxy that leads every name to the simulator. Each test needs the
distributions that it names: where one is not installed it is skipped, where REGISTRYAUTH_REQUIRE names it, it fails.
"""

from __future__ import annotations

import base64
import io
import json
import ssl
import tarfile
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from registryauth.testing.azure import AzureSimulator, Build, faults

from .distributions import needs

# The clients warn of what they themselves deprecate, and leave sockets to the garbage collector.
pytestmark = [pytest.mark.real, pytest.mark.filterwarnings("ignore")]

ARM = "https://management.azure.com/.default"
ACR = "https://containerregistry.azure.net/.default"
HOSTS = [
    "login.microsoftonline.com", "management.azure.com", "graph.microsoft.com", "*.azurecr.io", "*.westeurope.data.azurecr.io",
    "*.blob.core.windows.net",
]  # fmt: skip


@pytest.fixture(scope="session")
def certificate(authority):
    return authority.issue("azure", hosts=HOSTS)


@pytest.fixture
def azure(authority, certificate, monkeypatch):
    """A simulator that this process reaches under Azure's names, and that nothing gets past."""
    simulator = AzureSimulator()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with simulator.proxy(context) as url:
        monkeypatch.setenv("HTTPS_PROXY", url)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.ca_file))
        yield simulator


@pytest.fixture
def app(azure):
    return azure.tenant().app("deploy")


@pytest.fixture
def identity():
    return needs("azure-identity", "azure.identity")


@pytest.fixture
def credential(identity, app):
    """The application's client secret."""
    return identity.ClientSecretCredential(app.tenant.id, app.app_id, app.add_secret().value, disable_instance_discovery=True)


@pytest.fixture
def registry(azure, app):
    registry = azure.registry("myregistry", admin=True)
    registry.images.add_image("team/app", "v1", (b"first layer", b"second layer"))
    azure.assign(app, "AcrPull", registry)
    return registry


@pytest.fixture
def client(registry, credential):
    """azure-containerregistry's client of `registry`, which does not sleep for what it retries."""
    module = needs("azure-containerregistry", "azure.containerregistry")
    with module.ContainerRegistryClient("https://myregistry.azurecr.io", credential, audience=ACR[:-9], retry_total=0) as client:
        yield client


def claims_of(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def refusal(identity, credential, scope=ARM):
    from azure.core.exceptions import ClientAuthenticationError

    with pytest.raises(ClientAuthenticationError) as caught:
        credential.get_token(scope)
    return str(caught.value)


def test_a_client_secret_gets_a_token_for_either_audience(azure, app, credential):
    for scope in (ARM, ACR):
        token = credential.get_token(scope)
        assert claims_of(token.token) | {"aud": scope[:-9], "appid": app.app_id, "tid": app.tenant.id} == claims_of(token.token)
        assert abs(token.expires_on - time.time() - 3599) < 30


def test_instance_discovery_is_answered_too(identity, azure, app):
    credential = identity.ClientSecretCredential(app.tenant.id, app.app_id, app.add_secret().value)
    assert claims_of(credential.get_token(ARM).token)["oid"] == app.principal_id


def test_the_ways_in_which_a_client_secret_is_refused_reach_the_client(identity, azure, app):
    def trying(tenant=app.tenant.id, client=app.app_id, secret="wrong"):
        return refusal(identity, identity.ClientSecretCredential(tenant, client, secret, disable_instance_discovery=True))

    assert "AADSTS7000215" in trying()
    assert "AADSTS7000222" in trying(secret=app.add_secret(lifetime=-1).value)
    assert "AADSTS700016" in trying(client="00000000-1111-2222-3333-444444444444")
    assert "00000000-0000-0000-0000-000000000001" in trying(tenant="00000000-0000-0000-0000-000000000001")


def test_an_audience_that_does_not_exist_is_refused(identity, credential, azure):
    assert "AADSTS500011" in refusal(identity, credential, "https://myregistry.azurecr.io/.default")


def test_a_certificate_signs_in_once_it_is_registered(identity, azure, app, authority):
    certificate, key = authority.issue("principal", rsa.generate_private_key(65537, 2048))
    pem = key.read_bytes() + certificate.read_bytes()
    credential = identity.CertificateCredential(app.tenant.id, app.app_id, certificate_data=pem, disable_instance_discovery=True)
    assert "AADSTS700027" in refusal(identity, credential)
    app.add_certificate(certificate.read_bytes())
    assert claims_of(credential.get_token(ARM).token)["appid"] == app.app_id


def test_a_workload_signs_in_with_the_token_in_its_file(identity, azure, app, tmp_path):
    def written(subject):
        parts = [
            {"alg": "none"},
            {"iss": "https://cluster.example", "sub": subject, "aud": "api://AzureADTokenExchange", "exp": time.time() + 600},
        ]
        token = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts) + "."
        (tmp_path / "token").write_text(token)
        return identity.WorkloadIdentityCredential(
            tenant_id=app.tenant.id, client_id=app.app_id, token_file_path=str(tmp_path / "token"), disable_instance_discovery=True
        )

    app.trust("https://cluster.example", "system:serviceaccount:ml:deploy")
    assert claims_of(written("system:serviceaccount:ml:deploy").get_token(ARM).token)["appid"] == app.app_id
    assert "AADSTS700213" in refusal(identity, written("system:serviceaccount:ml:other"))


@pytest.mark.parametrize("kind", ["app service", "azure ml"])
def test_a_managed_identity_gets_its_token(identity, azure, app, monkeypatch, kind):
    azure.machines.identity = app
    with azure.serve() as host:
        for name, value in azure.machines.environment(f"http://{host}", kind).items():
            monkeypatch.setenv(name, value)
        token = identity.ManagedIdentityCredential().get_token(ARM)
    assert claims_of(token.token)["oid"] == app.principal_id
    assert abs(token.expires_on - time.time() - 3599) < 30


def test_the_metadata_service_gives_the_identity_that_was_named(identity, azure, app, monkeypatch):
    azure.machines.others = [azure.tenant().app("other"), app]
    with azure.serve() as host:
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", f"http://{host}")
        token = identity.ManagedIdentityCredential(client_id=app.app_id).get_token(ARM)
    assert claims_of(token.token)["oid"] == app.principal_id


def test_a_person_signs_in_with_a_code(identity, azure):
    person = azure.tenant().user("ada@contoso.example")
    azure.entra.device_codes.interval = 1
    shown = []

    def prompt(url, code, until):
        shown.append(url)
        azure.entra.device_codes.approve(code, person)

    credential = identity.DeviceCodeCredential(
        client_id="04b07795-8ddb-461a-bbee-02f9e1bf7b46", tenant_id=azure.home.id, prompt_callback=prompt, disable_instance_discovery=True
    )
    assert claims_of(credential.get_token(ARM).token)["unique_name"] == "ada@contoso.example"
    assert shown == ["https://login.microsoftonline.com/device"]


def test_a_registry_client_lists_what_is_there(client, registry):
    digest = registry.images.shelf.tags["team/app"]["v1"]
    assert list(client.list_repository_names()) == ["team/app"]
    assert client.get_repository_properties("team/app").tag_count == 1
    assert [(tag.name, tag.digest) for tag in client.list_tag_properties("team/app")] == [("v1", str(digest))]
    (manifest,) = client.list_manifest_properties("team/app")
    assert (manifest.digest, manifest.tags, manifest.can_delete) == (str(digest), ["v1"], True)
    assert manifest.size_in_bytes > len(b"first layersecond layer")


def test_a_registry_client_reads_page_after_page(client, registry):
    for number in range(7):
        registry.images.add_image(f"many/{number}", "v1")
    assert [name for page in client.list_repository_names(results_per_page=3).by_page() for name in page] == [
        *(f"many/{number}" for number in range(7)), "team/app"
    ]  # fmt: skip


@pytest.mark.parametrize("data_endpoint", [False, True])
def test_a_registry_client_gets_a_manifest_and_follows_its_blobs_to_where_they_are(azure, client, registry, data_endpoint):
    registry.data_endpoint = data_endpoint
    registry.images.blob_redirect = f"https://{registry.blob_host}/registry/"
    manifest = client.get_manifest("team/app", "v1")
    layers = [b"".join(client.download_blob("team/app", layer["digest"])) for layer in manifest.manifest["layers"]]
    assert layers == [b"first layer", b"second layer"]
    hosts = {request.url.origin.host for request in azure.requests}
    assert ("myregistry.westeurope.data.azurecr.io" in hosts) is data_endpoint


def test_a_registry_client_pushes_with_the_right_to(azure, app, client, registry):
    from azure.core.exceptions import ClientAuthenticationError

    with pytest.raises(ClientAuthenticationError):
        client.upload_blob("team/new", io.BytesIO(b"a layer"))
    azure.assign(app, "AcrPush", registry)
    digest, size = client.upload_blob("team/new", io.BytesIO(b"a layer"))
    config, _ = client.upload_blob("team/new", io.BytesIO(b"{}"))
    image = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": 2},
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest, "size": size}],
    }
    client.set_manifest("team/new", image, tag="v2")
    assert client.get_manifest("team/new", "v2").manifest == image


def test_in_an_abac_registry_only_its_own_roles_count(azure, app, client, registry):
    from azure.core.exceptions import ClientAuthenticationError

    registry.mode = "abac"
    with pytest.raises(ClientAuthenticationError):
        client.get_manifest("team/app", "v1")
    azure.assign(app, "Container Registry Repository Reader", registry, repository="team/*")
    assert client.get_manifest("team/app", "v1").digest
    with pytest.raises(ClientAuthenticationError):
        list(client.list_repository_names())


def test_anybody_may_read_where_anonymous_pull_is_on(registry, azure):
    module = needs("azure-containerregistry", "azure.containerregistry")
    from azure.core.exceptions import ClientAuthenticationError

    with module.ContainerRegistryClient("https://myregistry.azurecr.io", audience=ACR[:-9], retry_total=0) as client:
        with pytest.raises(ClientAuthenticationError):
            client.get_manifest("team/app", "v1")
        registry.anonymous_pull = True
        assert client.get_manifest("team/app", "v1").digest


def test_a_firewall_names_the_address_that_it_keeps_out(azure, client, registry):
    from azure.core.exceptions import HttpResponseError

    registry.firewall = ("192.0.2.1",)
    with pytest.raises(HttpResponseError) as caught:
        client.get_manifest("team/app", "v1")
    assert caught.value.status_code == 403
    caught.value.response.read()
    assert "client with IP '203.0.113.7' is not allowed access" in caught.value.response.text()


def test_a_token_for_resource_management_is_refused_where_the_registry_takes_its_own_only(azure, registry, credential):
    module = needs("azure-containerregistry", "azure.containerregistry")
    from azure.core.exceptions import ClientAuthenticationError

    with module.ContainerRegistryClient("https://myregistry.azurecr.io", credential, audience=ARM[:-9], retry_total=0) as client:
        assert client.get_manifest("team/app", "v1").digest
        registry.arm_audience = False
        with pytest.raises(ClientAuthenticationError):
            client.get_manifest("team/app", "v1")


def test_the_management_client_reads_a_registry(azure, app, credential, registry):
    module = needs("azure-mgmt-containerregistry", "azure.mgmt.containerregistry")
    from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

    registry.mode, registry.firewall = "abac", ("192.0.2.1",)
    with module.ContainerRegistryManagementClient(credential, azure.subscription) as client:
        with pytest.raises(HttpResponseError, match="AuthorizationFailed"):
            client.registries.get("g", "myregistry")
        azure.assign(app, "Contributor")
        found = client.registries.get("G", "MyRegistry")
        assert (found.login_server, found.role_assignment_mode) == ("myregistry.azurecr.io", "AbacRepositoryPermissions")
        assert found.policies.azure_ad_authentication_as_arm_policy.status == "enabled"
        assert [rule.ip_address_or_range for rule in found.network_rule_set.ip_rules] == ["192.0.2.1"]
        with pytest.raises(ResourceNotFoundError):
            client.registries.get("g", "another")


def test_the_management_client_lists_page_after_page(azure, app, credential, registry):
    module = needs("azure-mgmt-containerregistry", "azure.mgmt.containerregistry")
    azure.assign(app, "Reader")
    azure.management.page_size = 2
    for number in range(4):
        azure.registry(f"another{number}")
    with module.ContainerRegistryManagementClient(credential, azure.subscription) as client:
        assert len(list(client.registries.list())) == 5


def test_the_management_client_reads_and_renews_the_admin_users_passwords(azure, app, credential, registry):
    module = needs("azure-mgmt-containerregistry", "azure.mgmt.containerregistry")
    from azure.core.exceptions import HttpResponseError

    azure.assign(app, "Contributor")
    with module.ContainerRegistryManagementClient(credential, azure.subscription) as client:
        found = client.registries.list_credentials("g", "myregistry")
        assert (found.username, {one.name: one.value for one in found.passwords}) == ("myregistry", registry.admin_passwords)
        renewed = client.registries.regenerate_credential("g", "myregistry", {"name": "password2"})
        assert {one.value for one in renewed.passwords} & {one.value for one in found.passwords} == {registry.admin_passwords["password"]}
        registry.admin_enabled = False
        with pytest.raises(HttpResponseError, match="admin user is disabled"):
            client.registries.list_credentials("g", "myregistry")


def test_the_management_client_makes_a_repository_token(azure, app, credential, registry):
    module = needs("azure-mgmt-containerregistry", "azure.mgmt.containerregistry")
    azure.assign(app, "Contributor")
    with module.ContainerRegistryManagementClient(credential, azure.subscription) as client:
        made = client.scope_maps.begin_create(
            "g", "myregistry", "pullers", {"properties": {"actions": ["repositories/team/app/content/read"]}}
        )
        token = {"properties": {"scopeMapId": made.result().id, "status": "enabled"}}
        token_id = client.tokens.begin_create("g", "myregistry", "puller", token).result().id
        given = client.registries.begin_generate_credentials("g", "myregistry", {"tokenId": token_id, "name": "password1"}).result()
    assert (given.username, [one.name for one in given.passwords]) == ("puller", ["password1"])
    assert registry.by_password("puller", given.passwords[0].value).kind == "token"


def context(dockerfile):
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as archive:
        described = tarfile.TarInfo("Dockerfile")
        described.size = len(dockerfile)
        archive.addfile(described, io.BytesIO(dockerfile))
    return held.getvalue()


def test_the_tasks_client_builds_an_image_and_reads_its_log(azure, app, credential, registry):
    tasks = needs("azure-mgmt-containerregistrytasks", "azure.mgmt.containerregistrytasks")
    blobs = needs("azure-storage-blob", "azure.storage.blob")
    azure.assign(app, "Contributor")
    registry.build = Build(duration=0.5)
    with tasks.ContainerRegistryTasksMgmtClient(credential, azure.subscription) as client:
        place = client.registries.get_build_source_upload_url("g", "myregistry")
        with blobs.BlobClient.from_blob_url(place.upload_url) as blob:
            blob.upload_blob(context(b"FROM scratch\nCOPY . /\n"), overwrite=True)
        request = {
            "type": "DockerBuildRequest", "imageNames": ["built:v1"], "isPushEnabled": True, "dockerFilePath": "Dockerfile",
            "sourceLocation": place.relative_path, "platform": {"os": "Linux", "architecture": "amd64"},
        }  # fmt: skip
        run = client.registries.schedule_run("g", "myregistry", request)
        link = client.runs.get_log_sas_url("g", "myregistry", run.run_id).log_link
        while (status := client.runs.get("g", "myregistry", run.run_id).status) in ("Queued", "Running"):
            time.sleep(0.1)
        assert status == "Succeeded"
        assert client.runs.get("g", "myregistry", run.run_id).output_images[0].digest == str(registry.images.shelf.tags["built"]["v1"])
        with blobs.BlobClient.from_blob_url(link) as blob:
            assert {key.lower(): said for key, said in blob.get_blob_properties().metadata.items()} == {"complete": "succeeded"}
            whole = blob.download_blob().readall()
            assert blob.download_blob(offset=10, length=20).readall() == whole[10:30]
    assert f"Run ID: {run.run_id} was successful".encode() in whole


def test_azure_ml_reads_a_workspace_before_and_after_it_has_a_registry(azure, app, credential):
    module = needs("azure-ai-ml", "azure.ai.ml")
    azure.assign(app, "Contributor")
    workspace = azure.workspace("my-workspace")
    client = module.MLClient(credential, azure.subscription, "g", "my-workspace")
    assert client.workspaces.get("my-workspace").container_registry is None
    registry = workspace.train()
    assert client.workspaces.get("my-workspace").container_registry == registry.id
    keys = client.workspaces.get_keys("my-workspace").container_registry_credentials
    assert (keys.username, keys.passwords[0].value) == (registry.name, registry.admin_passwords["password"])


def test_azure_ml_makes_a_registry_connection(azure, app, credential):
    needs("azure-ai-ml", "azure.ai.ml")
    from azure.ai.ml import MLClient
    from azure.ai.ml.entities import UsernamePasswordConfiguration, WorkspaceConnection

    azure.assign(app, "Contributor")
    workspace = azure.workspace("my-workspace")
    wanted = WorkspaceConnection(
        name="base-images", type="container_registry", target="https://myregistry.azurecr.io",
        credentials=UsernamePasswordConfiguration(username="u", password="p"),
    )  # fmt: skip
    client = MLClient(credential, azure.subscription, "g", "my-workspace")
    client.connections.create_or_update(wanted)
    assert workspace.connections["base-images"]["category"] == "ContainerRegistry"
    assert client.connections.get("base-images").target == "https://myregistry.azurecr.io"


def test_throttling_reaches_the_client_with_its_patience(azure, app, credential, registry):
    module = needs("azure-mgmt-containerregistry", "azure.mgmt.containerregistry")
    from azure.core.exceptions import HttpResponseError

    azure.assign(app, "Reader")
    azure.fault(faults.throttled("registries/", 30, azure.now), host="management.azure.com")
    client = module.ContainerRegistryManagementClient(credential, azure.subscription, retry_total=0)
    with client, pytest.raises(HttpResponseError) as caught:
        client.registries.get("g", "myregistry")
    assert (caught.value.status_code, caught.value.response.headers["Retry-After"]) == (429, "30")


def test_the_authorization_client_finds_a_role_by_its_name_and_gives_and_takes_it(azure, app, credential, registry):
    module = needs("azure-mgmt-authorization", "azure.mgmt.authorization")
    from azure.core.exceptions import HttpResponseError, ResourceExistsError

    deploy = azure.home.app("another")
    with module.AuthorizationManagementClient(credential, azure.subscription) as client:
        role = "5e0f7a91-0000-4000-8000-000000000005"
        azure.assign(app, "Reader")
        (definition,) = client.role_definitions.list(registry.id, filter="roleName eq 'AcrPull'")
        wanted = {"role_definition_id": definition.id, "principal_id": deploy.principal_id, "principal_type": "ServicePrincipal"}
        with pytest.raises(HttpResponseError, match="AuthorizationFailed"):
            client.role_assignments.create(registry.id, role, wanted)
        azure.assign(app, "Owner")
        made = client.role_assignments.create(registry.id, role, wanted)
        assert made.id.lower().startswith(registry.id.lower())
        with pytest.raises(ResourceExistsError):
            client.role_assignments.create(registry.id, role.replace("5e0f", "6e0f"), wanted)
        mine = client.role_assignments.list_for_scope(registry.id, filter=f"principalId eq '{deploy.principal_id}'")
        assert [each.role_definition_id for each in mine] == [definition.id]
        client.role_assignments.delete(registry.id, role)
        assert not list(client.role_assignments.list_for_scope(registry.id, filter=f"principalId eq '{deploy.principal_id}'"))


def test_the_registry_client_asks_several_times_for_each_manifest_where_ours_asks_once(azure, client, registry):
    client.get_manifest("team/app", "v1")
    before = len(azure.requests)
    client.get_manifest("team/app", "v1")
    # Refused, exchanged anew, given a token, asked again.
    assert len(azure.requests) - before == 4
