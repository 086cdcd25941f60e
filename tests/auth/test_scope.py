"""Scopes, read, printed, merged and compared."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registryauth.auth.scope import Scope, covered, merge, parse_scopes
from registryauth.reference import Repository

_kinds = st.sampled_from(["repository", "registry", "artifact-repository", "repository(plugin)"])
_names = st.from_regex(r"[a-z0-9]+(/[a-z0-9]+){0,2}|[a-z]+\.example:[0-9]{2,5}/[a-z0-9]+|catalog|\*", fullmatch=True)
_actions = st.frozensets(st.sampled_from(["pull", "push", "delete", "*", "metadata_read"]), min_size=1)
_scopes = st.builds(Scope, _kinds, _names, _actions) | st.sampled_from([Scope("aws"), Scope("opaque:thing")])


@given(_scopes)
def test_a_scope_that_was_printed_is_read_back(scope: Scope) -> None:
    assert Scope.parse(str(scope)) == scope


@given(st.text(st.characters(blacklist_categories=("Zs", "Cc")), max_size=40) | st.text("a:,", max_size=12))
def test_a_scope_that_was_read_says_the_same_when_it_is_printed_and_read_again(text: str) -> None:
    read = Scope.parse(text)
    assert Scope.parse(str(read)) == read


@given(st.lists(_scopes, max_size=4))
@settings(max_examples=40)
def test_merging_keeps_every_right_and_each_resource_once(scopes: list[Scope]) -> None:
    merged = merge(scopes)
    assert len({(scope.kind, scope.name) for scope in merged}) == len(merged)
    assert covered(scopes, merged)
    assert {(s.kind, s.name, a) for s in merged for a in s.actions} == {(s.kind, s.name, a) for s in scopes for a in s.actions}


@given(st.lists(_scopes, max_size=4))
@settings(max_examples=40)
def test_merging_what_is_merged_changes_nothing(scopes: list[Scope]) -> None:
    assert merge(merge(scopes)) == merge(scopes)


def test_the_parts_of_a_scope() -> None:
    assert Scope.parse("repository:team/app:pull,push") == Scope("repository", "team/app", frozenset({"pull", "push"}))


def test_a_port_belongs_to_the_name() -> None:
    assert Scope.parse("repository:host.example:5000/app:pull") == Scope("repository", "host.example:5000/app", frozenset({"pull"}))


@pytest.mark.parametrize(
    "text", ["aws", "repository", "repository:", "repository:app", "repository:app:", ":app:pull", "repository:app:,", ""]
)
def test_what_is_not_three_parts_is_passed_on_as_it_is(text: str) -> None:
    scope = Scope.parse(text)
    assert (scope.kind, scope.name, scope.actions) == (text, "", frozenset())
    assert str(scope) == text


def test_actions_are_printed_as_every_client_writes_them() -> None:
    assert str(Scope("repository", "app", frozenset({"delete", "push", "pull"}))) == "repository:app:pull,push,delete"


def test_the_scope_of_a_repository_is_its_path_without_the_registry() -> None:
    assert str(Scope.of(Repository.parse("host.example:5000/team/app"), "pull")) == "repository:team/app:pull"


def test_the_needed_scope_stays_in_front() -> None:
    """Some token servers keep only the first scope (GitLab)."""
    merged = merge([Scope.parse("repository:b:push"), Scope.parse("repository:a:pull"), Scope.parse("repository:b:pull")])
    assert [str(scope) for scope in merged] == ["repository:b:pull,push", "repository:a:pull"]


def test_a_challenge_names_several_scopes_between_spaces() -> None:
    assert [str(s) for s in parse_scopes(" repository:a:pull  registry:catalog:* aws ")] == [
        "repository:a:pull",
        "registry:catalog:*",
        "aws",
    ]
    assert parse_scopes("") == ()


@pytest.mark.parametrize(
    ("held", "wanted", "covers"),
    [
        ("repository:a:pull,push", "repository:a:pull", True),
        ("repository:a:pull", "repository:a:pull,push", False),
        ("repository:a:*", "repository:a:pull,delete", True),
        ("repository:a:pull", "repository:a:*", False),
        ("repository:a:pull", "repository:b:pull", False),
        ("repository:a:pull", "repository:a/b:pull", False),
        ("repository:a:pull", "registry:a:pull", False),
        ("repository:*:*", "repository:a:pull", False),
        ("aws", "aws", True),
        ("aws", "repository:a:pull", False),
    ],
)
def test_what_a_scope_covers(held: str, wanted: str, covers: bool) -> None:
    """A wildcard for the name is no promise: Azure's newer registries ignore it in silence."""
    assert Scope.parse(held).covers(Scope.parse(wanted)) is covers


def test_each_wanted_scope_must_be_covered_by_one_that_is_held() -> None:
    a, b = Scope.parse("repository:a:pull"), Scope.parse("repository:b:pull")
    assert covered([a, b], [b, a])
    assert not covered([a, b], [a])
    assert not covered([Scope.parse("repository:a:pull,push")], [a, Scope.parse("repository:a:push")])
    assert covered([], [])


def test_a_class_is_passed_on_with_its_type() -> None:
    """Deprecated, and still what Docker's plugins have: ``type(class):name:actions``."""
    scope = Scope.parse("repository(plugin):team/app:pull")
    assert (scope.kind, scope.name) == ("repository(plugin)", "team/app")
    assert str(scope) == "repository(plugin):team/app:pull"
    assert not scope.covers(Scope.parse("repository:team/app:pull"))
