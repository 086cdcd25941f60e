"""Resource management: who may ask, registries, workspaces, lists, and the errors between."""

from __future__ import annotations

import pytest

from registryauth.azure.clouds import CLOUDS
from registryauth.testing import AzureSimulator

from .asking import ARM, REGISTRIES, WORKSPACES, Asking


@pytest.fixture
def admin(azure, tenant):
    user = tenant.user("ada@contoso.example")
    azure.assign(user, "Owner")
    return user


@pytest.fixture
def workspace(azure):
    return azure.workspace("my-workspace")


def below(azure, rest):
    return f"/subscriptions/{azure.subscription}{rest}"


def test_a_registry_has_the_fields_of_its_documentation(ask, admin, registry):
    answer = ask.arm(admin, "GET", registry.id, REGISTRIES)
    said = answer.json
    assert (answer.status, said["id"], said["type"]) == (200, registry.id, "Microsoft.ContainerRegistry/registries")
    assert said["sku"] == {"name": "Premium", "tier": "Premium"}
    properties = said["properties"]
    assert (properties["loginServer"], properties["adminUserEnabled"], properties["anonymousPullEnabled"]) == (
        "myregistry.azurecr.io", False, False,
    )  # fmt: skip
    assert properties["roleAssignmentMode"] == "LegacyRegistryPermissions"
    assert properties["networkRuleSet"] == {"defaultAction": "Allow", "ipRules": []}
    assert properties["policies"]["azureADAuthenticationAsArmPolicy"] == {"status": "enabled"}
    assert answer.headers.get("x-ms-correlation-request-id")


def test_a_registrys_settings_show(azure, ask, admin):
    registry = azure.registry("another", mode="abac", firewall=("1.2.3.4",), arm_audience=False, data_endpoint=True, public=False)
    properties = ask.arm(admin, "GET", registry.id, REGISTRIES).json["properties"]
    assert properties["roleAssignmentMode"] == "AbacRepositoryPermissions"
    assert properties["networkRuleSet"] == {"defaultAction": "Deny", "ipRules": [{"action": "Allow", "value": "1.2.3.4"}]}
    assert properties["policies"]["azureADAuthenticationAsArmPolicy"] == {"status": "disabled"}
    assert properties["dataEndpointHostNames"] == ["another.westeurope.data.azurecr.io"]
    assert properties["publicNetworkAccess"] == "Disabled"


@pytest.mark.parametrize("change", [str.upper, str.lower])
def test_ids_are_compared_without_regard_to_case(ask, admin, registry, change):
    assert ask.arm(admin, "GET", change(registry.id), REGISTRIES).json["name"] == "myregistry"


def test_an_admin_users_passwords_have_the_names_password_and_password2(ask, admin, registry):
    refused = ask.arm(admin, "POST", f"{registry.id}/listCredentials", REGISTRIES)
    assert refused.code == (400, "UnAuthorizedForCredentialOperations")
    assert f"Cannot perform credential operations for {registry.id} as admin user is disabled." in refused.message
    registry.admin_enabled = True
    said = ask.arm(admin, "POST", f"{registry.id}/listCredentials", REGISTRIES).json
    assert (said["username"], [one["name"] for one in said["passwords"]]) == ("myregistry", ["password", "password2"])
    renewed = ask.arm(admin, "POST", f"{registry.id}/regenerateCredential", REGISTRIES, {"name": "password"}).json
    assert [new["value"] == old["value"] for new, old in zip(renewed["passwords"], said["passwords"], strict=True)] == [False, True]
    assert ask.arm(admin, "POST", f"{registry.id}/regenerateCredential", REGISTRIES, {"name": "password1"}).code[0] == 400


