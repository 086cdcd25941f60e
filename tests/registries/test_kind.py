"""Kinds: a workspace's registry, a standalone one, a public one; known or declared, never guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registryauth.errors import ConfigurationError
from registryauth.reference import Reference
from registryauth.registries import Kind, is_workspace_image, kind_of

WORKSPACE = {"myworkspace.azurecr.io": Kind.WORKSPACE}
HASH = "0123456789abcdef" * 2


@pytest.mark.parametrize(
    ("text", "kind", "may_be_public"),
    [
        ("myregistry.azurecr.io/myimage", "standalone", False),
        ("registry.example.com/app", "standalone", False),
        ("localhost:5000/app", "standalone", False),
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com/app", "standalone", False),
        ("viennaglobal.azurecr.io/azureml/azureml_" + HASH, "standalone", False),
        ("ubuntu", "standalone", True),
        ("docker.io/org/app", "standalone", True),
        ("ghcr.io/org/app", "standalone", True),
        ("quay.io/org/app", "standalone", True),
        ("us-docker.pkg.dev/project/repo/app", "standalone", True),
        ("nvcr.io/nvidia/pytorch:24.01-py3", "standalone", True),
        ("mcr.microsoft.com/azureml/onnxruntime:latest", "public", True),
        ("registry.k8s.io/pause", "public", True),
        ("public.ecr.aws/docker/library/redis", "public", True),
        ("mcr.microsoft.com:8443/azureml/base", "standalone", False),
        ("mcr.microsoft.com.evil.example/azureml/base", "standalone", False),
    ],
)
def test_without_configuration_only_the_table_speaks(text: str, kind: str, may_be_public: bool) -> None:
    found = kind_of(Reference.parse(text))
    assert (found.kind, found.may_be_public) == (kind, may_be_public)
    assert found.reference == Reference.parse(text)


def test_the_words_are_those_of_the_configuration() -> None:
    assert [Kind(word) for word in ("workspace", "standalone", "public")] == [Kind.WORKSPACE, Kind.STANDALONE, Kind.PUBLIC]


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("text", ["registry.example.com/app", "mcr.microsoft.com/app", "ubuntu", "localhost:5000/app"])
def test_the_configuration_wins_over_the_table(text: str, kind: Kind) -> None:
    reference = Reference.parse(text)
    found = kind_of(reference, {str(reference.registry): kind})
    assert found.kind is kind
    assert "your configuration" in found.why


def test_a_declaration_counts_for_its_own_host_and_port_alone() -> None:
    known = {"registry.example.com": Kind.PUBLIC}
    assert kind_of(Reference.parse("Registry.Example.com/app"), known).kind is Kind.PUBLIC
    for text in ("registry.example.com:5000/app", "x.registry.example.com/app", "registry.example.com.evil.example/app"):
        assert kind_of(Reference.parse(text), known).kind is Kind.STANDALONE


def test_a_mixed_host_declared_standalone_may_still_be_public_and_a_workspaces_never() -> None:
    reference = Reference.parse("ghcr.io/org/app")
    assert kind_of(reference, {"ghcr.io": Kind.STANDALONE}).may_be_public
    assert not kind_of(reference, {"ghcr.io": Kind.WORKSPACE}).may_be_public


def test_a_workspace_registry_is_the_one_that_is_bound_to_a_workspace() -> None:
    assert kind_of(Reference.parse("myworkspace.azurecr.io/azureml/azureml_" + HASH), WORKSPACE).kind is Kind.WORKSPACE
    assert kind_of(Reference.parse("other.azurecr.io/azureml/azureml_" + HASH), WORKSPACE).kind is Kind.STANDALONE


@pytest.mark.parametrize("text", [f"azureml/azureml_{HASH}", f"azureml/azureml_{HASH}:v1", f"azureml/azureml_{HASH}@sha256:" + "0" * 64])
def test_a_workspace_image_without_a_registry_is_in_the_workspaces_registry(text: str) -> None:
    found = kind_of(Reference.parse(text), WORKSPACE)
    assert found.kind is Kind.WORKSPACE
    assert found.provider.name == "acr"
    assert found.reference == Reference.parse(f"myworkspace.azurecr.io/{text}")


@given(st.from_regex(r"azureml/[a-z0-9]+([._][a-z0-9]+){0,2}(/[a-z]+)?", fullmatch=True))
def test_a_workspace_image_without_a_registry_never_goes_to_docker_hub(text: str) -> None:
    reference = Reference.parse(text)
    assert str(kind_of(reference, WORKSPACE).reference.registry) == "myworkspace.azurecr.io"
    for known in (None, {}, {"other.azurecr.io": Kind.PUBLIC}, {"docker.io": Kind.PUBLIC}):
        with pytest.raises(ConfigurationError, match="never looked for on Docker Hub"):
            kind_of(reference, known)


def test_without_a_workspace_the_hint_says_what_to_write() -> None:
    with pytest.raises(ConfigurationError) as caught:
        kind_of(Reference.parse("azureml/azureml_x"))
    assert "myworkspace.azurecr.io/azureml/azureml_x" in caught.value.hint


def test_between_two_workspaces_nothing_is_guessed() -> None:
    with pytest.raises(ConfigurationError, match="2 workspace registries") as caught:
        kind_of(Reference.parse("azureml/azureml_x"), {"b.azurecr.io": Kind.WORKSPACE, "a.azurecr.io": Kind.WORKSPACE})
    assert "a.azurecr.io/azureml/azureml_x" in caught.value.hint


@pytest.mark.parametrize("text", ["docker.io/azureml/azureml_x", "azureml2/x", "azureml", "org/azureml/x"])
def test_other_names_stay_where_they_are(text: str) -> None:
    found = kind_of(Reference.parse(text), WORKSPACE)
    assert found.provider.name == "docker-hub"
    assert found.kind is Kind.STANDALONE


@pytest.mark.parametrize(
    "text", ["ubuntu", "mcr.microsoft.com/a", "a.azurecr.io/a", "a.eastus.data.azurecr.io/a", "localhost:5000/a", "a.b/c"]
)
def test_why_is_one_line_that_names_the_registry(text: str) -> None:
    found = kind_of(Reference.parse(text))
    assert str(found.reference.registry) in found.why
    assert "\n" not in found.why


def test_a_data_endpoint_says_that_it_takes_no_login() -> None:
    assert "takes no login" in kind_of(Reference.parse("a.eastus.data.azurecr.io/a")).why


BOUND = {"prodacr.azurecr.io": ["prod"]}
DIGEST = "sha256:" + "0" * 64


def test_what_azure_says_is_bound_to_a_workspace_is_a_workspaces_and_why_names_it() -> None:
    found = kind_of(Reference.parse("prodacr.azurecr.io/app"), bound=BOUND)
    assert found.kind is Kind.WORKSPACE
    assert found.why == "prodacr.azurecr.io is the registry of workspace prod"
    assert kind_of(Reference.parse("other.azurecr.io/app"), bound=BOUND).kind is Kind.STANDALONE
    assert kind_of(Reference.parse("prodacr.azurecr.io/app"), {"prodacr.azurecr.io": Kind.PUBLIC}, bound=BOUND).kind is Kind.PUBLIC


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (f"azureml/azureml_{HASH}", True),
        (f"package@{DIGEST}", True),
        (f"0f5c2f6e-0000-4000-8000-000000000001/azureml/azureml_{HASH}", True),
        ("package", False),
        ("package:v1", False),
        (f"org/package@{DIGEST}", False),
        (f"docker.io/azureml/azureml_{HASH}", False),
        (f"prodacr.azurecr.io/azureml/azureml_{HASH}", False),
        (f"org/azureml/azureml_{HASH}", False),
        (f"azureml_{HASH}", False),
    ],
)
def test_which_names_without_a_registry_are_a_workspaces(text: str, meant: bool) -> None:
    reference = Reference.parse(text)
    assert is_workspace_image(reference) is meant
    if meant:
        assert str(kind_of(reference, bound=BOUND).reference).startswith(f"prodacr.azurecr.io/{text}")
        with pytest.raises(ConfigurationError, match="never looked for on Docker Hub"):
            kind_of(reference)


def test_declared_and_bound_registries_count_together_and_each_once() -> None:
    reference = Reference.parse("azureml/azureml_x")
    assert str(kind_of(reference, {"prodacr.azurecr.io": Kind.WORKSPACE}, bound=BOUND).reference.registry) == "prodacr.azurecr.io"
    with pytest.raises(ConfigurationError, match=r"2 workspace registries are configured: a\.azurecr\.io, prodacr\.azurecr\.io \(prod\)"):
        kind_of(reference, {"a.azurecr.io": Kind.WORKSPACE}, bound=BOUND)
    # What the configuration calls standalone is no candidate, whatever Azure says.
    with pytest.raises(ConfigurationError, match="no workspace registry is configured"):
        kind_of(reference, {"prodacr.azurecr.io": Kind.STANDALONE}, bound=BOUND)


def test_microsofts_own_registry_says_so() -> None:
    assert "Microsoft's own" in kind_of(Reference.parse("viennaglobal.azurecr.io/azureml/azureml_x")).why
