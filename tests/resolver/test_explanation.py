from __future__ import annotations

import pytest

from registryauth.credentials import Basic
from registryauth.errors import CredentialNotFound, InvalidReference, SourceFailed
from registryauth.registries import Kind
from registryauth.resolver.answer import Absent, Broken, Found


def verdicts(explanation):
    return [(answer.source, answer.verdict) for answer in explanation.answers]


def test_what_is_found_is_explained_with_the_secret(resolver, home, write_json, basic):
    write_json(home / ".docker/config.json", {"auths": {"host.example": basic("me")}})
    explanation = resolver().explain("host.example/a")
    assert verdicts(explanation) == [
        ("explicit argument", "absent"), ("environment", "absent"), ("store", "absent"), ("docker config", "found"),
    ]  # fmt: skip
    assert explanation.secret.credential.username == "me"
    assert explanation.secret.account == "me"
    assert explanation.error is None
    assert str(explanation) == explanation.secret.explain()
    assert str(explanation).splitlines()[0].startswith("host.example/a:latest: standalone, ")


def test_what_is_not_found_is_explained_with_the_error_and_what_was_not_asked(resolver):
    explanation = resolver(text='[resolver]\norder = ["store"]\n').explain("host.example/a")
    assert verdicts(explanation)[:2] == [("store", "absent"), ("explicit argument", "not asked")]
    assert isinstance(explanation.error, CredentialNotFound)
    assert explanation.error.trace == explanation.trace
    assert (explanation.secret, explanation.classification.kind) == (None, Kind.STANDALONE)


def test_what_is_broken_is_explained_too(resolver, home, write_json):
    write_json(home / ".docker/config.json", b"{")
    explanation = resolver().explain("host.example/a")
    assert isinstance(explanation.answers[-1], Broken)
    assert "is not JSON" in explanation.answers[-1].detail
    assert isinstance(explanation.error, SourceFailed)
    assert explanation.error.trace == explanation.trace


def test_what_is_no_reference_raises(resolver):
    with pytest.raises(InvalidReference):
        resolver().explain("host.example/A")


def test_nothing_secret_is_in_the_repr(resolver, home, write_json, basic):
    write_json(home / ".docker/config.json", {"auths": {"host.example": basic("me", "canary-7f3a")}})
    explanation = resolver().explain("host.example/a")
    assert "canary-7f3a" not in repr(explanation) + str(explanation)


def test_verdicts_are_no_fields():
    assert Found("a", "b", lambda: Basic("u", "p")).verdict == "found"
    assert Absent("a", "b") == Absent("a", "b")
    assert Absent("a", "b") != Broken("a", "b")
