"""The source that is the configured workspaces, end to end against Azure's simulator."""

from __future__ import annotations

import time

import pytest

from registryauth import Client, exports
from registryauth.azure.clouds import CHINA, US_GOVERNMENT
from registryauth.azure.wire import Wire
from registryauth.credentials import Basic, IdentityToken
from registryauth.errors import (
    ConfigurationError,
    CredentialError,
    CredentialNotFound,
    SourceFailed,
    TransportError,
    WorkspaceHasNoRegistry,
)
from registryauth.exports.options import Options
from registryauth.reference import Reference
from registryauth.registries import Kind
from registryauth.testing.azure import AzureSimulator

HASH = "0123456789abcdef" * 2
BUILT = f"azureml/azureml_{HASH}"
DIGEST = "sha256:" + "0" * 64


@pytest.fixture
def now():
    return [time.time()]


@pytest.fixture
def azure(now, monkeypatch):
    """Azure, which every way to the wire leads to."""
    azure = AzureSimulator(clock=lambda: now[0])
    monkeypatch.setattr("registryauth.azure.access.open_wire", lambda *_: Wire(azure.transport(), azure.transport()))
    return azure


@pytest.fixture
def me(azure, environ):
    """Who is signed in, by its secret in the environment: may look at everything and pull everywhere."""
    app = azure.tenant().app("me")
    azure.assign(app, "Reader")
    azure.assign(app, "AcrPull")
    secret = app.add_secret().value
    environ |= {"AZURE_TENANT_ID": azure.home.id, "AZURE_CLIENT_ID": app.app_id, "AZURE_CLIENT_SECRET": secret}
    return app


@pytest.fixture
def workspace(azure, me):
    """The workspace ``prod`` with a registry of its own, its admin user on."""
    workspace = azure.workspace("prod", group="ml")
    workspace.train()
    return workspace


@pytest.fixture
def over(resolver, now):
    """A resolver for the configuration that names these workspaces."""

    def over(*workspaces, text="", each="", **more):
        tables = [f'[workspaces.{one.name}]\nid = "{one.id}"\n{each}' for one in workspaces]
        return resolver(text="\n".join((*tables, text)), clock=lambda: now[0], **more)

    return over


def asked(azure, host=None):
    """How many requests went to *host*, by default to resource management."""
    host = host or azure.cloud.management.host
    return sum(request.url.origin.host == host for request in azure.requests)


def image(workspace, path="azureml/base:v1"):
    return f"{workspace.registry.login_server}/{path}"


# -- who is asked, and what for --


def test_an_image_of_the_workspaces_registry_gets_a_token_of_some_hours(azure, workspace, over, now):
    secret = over(workspace).resolve(image(workspace))
    assert (secret.kind, secret.source) == (Kind.WORKSPACE, "workspace")
    assert f"{workspace.registry.login_server} is the registry of workspace prod" in secret.classification.why
    assert secret.expires_at == 0
    assert asked(azure, workspace.registry.login_server) == 0, "nothing is fetched until it is read"
    assert isinstance(secret.credential, IdentityToken)
    assert workspace.registry.claims_of(secret.credential.token, "refresh_token")
    assert 3600 < secret.expires_at - now[0] < 5 * 3600
    assert secret.credential.token not in repr(secret) + secret.explain() + repr(secret.pinned)


def test_a_thousand_images_of_one_workspace_cost_one_round(azure, workspace, over):
    resolver = over(workspace)
    for at in range(1000):
        assert resolver.resolve(image(workspace, f"team/app{at}")).credential
    assert asked(azure) == 2
    assert asked(azure, workspace.registry.login_server) == 1
    assert asked(azure, azure.cloud.authority.host) == 2
    assert asked(azure) + 3 == len(azure.requests)


def test_a_registry_of_nobody_we_know_costs_nothing_after_the_first_look(azure, workspace, over):
    resolver = over(workspace)
    for at in range(100):
        with pytest.raises(CredentialNotFound) as caught:
            resolver.resolve(f"other{at}.azurecr.io/x")
        assert f"workspace: absent: other{at}.azurecr.io is not the registry of workspace prod" in caught.value.trace
    assert len(azure.requests) == 3