def test_a_repository_tokens_passwords_have_other_names_and_are_said_once(ask, admin, registry):
    made = ask.arm(
        admin, "PUT", f"{registry.id}/scopeMaps/m", REGISTRIES, {"properties": {"actions": ["repositories/a/content/read"]}}
    ).json
    assert (made["id"], made["properties"]["type"]) == (f"{registry.id}/scopeMaps/m", "UserDefined")
    token = ask.arm(admin, "PUT", f"{registry.id}/tokens/t", REGISTRIES, {"properties": {"scopeMapId": made["id"]}}).json
    assert (token["properties"]["status"], token["properties"]["credentials"]["passwords"]) == ("enabled", [])
    body = {"tokenId": token["id"], "name": "password2", "expiry": "2023-12-01T00:00:00Z"}
    given = ask.arm(admin, "POST", f"{registry.id}/generateCredentials", REGISTRIES, body).json
    assert (given["username"], [one["name"] for one in given["passwords"]]) == ("t", ["password2"])
    assert registry.by_password("t", given["passwords"][0]["value"])
    (shown,) = ask.arm(admin, "GET", f"{registry.id}/tokens/t", REGISTRIES).json["properties"]["credentials"]["passwords"]
    assert (shown["name"], "value" in shown, shown["expiry"][:10]) == ("password2", False, "2023-12-01")
    disabled = ask.arm(admin, "PATCH", f"{registry.id}/tokens/t", REGISTRIES, {"properties": {"status": "disabled"}}).json
    assert disabled["properties"]["status"] == "disabled"
    assert registry.by_password("t", given["passwords"][0]["value"]) is None
    assert ask.arm(admin, "DELETE", f"{registry.id}/tokens/t", REGISTRIES).status == 200
    assert ask.arm(admin, "GET", f"{registry.id}/tokens/t", REGISTRIES).code == (404, "ResourceNotFound")


def test_the_systems_own_scope_maps_are_there(ask, admin, registry):
    listed = ask.arm(admin, "GET", f"{registry.id}/scopeMaps", REGISTRIES).json["value"]
    assert [one["name"] for one in listed] == ["_repositories_admin", "_repositories_pull", "_repositories_push"]
    assert {one["properties"]["type"] for one in listed} == {"SystemDefined"}


def test_a_registry_can_be_changed(ask, admin, registry):
    ask.arm(admin, "PATCH", registry.id, REGISTRIES, {"properties": {"adminUserEnabled": True, "anonymousPullEnabled": True}})
    assert (registry.admin_enabled, registry.anonymous_pull) == (True, True)


@pytest.mark.parametrize(
    ("name", "reason"), [("free12345", None), ("myRegistry", "AlreadyExists"), ("with-dash", "Invalid"), ("abc", "Invalid")]
)
def test_a_name_is_free_taken_or_none(azure, ask, admin, registry, name, reason):
    path = below(azure, "/providers/Microsoft.ContainerRegistry/checkNameAvailability")
    said = ask.arm(admin, "POST", path, REGISTRIES, {"name": name, "type": registry.type}).json
    assert (said["nameAvailable"], said.get("reason")) == (reason is None, reason)


def test_a_workspace_has_no_registry_until_something_is_trained(ask, admin, workspace):
    assert ask.arm(admin, "GET", workspace.id, WORKSPACES).json["properties"]["containerRegistry"] is None
    registry = workspace.train()
    assert ask.arm(admin, "GET", workspace.id, WORKSPACES).json["properties"]["containerRegistry"] == registry.id
    assert workspace.train() is registry
    assert registry.admin_enabled


@pytest.mark.parametrize(("version", "storage"), [("2024-10-01", "userStorageResourceId"), ("2025-12-01", "userStorageArmId")])
def test_a_workspaces_keys_have_the_names_of_their_version(ask, admin, workspace, version, storage):
    registry = workspace.train()
    said = ask.arm(admin, "POST", f"{workspace.id}/listKeys", version).json
    assert set(said) == {
        "userStorageKey", storage, "appInsightsInstrumentationKey", "containerRegistryCredentials", "notebookAccessKeys"
    }  # fmt: skip
    passwords = [{"name": name, "value": value} for name, value in registry.admin_passwords.items()]
    assert said["containerRegistryCredentials"] == {"location": None, "username": registry.name, "passwords": passwords}


def test_without_an_admin_user_there_are_no_keys_in_either_form(azure, ask, admin, workspace):
    for shown, wanted in ((True, {}), (False, None)):
        workspace.shows_empty_credentials = shown
        assert ask.arm(admin, "POST", f"{workspace.id}/listKeys", WORKSPACES).json.get("containerRegistryCredentials") == wanted


def test_a_rotated_password_is_old_in_the_workspace_until_it_is_synced(ask, admin, workspace):
    registry = workspace.train()
    ask.arm(admin, "POST", f"{registry.id}/regenerateCredential", REGISTRIES, {"name": "password"})

    def known():
        said = ask.arm(admin, "POST", f"{workspace.id}/listKeys", WORKSPACES).json
        return said["containerRegistryCredentials"]["passwords"][0]["value"] == registry.admin_passwords["password"]

    assert not known()
    assert ask.arm(admin, "POST", f"{workspace.id}/resyncKeys", WORKSPACES).status == 200
    assert known()


