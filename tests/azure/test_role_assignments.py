"""Roles looked up, given, listed and taken away in resource management, simulated."""

from __future__ import annotations

import pytest

from registryauth.azure.resource_id import ResourceId
from registryauth.azure.rest import Rest
from registryauth.azure.role_assignments import RoleAssignments, RoleDefinition
from registryauth.azure.workspaces import REGISTRIES
from registryauth.errors import AzureError, RealmRefused
from registryauth.testing import answers
from registryauth.testing.azure.faults import captive_portal, wrong_shape
from registryauth.testing.azure.roles import ROLES


@pytest.fixture
def me(azure):
    made = azure.home.app("owner")
    made.add_secret(value="the owner's own")
    azure.assign(made, "Owner")
    return made


@pytest.fixture
def roles(azure, me, wire, clock, tokens_of):
    tokens, cloud = tokens_of(me), azure.cloud
    rest = Rest(wire.far, cloud.management, lambda: tokens.get(cloud.management_scope), "ARM", sleep=lambda _: None, clock=clock)
    return RoleAssignments(rest)


@pytest.fixture
def at(azure):
    return ResourceId.parse(azure.registry("myregistry").id, REGISTRIES)


@pytest.fixture
def robot(azure):
    return azure.home.app("robot")


def test_a_role_is_looked_up_by_its_name_at_the_registry(azure, roles, at):
    found = roles.definition(at, "AcrPull")
    assert (found.name, found.id.rpartition("/")[2]) == ("AcrPull", azure.roles.ids["AcrPull"])
    request = azure.requests[-1]
    assert request.url.target == (
        f"{at}/providers/Microsoft.Authorization/roleDefinitions?$filter=roleName%20eq%20%27AcrPull%27&api-version=2022-04-01"
    )


def test_a_role_that_the_cloud_does_not_have_is_said_so(roles, at):
    with pytest.raises(AzureError, match="knows no built-in role AcrPul") as caught:
        roles.definition(at, "AcrPul")
    assert caught.value.status == 404


def test_a_custom_role_of_that_name_is_not_the_one(azure, roles, at):
    definition = azure.roles.definition("AcrPull", azure.subscription)
    definition["properties"]["type"] = "CustomRole"
    azure.inject(wrong_shape("roleDefinitions", {"value": [definition]}))
    with pytest.raises(AzureError, match="knows no built-in role"):
        roles.definition(at, "AcrPull")


def test_a_role_is_given_with_the_kind_of_principal_and_taken_again(azure, roles, at, robot):
    # New, and unknown to resource management but for its kind.
    robot.known_at = azure.now() + 60
    made = roles.assign(at, roles.definition(at, "AcrPull"), robot.principal_id)
    assert made.is_at(at)
    assert roles.of(at, robot.principal_id) == (made,)
    assert roles.definition_of(made).name == "AcrPull"
    roles.end(at, made)
    roles.end(at, made)
    assert roles.of(at, robot.principal_id) == ()


def test_what_a_principal_has_above_the_registry_is_listed_too_and_below_and_beside_is_not(azure, roles, at, robot):
    azure.assign(robot, "AcrPull", azure.registry("another"))
    azure.assign(robot, "AcrPull", f"{at}/tokens/one")
    azure.assign(robot, "Reader")
    (found,) = roles.of(at, robot.principal_id)
    assert (found.scope, found.is_at(at)) == (f"/subscriptions/{azure.subscription}", False)


def test_a_role_is_there_once_whatever_its_condition_and_that_can_be_changed(azure, roles, at, robot):
    role = roles.definition(at, "AcrPull")
    made = roles.assign(at, role, robot.principal_id)
    with pytest.raises(AzureError) as caught:
        roles.assign(at, role, robot.principal_id, "(x)")
    assert caught.value.code == "RoleAssignmentExists"
    assert roles.change(at, made, "(x)") == made.replace(condition="(x)")
    assert roles.of(at, robot.principal_id) == (made.replace(condition="(x)"),)