@pytest.mark.parametrize("text", ["ubuntu", "ghcr.io/a/b", "host.example/x", "prod.azurecr.io:5000/x", "x.azurecr.io.evil.example/y"])
def test_of_other_registries_azure_is_not_asked_at_all(azure, workspace, over, text):
    with pytest.raises(CredentialNotFound) as caught:
        over(workspace).resolve(text)
    assert any(line.startswith("workspace: absent: ") and "no registry of Azure" in line for line in caught.value.trace)
    assert azure.requests == []


def test_a_public_image_is_public_still(azure, workspace, over):
    assert over(workspace).resolve("mcr.microsoft.com/azureml/x").kind is Kind.PUBLIC
    assert azure.requests == []


def test_the_token_pulls_and_what_was_got_is_used_again(azure, workspace, over, environ):
    workspace.registry.images.add_image("azureml/base", "v1")
    with Client(over(workspace), transport=azure.transport(), environ=environ) as client:
        before = len(azure.requests)
        repository = client.repository(image(workspace).rpartition(":")[0])
        first = repository.manifest("v1")
        cost = len(azure.requests) - before
        repository.manifest(str(first.digest))
    # Workspace, registry and their Entra token once; then challenge, Entra, exchange, token, manifest.
    assert cost == 3 + 5
    assert len(azure.requests) - before == cost + 1


def test_near_its_end_the_token_is_renewed(azure, workspace, over, now):
    resolver = over(workspace)
    first = resolver.resolve(image(workspace)).credential
    now[0] += 3600
    assert resolver.resolve(image(workspace)).credential == first
    now[0] += 3 * 3600
    assert resolver.resolve(image(workspace)).credential != first


def test_what_was_stored_for_it_comes_first_and_it_is_a_workspaces_still(azure, workspace, over):
    from registryauth.reference import Address
    from registryauth.stores import Principal, Slot
    from registryauth.stores.memory import MemoryStore

    store = MemoryStore()
    store.put(Principal(Address.parse(workspace.registry.login_server), "deploy", (Slot("s"),)))
    secret = over(workspace, store=store).resolve(image(workspace))
    assert (secret.source, secret.account, secret.kind) == ("store", "deploy", Kind.WORKSPACE)


def test_an_account_that_was_named_is_not_passed_over_for_ours(workspace, over):
    with pytest.raises(CredentialNotFound) as caught:
        over(workspace, account="deploy").resolve(image(workspace))
    assert any(line.startswith("workspace: absent: ") and "not deploy, which was named" in line for line in caught.value.trace)


def test_an_order_that_leaves_it_out_is_kept_and_said(azure, workspace, over):
    with pytest.raises(CredentialNotFound) as caught:
        over(workspace, text='[resolver]\norder = ["store", "public"]').resolve(image(workspace))
    assert "workspace: not asked: resolver.order leaves it out" in caught.value.trace


def test_the_configurations_own_word_on_a_kind_is_stronger(azure, workspace, over):
    text = f'[registries."{workspace.registry.login_server}"]\nkind = "standalone"'
    secret = over(workspace, text=text).resolve(image(workspace))
    assert (secret.kind, secret.source) == (Kind.STANDALONE, "workspace")


def test_a_regional_endpoint_is_signed_in_to_by_its_own_name(azure, me, over):
    workspace = azure.workspace("prod", registry=azure.registry("mine", sku="Premium"))
    secret = over(workspace).resolve("mine.westeurope.geo.azurecr.io/x")
    assert secret.kind is Kind.WORKSPACE
    assert isinstance(secret.credential, IdentityToken)
    # Its challenge, which may name another service than its host, and the exchange.
    assert asked(azure, "mine.westeurope.geo.azurecr.io") == 2


