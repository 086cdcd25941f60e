"""Which role, and the condition that keeps it to some repositories."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registryauth.azure.registry_roles import ROLES, condition_for, covers, repositories_of, role_for
from registryauth.errors import ConfigurationError
from registryauth.testing.azure.roles import RoleAssignment, registry_actions

READER = ROLES["abac"]["pull"]
ACTION = "Microsoft.ContainerRegistry/registries/repositories/{}/read"
NAME = "@Request[Microsoft.ContainerRegistry/registries/repositories:name]"

#: Microsoft Learn "Azure attribute-based access control (ABAC) for repository permissions": as documented, with its line breaks.
DOCUMENTED = """
(
 (
  !(ActionMatches{'Microsoft.ContainerRegistry/registries/repositories/content/read'})
  AND
  !(ActionMatches{'Microsoft.ContainerRegistry/registries/repositories/metadata/read'})
 )
 OR
 (
  @Request[Microsoft.ContainerRegistry/registries/repositories:name] StringEqualsIgnoreCase 'nginx'
 )
)
"""

names = st.from_regex(r"[a-z0-9]{1,8}([._-][a-z0-9]{1,4})?(/[a-z0-9]{1,8})?", fullmatch=True)
places = st.lists(names | names.map(lambda name: f"{name}/*"), min_size=1, max_size=5, unique=True)


@given(places, st.sampled_from(list(ROLES["abac"].values())))
def test_a_condition_reads_as_what_it_was_made_of(repositories, role):
    assert repositories_of(condition_for(role, repositories), role) == tuple(sorted(repositories))


@given(places, names)
def test_a_condition_lets_in_what_it_is_for_and_nothing_else(repositories, other):
    """As the simulator reads conditions, which is not the code that writes them."""
    held = RoleAssignment(READER.name, "p", "/r", "ServicePrincipal", 0, condition=condition_for(READER, repositories))
    for each in repositories:
        assert "pull" in registry_actions(held, each.replace("*", "inside"), abac=True)
    assert ("pull" in registry_actions(held, other, abac=True)) == covers(repositories, other)


def test_the_documented_condition_is_written_and_read():
    assert " ".join(DOCUMENTED.split()) == condition_for(READER, ["nginx"]).replace("((!", "( ( !").replace(") OR (@", " ) OR ( @").replace(
        "'nginx'))", "'nginx' ) )"
    )
    assert repositories_of(DOCUMENTED, READER) == ("nginx",)


@pytest.mark.parametrize(
    "condition",
    [
        "",
        f"({NAME} StringEqualsIgnoreCase 'a')",
        # What it does not name, reading the metadata, is allowed everywhere.
        f"((!(ActionMatches{{'{ACTION.format('content')}'}})) OR ({NAME} StringEqualsIgnoreCase 'a'))",
        # Without a slash at its end, a prefix lets in backend-infra, too.
        condition_for(READER, ["team/*"]).replace("'team/'", "'team'"),
        condition_for(READER, ["team"]).replace("'team'", "'team/'"),
        condition_for(READER, ["team"]).replace("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"),
        condition_for(READER, ["team"]) + " OR (1)",
        condition_for(READER, ["a", "b"]).replace("'a' OR", "'a' AND"),
    ],
)
def test_another_condition_is_not_understood(condition):
    assert repositories_of(condition, READER) is None


def test_no_repository_is_no_condition():
    assert condition_for(READER, []) == ""


@pytest.mark.parametrize(
    ("held", "wanted", "yes"),
    [
        (["team/*"], "team/app", True),
        (["team/*"], "team/sub/*", True),
        (["team/*"], "team", False),
        (["team/*"], "teams/app", False),
        (["team/app"], "team/*", False),
        ([], "team", False),
    ],
)
def test_a_prefix_covers_what_lies_below_it(held, wanted, yes):
    assert covers(held, wanted) is yes


def test_roles_by_mode_and_word():
    assert [role_for(word, "classic").name for word in ("pull", "push", "delete")] == ["AcrPull", "AcrPush", "AcrDelete"]
    assert role_for("delete", "abac").actions == ("pull", "push", "delete")
    with pytest.raises(ConfigurationError, match="'owner' is no role here"):
        role_for("owner", "abac")