def test_a_connection_keeps_its_secret_to_itself_until_that_is_asked_for(ask, admin, workspace):
    wanted = {
        "category": "ContainerRegistry", "target": "https://myregistry.azurecr.io", "authType": "UsernamePassword",
        "credentials": {"username": "u", "password": "p"},
    }  # fmt: skip
    path = f"{workspace.id}/connections/base"
    assert ask.arm(admin, "PUT", path, WORKSPACES, {"properties": wanted}).json["properties"]["credentials"] is None
    assert ask.arm(admin, "GET", path, WORKSPACES).json["properties"]["credentials"] is None
    assert ask.arm(admin, "POST", f"{path}/listsecrets", WORKSPACES).json["properties"] == wanted
    assert [one["name"] for one in ask.arm(admin, "GET", f"{workspace.id}/connections", WORKSPACES).json["value"]] == ["base"]
    assert ask.arm(admin, "DELETE", path, WORKSPACES).status == 200
    assert ask.arm(admin, "GET", path, WORKSPACES).status == 404
    assert ask.arm(admin, "PUT", path, WORKSPACES, {"properties": {"category": "ContainerRegistry"}}).status == 400


def test_who_lacks_a_right_is_told_which_before_what_is_there(azure, ask, app, registry):
    azure.assign(app, "AcrPull", registry)
    for path in (registry.id, registry.id.replace("myregistry", "nothing")):
        answer = ask.arm(app, "GET", path, REGISTRIES)
        assert answer.code == (403, "AuthorizationFailed")
        assert answer.message == (
            f"The client '{app.app_id}' with object id '{app.principal_id}' does not have authorization to perform action "
            f"'Microsoft.ContainerRegistry/registries/read' over scope '{path}' or the scope is invalid. If access was recently granted, "
            "please refresh your credentials."
        )


@pytest.mark.parametrize(
    ("role", "verb", "allowed"),
    [
        ("Reader", "", True),
        ("Reader", "/listCredentials", False),
        ("Contributor", "/listCredentials", True),
        ("Container Registry Tasks Contributor", "/listBuildSourceUploadUrl", True),
        ("Container Registry Tasks Contributor", "/listCredentials", False),
    ],
)
def test_a_role_allows_its_actions(azure, ask, app, registry, role, verb, allowed):
    registry.admin_enabled = True
    azure.assign(app, role, registry)
    assert (ask.arm(app, "POST" if verb else "GET", registry.id + verb, REGISTRIES).status == 200) is allowed


def test_a_data_scientist_may_look_at_a_workspace_and_not_at_its_keys(azure, ask, app, workspace):
    azure.assign(app, "AzureML Data Scientist", workspace)
    assert ask.arm(app, "GET", workspace.id, WORKSPACES).status == 200
    assert ask.arm(app, "POST", f"{workspace.id}/listKeys", WORKSPACES).code == (403, "AuthorizationFailed")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("resourceGroups/g", "resourceGroups/other"), (404, "ResourceGroupNotFound")),
        (("registries/myregistry", "registries/other"), (404, "ResourceNotFound")),
        (("registries/myregistry", "registries/myregistry/unheardOf"), (404, "InvalidResourceType")),
        (("Microsoft.ContainerRegistry", "MicrosoftContainerReggistry"), (404, "InvalidResourceNamespace")),
        (("/subscriptions/", "/subscription/"), (404, "InvalidResourceType")),
    ],
)
def test_each_thing_that_is_not_there_has_its_code(azure, ask, admin, registry, change, code):
    assert ask.arm(admin, "GET", registry.id.replace(*change), REGISTRIES).code == code


def test_another_subscription_is_not_found(azure, ask, tenant, registry):
    everywhere = tenant.user("root")
    azure.assign(everywhere, "Owner", "/subscriptions")
    path = registry.id.replace(azure.subscription, "00000000-1111-2222-3333-444444444444")
    assert ask.arm(everywhere, "GET", path, REGISTRIES).code == (404, "SubscriptionNotFound")