# -- names without a registry --


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (BUILT, f"{BUILT}:latest"),
        (f"{BUILT}:v1", f"{BUILT}:v1"),
        (f"{BUILT}@{DIGEST}", f"{BUILT}@{DIGEST}"),
        (f"package@{DIGEST}", f"package@{DIGEST}"),
        (f"0f5c2f6e-0000-4000-8000-000000000001/{BUILT}", f"0f5c2f6e-0000-4000-8000-000000000001/{BUILT}:latest"),
    ],
)
def test_a_derived_image_name_is_in_the_workspaces_registry(workspace, over, text, path):
    secret = over(workspace).resolve(text)
    assert str(secret.reference) == f"{workspace.registry.login_server}/{path}"
    assert (secret.kind, secret.source) == (Kind.WORKSPACE, "workspace")


def test_a_derived_image_name_with_its_registry_is_taken_as_it_is(workspace, over):
    text = f"{workspace.registry.login_server}/{BUILT}:latest"
    assert str(over(workspace).resolve(text).reference) == text


def test_a_client_takes_such_a_name_too(azure, workspace, over, environ):
    workspace.registry.images.add_image(BUILT, "latest")
    with Client(over(workspace), transport=azure.transport(), environ=environ) as client:
        assert client.repository(BUILT).manifest("latest")


def test_between_two_workspaces_the_flag_decides_and_the_error_names_them(azure, workspace, over):
    other = azure.workspace("dev", registry=azure.registry("devacr"))
    with pytest.raises(ConfigurationError, match="2 workspace registries are configured") as caught:
        over(workspace, other).resolve(BUILT)
    for said in ("devacr.azurecr.io (dev)", f"{workspace.registry.login_server} (prod)", "never looked for on Docker Hub"):
        assert said in caught.value.message
    assert "--workspace NAME" in caught.value.hint
    assert str(over(workspace, other, workspace="dev").resolve(BUILT).reference.registry) == "devacr.azurecr.io"
    assert str(over(workspace, other, workspace="prod").resolve(BUILT).reference.registry) == workspace.registry.login_server


def test_two_workspaces_with_one_registry_need_no_flag(azure, me, over):
    shared = azure.registry("shared")
    secret = over(azure.workspace("aaa", registry=shared), azure.workspace("bbb", registry=shared)).resolve(BUILT)
    assert secret.classification.why == "shared.azurecr.io is the registry of workspaces aaa and bbb"


def test_a_workspace_that_is_not_configured_cannot_be_chosen(workspace, over):
    with pytest.raises(ConfigurationError, match="no workspace 'prd' in the configuration") as caught:
        over(workspace, workspace="prd")
    assert caught.value.hint == "known there: prod"


@pytest.mark.parametrize("more", [{}, {"workspace": "prod"}])
def test_before_the_first_training_such_a_name_says_why_it_leads_nowhere(azure, me, over, more):
    with pytest.raises(WorkspaceHasNoRegistry, match="the workspace prod has no container registry yet") as caught:
        over(azure.workspace("prod"), **more).resolve(BUILT)
    assert caught.value.exit_code == 3


def test_microsofts_own_registry_is_explained(azure, workspace, over):
    with pytest.raises(CredentialNotFound) as caught:
        over(workspace).resolve(f"viennaglobal.azurecr.io/{BUILT}")
    assert "mcr.microsoft.com/azureml/curated/NAME" in caught.value.hint
    assert any(line.startswith("workspace: absent: viennaglobal.azurecr.io is Microsoft's own") for line in caught.value.trace)
    assert azure.requests == []


# -- the admin user --


def test_the_admin_user_is_used_only_where_somebody_said_so(azure, me, workspace, over):
    azure.assign(me, "Contributor")
    assert isinstance(over(workspace).resolve(image(workspace)).credential, IdentityToken)
    assert not [request for request in azure.requests if "listKeys" in request.url.target]
    for resolver in (over(workspace, allow_admin_user=True), over(workspace, each="allow_admin_user = true")):
        secret = resolver.resolve(image(workspace))
        assert secret.credential == Basic(workspace.registry.name, workspace.registry.admin_passwords["password"])
        assert "the registry's admin user: may push and delete" in secret.detail
        assert "az ml workspace sync-keys --name prod --resource-group ml" in secret.detail
        assert secret.expires_at == 0
        assert workspace.registry.admin_passwords["password"] not in repr(secret) + secret.explain()