def test_every_page_of_a_list_is_read(azure, roles, at, robot):
    azure.management.page_size = 1
    for role in ("AcrPull", "AcrPush", "Reader"):
        azure.assign(robot, role, str(at))
    assert len(roles.of(at, robot.principal_id)) == 3


def test_a_next_page_elsewhere_is_not_followed(azure, roles, at, robot):
    azure.inject(wrong_shape("roleAssignments", {"value": [], "nextLink": "https://evil.example/next"}))
    with pytest.raises(RealmRefused):
        roles.of(at, robot.principal_id)


@pytest.mark.parametrize("verb", ["assign", "end"])
def test_who_may_not_is_told_which_roles_may(azure, me, roles, at, robot, verb):
    role = roles.definition(at, "AcrPull")
    made = roles.assign(at, role, robot.principal_id)
    azure.roles.assignments.remove(next(one for one in azure.roles.assignments if one.principal_id == me.principal_id))
    azure.assign(me, "Contributor")
    with pytest.raises(AzureError, match="you may not") as caught:
        roles.assign(at, role, robot.principal_id) if verb == "assign" else roles.end(at, made)
    assert (caught.value.exit_code, caught.value.code) == (4, "AuthorizationFailed")
    for name in ("Owner", "User Access Administrator", "Role Based Access Control Administrator"):
        assert name in caught.value.hint


def test_a_subscription_that_is_full_says_so(azure, roles, at, robot):
    role = roles.definition(at, "AcrPull")
    error = {"error": {"code": "RoleAssignmentLimitExceeded", "message": "No more role assignments can be created."}}
    azure.inject(wrong_shape("PUT", error, status=400))
    with pytest.raises(AzureError, match="as many role assignments as one can have"):
        roles.assign(at, role, robot.principal_id)


def test_a_put_that_got_no_answer_is_sent_again_under_the_same_name(azure, roles, at, robot):
    role, sent = roles.definition(at, "AcrPull"), []

    def lose_the_first(request, then):
        answer = then(request)
        if request.method != "PUT":
            return answer
        sent.append(request.url.target)
        return answers.empty(request, 502) if len(sent) == 1 else answer

    azure.interfere(lose_the_first)
    made = roles.assign(at, role, robot.principal_id)
    assert (len(sent), len(set(sent))) == (2, 1)
    assert roles.of(at, robot.principal_id) == (made,)


@pytest.mark.parametrize("document", [{"value": [{}]}, {"value": [{"id": "x", "properties": {}}]}, {"value": 1}, [], "text"])
def test_other_shapes_are_refused(azure, roles, at, robot, document):
    azure.inject(wrong_shape("Microsoft.Authorization", document))
    for ask in (lambda: roles.of(at, robot.principal_id), lambda: roles.definition(at, "AcrPull")):
        with pytest.raises(AzureError):
            ask()


def test_a_captive_portal_is_no_list_without_roles(azure, roles, at, robot):
    azure.inject(captive_portal("Microsoft.Authorization"))
    with pytest.raises(AzureError, match="web page"):
        roles.of(at, robot.principal_id)


@pytest.mark.parametrize(
    ("name", "classic", "abac"),
    [
        ("AcrPull", True, False),
        ("AcrDelete", True, False),
        ("Reader", True, False),
        ("Owner", True, False),
        ("Contributor", True, False),
        ("User Access Administrator", True, False),
        ("Container Registry Repository Reader", False, True),
        ("Container Registry Repository Catalog Lister", False, False),
        ("Container Registry Tasks Contributor", False, False),
    ],
)
def test_which_roles_let_somebody_at_images(name, classic, abac):
    actions, unactions, data = ROLES[name]
    role = RoleDefinition("id", name, actions, unactions, data)
    assert (role.gives_access("classic"), role.gives_access("abac")) == (classic, abac)


def test_what_a_role_takes_away_again_gives_no_access():
    pull = "Microsoft.ContainerRegistry/registries/pull/read"
    assert not RoleDefinition("id", "custom", (pull,), (pull.upper(),)).gives_access("classic")
