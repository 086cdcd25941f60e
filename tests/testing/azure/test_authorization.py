"""Roles in resource management: found by name, assigned, listed, taken away."""

from __future__ import annotations

import uuid

import pytest

from .asking import ROLES

BASE = "/providers/Microsoft.Authorization"


@pytest.fixture
def owner(azure, tenant):
    user = tenant.user("ada@contoso.example")
    azure.assign(user, "Owner")
    return user


def definition(ask, who, registry, name):
    path = f"{registry.id}{BASE}/roleDefinitions?$filter=roleName%20eq%20'{name.replace(' ', '%20')}'"
    return ask.arm(who, "GET", path, ROLES).json["value"]


def assign(ask, who, registry, app, role="AcrPull", name="", **more):
    (found,) = definition(ask, who, registry, role)
    properties = {"roleDefinitionId": found["id"], "principalId": app.principal_id, **more}
    return ask.arm(who, "PUT", f"{registry.id}{BASE}/roleAssignments/{name or uuid.uuid4()}", ROLES, {"properties": properties})


def test_a_role_is_found_by_its_name(azure, ask, owner, registry):
    (found,) = definition(ask, owner, registry, "Container Registry Repository Reader")
    assert found["id"] == f"/subscriptions/{azure.subscription}{BASE}/roleDefinitions/{found['name']}"
    assert (found["properties"]["roleName"], found["properties"]["type"]) == ("Container Registry Repository Reader", "BuiltInRole")
    assert found["properties"]["permissions"][0]["dataActions"] == [
        "Microsoft.ContainerRegistry/registries/repositories/metadata/read",
        "Microsoft.ContainerRegistry/registries/repositories/content/read",
    ]
    assert definition(ask, owner, registry, "acrpull")[0]["properties"]["roleName"] == "AcrPull"
    assert definition(ask, owner, registry, "AcrPul") == []
    assert ask.arm(owner, "GET", found["id"], ROLES).json == found


def test_an_assignment_is_made_shown_and_takes_effect(azure, ask, owner, registry, app):
    made = assign(ask, owner, registry, app, principalType="ServicePrincipal")
    said = made.json
    assert (made.status, said["type"]) == (201, "Microsoft.Authorization/roleAssignments")
    assert (said["properties"]["principalId"], said["properties"]["scope"]) == (app.principal_id, registry.id)
    assert ask.arm(owner, "GET", said["id"], ROLES).json["properties"]["roleDefinitionId"] == said["properties"]["roleDefinitionId"]
    assert (
        ask(
            "GET", "https://myregistry.azurecr.io/v2/team/app/manifests/v1", authorization=ask.bearer(app, "repository:team/app:pull")
        ).status
        == 200
    )


def test_a_condition_needs_its_version_and_narrows(azure, ask, owner, registry, app):
    registry.mode = "abac"
    name = "@Request[Microsoft.ContainerRegistry/registries/repositories:name]"
    condition = f"((!(ActionMatches{{'x'}})) OR ({name} StringEqualsIgnoreCase 'team/app'))"
    role = "Container Registry Repository Reader"
    assert assign(ask, owner, registry, app, role, condition=condition).code == (400, "BadRequestFormat")
    assert assign(ask, owner, registry, app, role, condition=condition, conditionVersion="2.0").json["properties"]["condition"] == condition
    for name, status in (("team/app", 200), ("other", 401)):
        authorization = ask.bearer(app, f"repository:{name}:pull")
        assert ask("GET", f"https://myregistry.azurecr.io/v2/{name}/manifests/v1", authorization=authorization).status == status


def test_the_same_assignment_twice_is_a_conflict(ask, owner, registry, app):
    name = str(uuid.uuid4())
    assert assign(ask, owner, registry, app, name=name).status == 201
    assert assign(ask, owner, registry, app).code == (409, "RoleAssignmentExists")
    assert assign(ask, owner, registry, app, condition="(x)", conditionVersion="2.0").code == (409, "RoleAssignmentExists")
    assert assign(ask, owner, registry, app, "AcrPush").status == 201