def test_its_keys_are_listed_once_for_many_images_and_both_are_candidates(azure, me, workspace, over):
    azure.assign(me, "Contributor")
    resolver = over(workspace, allow_admin_user=True)
    for at in range(50):
        assert resolver.resolve(image(workspace, f"x{at}")).account == workspace.registry.name
    assert sum("listKeys" in request.url.target for request in azure.requests) == 1
    first, second = resolver.candidates(Reference.parse(image(workspace)).repository)
    assert [each.credential.password for each in (first, second)] == list(workspace.registry.admin_passwords.values())
    assert first.identity != second.identity


def test_an_admin_user_that_is_off_is_said_to_be_and_entra_does_it(azure, me, workspace, over):
    azure.assign(me, "Contributor")
    workspace.registry.admin_enabled = False
    workspace.resync()
    secret = over(workspace, allow_admin_user=True).resolve(image(workspace))
    assert isinstance(secret.credential, IdentityToken)
    assert "its admin user is off" in secret.detail


def test_whoever_may_not_list_keys_is_told_and_nothing_else_is_tried(azure, workspace, over):
    with pytest.raises(SourceFailed, match="refuses a look of its keys") as caught:
        over(workspace, allow_admin_user=True).resolve(image(workspace))
    assert caught.value.exit_code == 4
    assert "AcrPull" in caught.value.hint
    assert asked(azure, workspace.registry.login_server) == 0


# -- what goes wrong --


def test_nobody_signed_in_is_broken_with_the_next_step_and_a_stored_answer_is_not_lost(azure, workspace, over, environ):
    for name in ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"):
        del environ[name]
    environ["REGISTRYAUTH_AZURE_CREDENTIAL"] = "azure-cli"
    with pytest.raises(SourceFailed, match="cannot be told: there is no Azure CLI") as caught:
        over(workspace).resolve(image(workspace))
    assert caught.value.exit_code == caught.value.__cause__.exit_code
    assert caught.value.hint == caught.value.__cause__.hint != ""
    assert caught.value.trace[-1].startswith("workspace: broken: ")
    environ |= {"REGISTRYAUTH_REGISTRY": workspace.registry.login_server, "REGISTRYAUTH_USERNAME": "u", "REGISTRYAUTH_PASSWORD": "p"}
    secret = over(workspace).resolve(image(workspace))
    assert (secret.source, secret.kind) == ("environment", Kind.STANDALONE)
    assert "could not be told: there is no Azure CLI" in secret.classification.why


def test_an_expired_secret_is_named_as_that(azure, me, workspace, over, now):
    me.secrets[0].ends_at = now[0] - 1
    with pytest.raises(SourceFailed) as caught:
        over(workspace).resolve(image(workspace))
    assert "expired" in f"{caught.value.message} {caught.value.hint}"


def test_no_role_at_the_registry_is_said_when_the_credential_is_read(azure, me, workspace, over):
    workspace.registry.refuse_without_role = True
    azure.roles.assignments.clear()
    azure.assign(me, "Reader", workspace)
    # Reads the registry's settings, and pulls nothing.
    azure.assign(me, "Container Registry Tasks Contributor", workspace.registry)
    secret = over(workspace).resolve(image(workspace))
    with pytest.raises(SourceFailed, match=f"{workspace.registry.login_server}, of workspace prod") as caught:
        _ = secret.credential
    assert caught.value.exit_code == 4
    assert "AcrPull" in caught.value.hint


def test_a_firewall_is_said_to_be_one(azure, workspace, over):
    workspace.registry.firewall = ["198.51.100.1"]
    with pytest.raises(CredentialError) as caught:
        _ = over(workspace).resolve(image(workspace)).credential
    assert azure.client_address in f"{caught.value.message} {caught.value.hint}"
    assert caught.value.exit_code == 4


def test_no_network_is_exit_status_6(azure, workspace, over):
    def down(request):
        raise TransportError("the network is down", hint="plug it in")

    azure.fault(down)
    with pytest.raises(SourceFailed, match="the network is down") as caught:
        over(workspace).resolve(image(workspace))
    assert (caught.value.exit_code, caught.value.hint) == (6, "plug it in")


