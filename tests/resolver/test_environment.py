from __future__ import annotations

import json
import traceback

import pytest

from registryauth.credentials import Basic, IdentityToken
from registryauth.errors import SourceFailed
from registryauth.reference import Repository
from registryauth.resolver.answer import Absent, Found
from registryauth.resolver.environment import Environment

CANARY = "canary-7f3a"


def ask(environ, repository="host.example/team/app"):
    return Environment(environ).ask(Repository.parse(repository))


def ours(registry="host.example", username="me", password=CANARY):
    return {"REGISTRYAUTH_REGISTRY": registry, "REGISTRYAUTH_USERNAME": username, "REGISTRYAUTH_PASSWORD": password}


def docker(document):
    return {"DOCKER_AUTH_CONFIG": document if isinstance(document, str) else json.dumps(document)}


def test_nothing_set_is_absent():
    assert isinstance(ask({}), Absent)


def test_all_three_are_a_credential_that_the_answer_does_not_show():
    answer = ask(ours())
    assert answer.fetch().credential == Basic("me", CANARY)
    assert answer.detail == "REGISTRYAUTH_REGISTRY is host.example, account me"
    assert CANARY not in repr(answer) + repr(answer.fetch())


@pytest.mark.parametrize(
    ("registry", "covers"), [("host.example/team", True), ("https://HOST.example/v2/", True), ("host.example/te", False)]
)
def test_the_registry_may_have_a_path_which_covers_whole_segments(registry, covers):
    assert isinstance(ask(ours(registry)), Found) is covers


@pytest.mark.parametrize(
    "repository", ["other.example/team/app", "host.example:5000/a", "host.example.evil.example/a", "sub.host.example/a", "ubuntu"]
)
def test_another_registry_is_not_offered_it(repository):
    answer = ask(ours(), repository)
    assert isinstance(answer, Absent)
    assert "REGISTRYAUTH_REGISTRY is host.example, which does not cover it" in answer.detail


def test_the_user_name_token_makes_it_an_identity_token():
    assert ask(ours(username="<token>")).fetch().credential == IdentityToken(CANARY)


@pytest.mark.parametrize("missing", ["REGISTRYAUTH_REGISTRY", "REGISTRYAUTH_USERNAME", "REGISTRYAUTH_PASSWORD"])
@pytest.mark.parametrize("how", ["unset", "empty"])
def test_two_of_three_are_broken_and_the_third_is_named(missing, how):
    environ = ours()
    del environ[missing]
    if how == "empty":
        environ[missing] = ""
    with pytest.raises(SourceFailed, match=f"^{missing} is not set or empty") as caught:
        ask(environ, "other.example/a")
    assert CANARY not in str(caught.value)


def test_three_empty_ones_are_none_at_all():
    assert isinstance(ask(ours("", "", "")), Absent)


@pytest.mark.parametrize("registry", [f"me:{CANARY}@host.example", "a b", "host.example/UP"])
def test_a_registry_that_is_none_is_broken_and_not_quoted(registry):
    with pytest.raises(SourceFailed, match="REGISTRYAUTH_REGISTRY is not a registry address") as caught:
        ask(ours(registry))
    assert CANARY not in "".join(traceback.format_exception(caught.value)) + caught.value.hint


def test_dockers_variable_is_read(basic):
    environ = docker({"auths": {"https://host.example/v1/": basic("docker")}})
    answer = ask(environ)
    assert answer.fetch().credential == Basic("docker", CANARY)
    assert answer.detail == "DOCKER_AUTH_CONFIG has an entry for host.example, account docker"
    assert isinstance(ask(environ, "other.example/a"), Absent)


def test_our_variables_come_before_dockers(basic):
    assert ask(ours() | docker({"auths": {"host.example": basic("docker")}})).fetch().credential.username == "me"


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (CANARY, "DOCKER_AUTH_CONFIG is not JSON"),
        ([CANARY], "must be an object"),
        ({"auths": {}, "credsStore": CANARY}, "and nothing else"),
        ({"auths": {"host.example": {"auth": CANARY}}}, "not base64"),
        ({"auths": CANARY}, "auths must be an object"),
        ("[" * 100_000, "nested too deeply"),
        ("\udcff" + CANARY, "not UTF-8"),
    ],
)
def test_a_variable_of_dockers_that_makes_no_sense_is_broken_and_not_quoted(document, words):
    with pytest.raises(SourceFailed, match=words) as caught:
        ask(docker(document))
    assert CANARY not in "".join(traceback.format_exception(caught.value)) + caught.value.hint
