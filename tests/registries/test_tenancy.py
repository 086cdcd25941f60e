from __future__ import annotations

from pathlib import Path

import pytest

from registryauth.reference import Address
from registryauth.registries.tenancy import SHARED_DOMAINS, shared_domain

PAGE = (Path(__file__).parents[2] / "docs" / "principals.md").read_text(encoding="utf-8")


def shared(text):
    return shared_domain(Address.parse(text, wildcard=True, known=(text.removeprefix("*."),)))


@pytest.mark.parametrize(
    ("pattern", "domain"),
    [
        ("*.azurecr.io", "azurecr.io"),
        ("*.azurecr.cn", "azurecr.cn"),
        ("*.azurecr.us/team", "azurecr.us"),
        ("*.azurecr.sovcloud-azure.fr", "azurecr.sovcloud-azure.fr"),
        ("*.azurecr.io:5000", "azurecr.io"),
        ("*.geo.azurecr.io", "azurecr.io"),
        ("*.eastus.data.azurecr.io", "azurecr.io"),
        ("*.data.mcr.microsoft.com", "data.mcr.microsoft.com"),
        ("*.pkg.dev", "pkg.dev"),
        ("*.docker.pkg.dev", "docker.pkg.dev"),
        ("*.gcr.io", "gcr.io"),
        ("*.dkr.ecr.us-east-1.amazonaws.com", "amazonaws.com"),
        ("*.amazonaws.com", "amazonaws.com"),
        ("*.dkr.ecr.cn-north-1.amazonaws.com.cn", "amazonaws.com.cn"),
        ("*.dkr-ecr.eu-west-1.on.aws", "on.aws"),
        ("*.jfrog.io", "jfrog.io"),
        ("*.github.io", "github.io"),
        ("*.docker.io", "docker.io"),
        # What a registry of the table is a host of.
        ("*.gitlab.com", "registry.gitlab.com"),
        ("*.k8s.io", "registry.k8s.io"),
        # Where countries register names for everybody.
        ("*.co.uk", "co.uk"),
        ("*.com.au", "com.au"),
    ],
)
def test_a_domain_with_many_owners_is_known(pattern, domain):
    assert shared(pattern) == domain


@pytest.mark.parametrize(
    "pattern",
    [
        "*.example.com",
        "*.registry.example.com:5000",
        "*.example.co.uk",
        "*.myazurecr.io",
        "*.azurecr.io.example.com",
        "*.corp.internal",
        "*.co.example",
    ],
)
def test_a_domain_of_one_s_own_is_none(pattern):
    assert shared(pattern) == ""


def test_the_page_shows_every_domain():
    assert not [domain for domain in SHARED_DOMAINS if f"`{domain}`" not in PAGE]