def test_an_assignments_condition_can_be_changed_and_nothing_else(azure, ask, owner, registry, app):
    name = str(uuid.uuid4())
    assert assign(ask, owner, registry, app, name=name).status == 201
    changed = assign(ask, owner, registry, app, name=name, condition="(x)", conditionVersion="2.0")
    assert (changed.status, changed.json["properties"]["condition"]) == (200, "(x)")
    assert len(azure.roles.current()) == 2, "the owner's, and this one"
    assert assign(ask, owner, registry, app, "AcrPush", name=name).code == (400, "RoleAssignmentUpdateNotPermitted")


def test_a_name_that_is_no_guid_and_a_role_that_is_none_are_refused(ask, owner, registry, app):
    assert assign(ask, owner, registry, app, name="mine").code == (400, "InvalidRoleAssignmentId")
    properties = {"roleDefinitionId": f"{registry.id}{BASE}/roleDefinitions/{uuid.uuid4()}", "principalId": app.principal_id}
    path = f"{registry.id}{BASE}/roleAssignments/{uuid.uuid4()}"
    assert ask.arm(owner, "PUT", path, ROLES, {"properties": properties}).code == (400, "RoleDefinitionDoesNotExist")


def test_a_new_principal_is_unknown_unless_its_type_is_said(ask, owner, registry, app, clock):
    app.known_at = clock.now + 30
    refused = assign(ask, owner, registry, app)
    assert refused.code == (400, "PrincipalNotFound")
    assert f"Principal {app.principal_id} does not exist in the directory {app.tenant.id}." in refused.message
    assert assign(ask, owner, registry, app, principalType="ServicePrincipal").status == 201


def test_a_principal_that_never_was_is_unknown_whatever_is_said(ask, owner, registry, app):
    app.has_principal = False
    assert assign(ask, owner, registry, app, principalType="ServicePrincipal").code == (400, "PrincipalNotFound")


def test_an_assignment_takes_time_to_reach_a_registry_and_none_to_reach_resource_management(azure, ask, owner, registry, app, clock):
    azure.roles.propagation = 120
    assign(ask, owner, registry, app, "Reader")
    assert ask.arm(app, "GET", registry.id, "2025-11-01").status == 200
    url, scope = "https://myregistry.azurecr.io/v2/team/app/manifests/v1", "repository:team/app:pull"
    assert ask("GET", url, authorization=ask.bearer(app, scope)).status == 401
    clock.now += 120
    assert ask("GET", url, authorization=ask.bearer(app, scope)).status == 200


def test_assignments_are_listed_by_principal_here_and_above(azure, ask, owner, registry, app):
    assign(ask, owner, registry, app)
    azure.assign(app, "Reader")
    path = f"{registry.id}{BASE}/roleAssignments?$filter=principalId%20eq%20'{app.principal_id}'"
    listed = ask.arm(owner, "GET", path, ROLES).json["value"]
    assert {one["properties"]["scope"] for one in listed} == {registry.id, f"/subscriptions/{azure.subscription}"}
    above = f"/subscriptions/{azure.subscription}{BASE}/roleAssignments?$filter=atScope()"
    assert registry.id not in {one["properties"]["scope"] for one in ask.arm(owner, "GET", above, ROLES).json["value"]}


def test_an_assignment_is_taken_away_once(ask, owner, registry, app):
    made = assign(ask, owner, registry, app).json
    assert ask.arm(owner, "DELETE", made["id"], ROLES).json["id"] == made["id"]
    assert ask.arm(owner, "DELETE", made["id"], ROLES).status == 204
    assert ask.arm(owner, "GET", made["id"], ROLES).code == (404, "RoleAssignmentNotFound")


@pytest.mark.parametrize(
    ("role", "allowed"), [("Owner", True), ("User Access Administrator", True), ("Contributor", False), ("Reader", False)]
)
def test_only_those_who_may_give_roles_do(azure, ask, tenant, registry, app, role, allowed):
    somebody = tenant.user("somebody")
    azure.assign(somebody, role)
    answer = assign(ask, somebody, registry, app)
    assert answer.status == 201 if allowed else answer.code == (403, "AuthorizationFailed")
    if not allowed:
        assert "'Microsoft.Authorization/roleAssignments/write'" in answer.message


def test_a_role_that_nobody_knows_cannot_be_set_up(azure, app, registry):
    with pytest.raises(KeyError):
        azure.assign(app, "AcrPul", registry)