def test_a_mistake_in_the_table_is_named_where_it_matters_and_nowhere_else(azure, me, resolver, now):
    broken = resolver(text='[workspaces.w]\nid = "/subscriptions/x"', clock=lambda: now[0])
    with pytest.raises(SourceFailed, match=r'\[workspaces\."w"\]: .*not the id of a workspace') as caught:
        broken.resolve("x.azurecr.io/y")
    assert caught.value.exit_code == 2
    with pytest.raises(CredentialNotFound):
        broken.resolve("ghcr.io/a/b")


def test_explain_has_the_failure_in_its_answer(azure, workspace, over):
    azure.workspaces.remove(workspace)
    told = over(workspace).explain(image(workspace))
    assert told.error is not None
    assert "there is no workspace prod" in str(told)


# -- what is made of it --


def test_a_target_that_keeps_the_document_does_not_get_a_token_of_hours(workspace, over):
    secret = over(workspace).resolve(image(workspace))
    with pytest.raises(CredentialError, match=r"ends at 20.* and kubernetes-secret is kept by its target for longer"):
        exports.export([secret], "kubernetes-secret", Options(name="pull"))


def test_the_canary_of_a_secret_is_in_no_message(azure, me, workspace, over):
    me.secrets[0].value = "canary-not-it"
    with pytest.raises(SourceFailed) as caught:
        over(workspace).resolve(image(workspace))
    everything = f"{caught.value} {caught.value.hint} {caught.value.trace} {caught.value.__cause__!r}"
    assert "canary" not in everything


def test_closing_the_resolver_closes_the_way_to_azure(azure, workspace, over, monkeypatch):
    doors = []
    monkeypatch.setattr(
        "registryauth.azure.access.open_wire", lambda *_: doors.append(Wire(azure.transport(), azure.transport())) or doors[0]
    )
    with over(workspace) as resolver:
        resolver.resolve(image(workspace))
    assert doors[0].far.closed


# -- other clouds --


@pytest.mark.parametrize(("name", "cloud"), [("AzureChinaCloud", CHINA), ("azureusgovernment", US_GOVERNMENT)])
def test_a_workspace_of_another_cloud_is_asked_for_there_alone(now, environ, resolver, monkeypatch, name, cloud):
    azure = AzureSimulator(clock=lambda: now[0], cloud=cloud)
    monkeypatch.setattr("registryauth.azure.access.open_wire", lambda *_: Wire(azure.transport(), azure.transport()))
    app = azure.tenant().app("me")
    azure.assign(app, "Reader")
    environ |= {"AZURE_TENANT_ID": azure.home.id, "AZURE_CLIENT_ID": app.app_id, "AZURE_CLIENT_SECRET": app.add_secret().value}
    workspace = azure.workspace("prod", registry=azure.registry("mine"))
    text = f'[workspaces.prod]\nid = "{workspace.id}"\ncloud = "{name}"'
    secret = resolver(text=text, clock=lambda: now[0]).resolve(f"mine{cloud.registry_suffix}/x")
    assert isinstance(secret.credential, IdentityToken)
    assert {request.url.origin.host for request in azure.requests} == {
        cloud.authority.host, cloud.management.host, f"mine{cloud.registry_suffix}",
    }  # fmt: skip


def test_a_tenant_that_a_table_names_is_the_one_to_sign_in_to(azure, workspace, over):
    with pytest.raises(SourceFailed) as caught:
        over(workspace, each='tenant = "another.example"').resolve(image(workspace))
    assert "another.example" in str(azure.requests[0].url)
    assert caught.value.exit_code != 0


def test_allowing_the_admin_user_of_nobody_is_a_mistake(resolver):
    with pytest.raises(ConfigurationError, match="no workspace is configured"):
        resolver(allow_admin_user=True)


def test_of_a_registry_that_the_configuration_speaks_of_azure_is_not_asked_what_it_is(azure, workspace, over):
    text = f'[registries."{workspace.registry.login_server}"]\nkind = "workspace"\norder = ["store"]'
    resolver = over(workspace, text=text)
    assert resolver.classify(image(workspace)).kind is Kind.WORKSPACE
    assert azure.requests == []