@pytest.mark.parametrize(
    ("version", "code"),
    [("", "MissingApiVersionParameter"), ("latest", "InvalidApiVersionParameter"), ("2017-06-01-preview", "InvalidApiVersionParameter")],
)
def test_a_version_is_needed_and_must_be_one_that_is_left(ask, admin, registry, version, code):
    assert ask.arm(admin, "GET", registry.id, version).code == (400, code)


def test_each_token_that_will_not_do_has_its_code(azure, ask, tenant, admin, registry):
    stranger = azure.tenant("fabrikam").user("eve")
    cases = {
        "": "AuthenticationFailed",
        "Bearer nothing": "InvalidAuthenticationToken",
        f"Bearer {azure.entra.token(admin, azure.cloud.management_scope, lifetime=-1)}": "ExpiredAuthenticationToken",
        f"Bearer {azure.token(admin, azure.cloud.graph_scope)}": "InvalidAuthenticationTokenAudience",
        f"Bearer {azure.token(stranger)}": "InvalidAuthenticationTokenTenant",
    }
    for authorization, code in cases.items():
        answer = ask("GET", f"{ARM}{registry.id}?api-version={REGISTRIES}", authorization=authorization)
        assert answer.code == (401, code)
        assert answer.headers.get("www-authenticate").startswith(
            f'Bearer authorization_uri="https://login.microsoftonline.com/{tenant.id}"'
        )


def test_lists_show_what_the_caller_may_read(azure, ask, app, registry):
    azure.registry("another", group="elsewhere")
    azure.assign(app, "Reader", registry)
    everywhere = ask.arm(app, "GET", below(azure, "/providers/Microsoft.ContainerRegistry/registries"), REGISTRIES)
    assert [one["name"] for one in everywhere.json["value"]] == ["myregistry"]
    assert [one["name"] for one in ask.arm(app, "GET", below(azure, "/resources"), "2021-04-01").json["value"]] == ["myregistry"]


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("", ["myregistry", "another", "my-workspace"]),
        ("resourceType eq 'Microsoft.ContainerRegistry/registries'", ["myregistry", "another"]),
        ("resourceType eq 'microsoft.containerregistry/REGISTRIES' and name eq 'Another'", ["another"]),
    ],
)
def test_resources_are_found_by_type_and_name(azure, ask, admin, registry, workspace, condition, names):
    azure.registry("another", group="elsewhere")
    path = below(azure, "/resources") + (f"?$filter={condition.replace(' ', '%20')}" if condition else "")
    assert [one["name"] for one in ask.arm(admin, "GET", path, "2021-04-01").json["value"]] == names


def test_a_list_goes_on_at_its_next_link(azure, ask, admin):
    azure.management.page_size = 2
    names = [azure.registry(f"registry{number}").name for number in range(5)]
    seen, url = [], f"{ARM}{below(azure, '/providers/Microsoft.ContainerRegistry/registries')}?api-version={REGISTRIES}"
    while url:
        said = ask("GET", url, authorization=f"Bearer {azure.token(admin)}").json
        seen += [one["name"] for one in said["value"]]
        url = said.get("nextLink")
    assert seen == names


def test_subscriptions_and_groups_are_listed(azure, ask, admin, registry):
    (subscription,) = ask.arm(admin, "GET", "/subscriptions", "2022-12-01").json["value"]
    assert (subscription["subscriptionId"], subscription["tenantId"]) == (azure.subscription, azure.home.id)
    (group,) = ask.arm(admin, "GET", below(azure, "/resourceGroups"), "2021-04-01").json["value"]
    assert (group["name"], group["location"]) == ("g", "westeurope")
    assert ask.arm(admin, "GET", below(azure, "/resourceGroups/g"), "2021-04-01").json == group


@pytest.mark.parametrize("cloud", CLOUDS, ids=lambda cloud: cloud.name)
def test_every_cloud_describes_itself_without_a_token(cloud):
    ask = Asking(AzureSimulator(cloud=cloud))
    said = ask("GET", f"{cloud.management}/metadata/endpoints?api-version=2022-09-01").json
    assert (said["name"], said["suffixes"]["acrLoginServer"]) == (cloud.name, cloud.registry_suffix.lstrip("."))
    assert isinstance(ask("GET", f"{cloud.management}/metadata/endpoints?api-version=2019-05-01").json, list)


def test_a_body_that_is_no_object_is_refused(ask, admin, registry):
    assert ask.arm(admin, "PATCH", registry.id, REGISTRIES, b"[]").code == (400, "InvalidRequestContent")
