from __future__ import annotations

import pytest

from registryauth.credentials import Anonymous
from registryauth.reference import Repository
from registryauth.registries import Kind
from registryauth.resolver.answer import Absent, Found
from registryauth.resolver.public import Public


def ask(repository, known=None):
    return Public(known or {}).ask(Repository.parse(repository))


def test_a_registry_that_is_known_to_be_public_needs_no_credential():
    answer = ask("mcr.microsoft.com/azureml/onnxruntime")
    assert isinstance(answer, Found)
    assert answer.fetch().credential == Anonymous()


def test_a_registry_that_is_declared_public_needs_none_either():
    assert isinstance(ask("host.example/a", {"host.example": Kind.PUBLIC}), Found)


@pytest.mark.parametrize(
    "repository", ["host.example/a", "docker.io/library/ubuntu", "mcr.microsoft.com.evil.example/a", "mcr.microsoft.com:8443/a"]
)
def test_every_other_is_never_guessed_to_be_public(repository):
    assert isinstance(ask(repository), Absent)
