"""Addresses: what people and configuration files call a registry."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from registryauth.errors import InvalidReference
from registryauth.reference import Address, Reference, Registry, Repository


@pytest.mark.parametrize(
    ("text", "registry", "path"),
    [
        ("x.azurecr.io", "x.azurecr.io", ""),
        ("X.AzureCR.io", "x.azurecr.io", ""),
        ("x.azurecr.io/", "x.azurecr.io", ""),
        ("https://x.azurecr.io", "x.azurecr.io", ""),
        ("HTTPS://x.azurecr.io/", "x.azurecr.io", ""),
        ("http://localhost:5000/v2/", "localhost:5000", ""),
        ("x.azurecr.io/v1/", "x.azurecr.io", ""),
        ("x.azurecr.io/v2", "x.azurecr.io", ""),
        ("https://x.azurecr.io/v2/", "x.azurecr.io", ""),
        ("https://x.azurecr.io/team/v2/", "x.azurecr.io", "team"),
        ("https://x.azurecr.io/v2/v2/", "x.azurecr.io", ""),
        ("x.azurecr.io/team", "x.azurecr.io", "team"),
        ("x.azurecr.io/team/v2", "x.azurecr.io", "team/v2"),
        ("quay.io/org/team/", "quay.io", "org/team"),
        ("[::1]:5000/a", "[::1]:5000", "a"),
        ("https://index.docker.io/v1/", "docker.io", ""),
        ("index.docker.io/v1/", "docker.io", ""),
        ("docker.io", "docker.io", ""),
        ("registry-1.docker.io", "docker.io", ""),
        ("docker.io/myorg", "docker.io", "myorg"),
    ],
)
def test_the_keys_of_docker_and_containers_configuration(text: str, registry: str, path: str) -> None:
    assert Address.parse(text) == Address(Registry(registry), path)


# Docker keeps these beside the login itself; taking them for the login would hand out the wrong token.
@pytest.mark.parametrize("key", ["access-token", "refresh-token"])
def test_docker_hubs_token_keys_are_not_docker_hub(key: str) -> None:
    address = Address.parse(f"https://index.docker.io/v1/{key}")
    assert address != Address.parse("https://index.docker.io/v1/")
    assert not address.covers(Reference.parse("ubuntu").repository)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://",
        "https:///v2/",
        "/a",
        "ftp://x.azurecr.io",
        "file:///etc/passwd",
        "https://user@x.azurecr.io",
        "user:password@x.azurecr.io",
        "x.azurecr.io@evil.example",
        "https://x.azurecr.io?next=evil.example",
        "https://x.azurecr.io#evil.example",
        "https://x.azurecr.io\\@evil.example",
        "x.azurecr.io.",
        "x.azurecr.io/team:v1",
        "x.azurecr.io/team@sha256:" + "0" * 64,
        "x.azurecr.io//team",
        "x.azurecr.io/../team",
        "x.azurecr.io/%0a",
        "x.azurecr.io\nevil.example",
        "good.io\revil.example",
        "x.azurecr.io/Team",
        "*.azurecr.io",
        "x.azureecr.io",
        "library/ubuntu",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidReference):
        Address.parse(text)


@given(st.from_regex(r"(https?://)?[a-z]{1,3}\.[a-z]{2}(:[1-9][0-9]{0,3})?(/(v1|v2|a|b-c)){0,4}/?", fullmatch=True))
@example("https://a.bc/v2/v1")
@example("a.bc/v2/v2")
def test_an_addresss_own_form_means_the_same_address(text: str) -> None:
    address = Address.parse(text)
    assert Address.parse(str(address)) == address
    assert Address.parse(f"https://{address.registry}") == Address(address.registry)


@pytest.mark.parametrize(
    ("address", "repository", "covers"),
    [
        ("x.azurecr.io", "x.azurecr.io/a", True),
        ("x.azurecr.io/a", "x.azurecr.io/a", True),
        ("x.azurecr.io/a", "x.azurecr.io/a/b", True),
        ("x.azurecr.io/a/b", "x.azurecr.io/a", False),
        ("x.azurecr.io/a", "x.azurecr.io/ab", False),
        ("x.azurecr.io/a", "x.azurecr.io/a-b", False),
        ("x.azurecr.io/a/b", "x.azurecr.io/a/bc", False),
        ("x.azurecr.io", "y.azurecr.io/a", False),
        ("x.azurecr.io", "x.azurecr.io:8443/a", False),
        ("x.azurecr.io", "x.azurecr.io.evil.example/a", False),
        ("docker.io/library", "ubuntu", True),
        ("https://index.docker.io/v1/", "registry-1.docker.io/a/b", True),
    ],
)
def test_an_address_covers_whole_segments_of_its_own_registry(address: str, repository: str, covers: bool) -> None:
    assert Address.parse(address).covers(Repository.parse(repository)) is covers


segments = st.lists(st.sampled_from(["a", "ab", "b"]), min_size=1, max_size=3)


@given(segments, segments)
def test_covering_is_being_a_prefix_of_segments(mine: list[str], theirs: list[str]) -> None:
    address = Address(Registry("x.io"), "/".join(mine))
    assert address.covers(Repository(Registry("x.io"), "/".join(theirs))) is (theirs[: len(mine)] == mine)


@pytest.mark.parametrize("text", ["*.example.com", "*.Example.com:5000/team", "https://*.example.com/"])
def test_a_wildcard_host_is_read_where_it_is_asked_for(text):
    assert Address.parse(text, wildcard=True).is_wildcard
    with pytest.raises(InvalidReference):
        Address.parse(text)


@pytest.mark.parametrize("text", ["*", "*.com", "*example.com", "a.*.example.com", "*.*.example.com", "*.10.0.0.1", "*.localhost:5000"])
def test_a_wildcard_stands_only_for_one_label_of_a_domain(text):
    with pytest.raises(InvalidReference):
        Address.parse(text, wildcard=True)
