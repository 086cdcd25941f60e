"""Providers: each known host, and everything that only looks like one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registryauth.reference import Registry
from registryauth.registries.providers import GENERIC, LOCAL, provider_of

KNOWN = [
    ("myregistry.azurecr.io", "acr", "azure", "login"),
    ("contosoacrregistry-e7ggejfuhzhgedc8.azurecr.io", "acr", "azure", "login"),
    ("myregistry.eastus2.geo.azurecr.io", "acr", "azure", "login"),
    ("demo-abc123.eastus2.geo.azurecr.io", "acr", "azure", "login"),
    ("myregistry.eastus2.data.azurecr.io", "acr", "azure", "data"),
    ("demo-abc123.eastus2.data.azurecr.io", "acr", "azure", "data"),
    ("myregistry.azurecr.cn", "acr", "azure-china", "login"),
    ("myregistry.chinanorth3.data.azurecr.cn", "acr", "azure-china", "data"),
    ("myregistry.azurecr.us", "acr", "azure-us-government", "login"),
    ("myregistry.azurecr.de", "acr", "azure-germany", "login"),
    ("myregistry.azurecr.sovcloud-azure.fr", "acr", "azure-bleu", "login"),
    ("demo-abc123.francecentral.geo.azurecr.sovcloud-azure.fr", "acr", "azure-bleu", "login"),
    ("mcr.microsoft.com", "mcr", "azure", "login"),
    ("eastus.data.mcr.microsoft.com", "mcr", "azure", "data"),
    ("docker.io", "docker-hub", "", "login"),
    ("registry-1.docker.io", "docker-hub", "", "login"),
    ("ghcr.io", "ghcr", "", "login"),
    ("quay.io", "quay", "", "login"),
    ("gcr.io", "gcr", "google", "login"),
    ("us.gcr.io", "gcr", "google", "login"),
    ("eu.gcr.io", "gcr", "google", "login"),
    ("asia.gcr.io", "gcr", "google", "login"),
    ("us-docker.pkg.dev", "artifact-registry", "google", "login"),
    ("europe-west1-docker.pkg.dev", "artifact-registry", "google", "login"),
    ("123456789012.dkr.ecr.us-east-1.amazonaws.com", "ecr", "aws", "login"),
    ("123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "ecr", "aws", "login"),
    ("123456789012.dkr-ecr.us-east-1.on.aws", "ecr", "aws", "login"),
    ("123456789012.dkr-ecr-fips.us-east-1.on.aws", "ecr", "aws", "login"),
    ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "ecr", "aws-china", "login"),
    ("123456789012.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn", "ecr", "aws-china", "login"),
    ("public.ecr.aws", "ecr-public", "aws", "login"),
    ("ecr-public.aws.com", "ecr-public", "aws", "login"),
    ("registry.k8s.io", "kubernetes", "", "login"),
    ("nvcr.io", "nvcr", "", "login"),
    ("registry.gitlab.com", "gitlab", "", "login"),
]
HOSTS = [host for host, *_ in KNOWN]


@pytest.mark.parametrize(("host", "name", "cloud", "role"), KNOWN)
def test_known_hosts(host: str, name: str, cloud: str, role: str) -> None:
    provider = provider_of(Registry.parse(host))
    assert (provider.name, provider.cloud, provider.role) == (name, cloud, role)
    assert provider == provider_of(Registry.parse(host.upper()))


def test_hosts_that_mix_public_and_private_repositories() -> None:
    mixed = {provider_of(Registry.parse(host)).name for host in HOSTS if provider_of(Registry.parse(host)).may_be_public}
    assert mixed == {"docker-hub", "ghcr", "quay", "gcr", "artifact-registry", "nvcr", "gitlab"}


def test_hosts_where_everything_is_public() -> None:
    public = {provider_of(Registry.parse(host)).name for host in HOSTS if provider_of(Registry.parse(host)).always_public}
    assert public == {"mcr", "kubernetes", "ecr-public"}


def test_every_provider_has_a_title_that_tells_it_from_the_others() -> None:
    providers = {provider_of(Registry.parse(host)) for host in HOSTS} | {GENERIC, LOCAL}
    assert len({provider.title for provider in providers}) == len(providers)


# Built without Registry.parse, which refuses many of these already: the table must stand on its own.
@pytest.mark.parametrize(
    "host",
    [
        "azurecr.io",
        ".azurecr.io",
        "xazurecr.io",
        "x.azurecr.io.",
        "x.azurecr.io\n",
        "\nx.azurecr.io",
        "x\n.azurecr.io",
        "x.azurecr.io.evil.example",
        "evil.example/x.azurecr.io",
        "x.azurecr.io@evil.example",
        "x.azurecr.io/evil",
        "x.azurecr.io:443",
        "x.azurecr.io:8443",
        "X.AZURECR.IO",
        "x.azurecr\u3002io",
        "x.azurecr.\u0131o",
        "\u0445.azurecr.io",
        "x\u0660.azurecr.io",
        "xazurecrxio",
        "x.azurecrxio",
        "a.b.azurecr.io",
        "x-.azurecr.io",
        "-x.azurecr.io",
        "x-y-z.azurecr.io",
        "x.eastus.azurecr.io",
        "x.eastus.blob.azurecr.io",
        "x.a.eastus.data.azurecr.io",
        "x.data.azurecr.io",
        "geo.azurecr.io.example",
        "x.azurecr.sovcloud-azure.fr.evil.example",
        "x.sovcloud-azure.fr",
        "xmcr.microsoft.com",
        "mcr.microsoft.com.evil.example",
        "data.mcr.microsoft.com",
        "a.b.data.mcr.microsoft.com",
        "index.docker.io.evil.example",
        "xgcr.io",
        "x.gcr.io",
        "docker.pkg.dev",
        "-docker.pkg.dev",
        "us-docker.pkg.dev.evil.example",
        "evil.example-docker.pkg.dev",
        "us-xdocker.pkg.dev",
        "12345678901.dkr.ecr.us-east-1.amazonaws.com",
        "1234567890123.dkr.ecr.us-east-1.amazonaws.com",
        "x23456789012.dkr.ecr.us-east-1.amazonaws.com",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com.evil.example",
        "123456789012.dkr.ecr.amazonaws.com",
        "123456789012.dkrxecr.us-east-1.amazonaws.com",
        "evil.123456789012.dkr.ecr.us-east-1.amazonaws.com",
        "123456789012.dkr.ecr.us-east-1.on.aws",
        "123456789012.dkr-ecr.us-east-1.amazonaws.com",
        "s3.us-east-1.amazonaws.com",
        "x.public.ecr.aws",
        "xquay.io",
        "x.quay.io",
        "docker.ghcr.io",
        "registry.example.com",
    ],
)
def test_look_alikes_are_generic(host: str) -> None:
    assert provider_of(Registry(host)) == GENERIC


@given(st.sampled_from(HOSTS), st.sampled_from([".evil.example", ".", ":5000", "\n", "/", "@evil.example", "x", "-"]))
def test_nothing_may_follow_a_known_host(host: str, tail: str) -> None:
    assert provider_of(Registry(host + tail)) == GENERIC


@given(
    st.sampled_from([host for host in HOSTS if not host.endswith("azurecr.io")]), st.sampled_from(["x.y.z.", "evil.example/", "\n", "a@"])
)
def test_nothing_may_stand_before_a_known_host(host: str, head: str) -> None:
    assert provider_of(Registry(head + host)) == GENERIC


@pytest.mark.parametrize("host", ["localhost", "localhost:5000", "127.0.0.1:5000", "127.0.0.1", "[::1]:5000", "registry.localhost"])
def test_a_registry_on_this_machine_is_local_whatever_its_port(host: str) -> None:
    assert provider_of(Registry.parse(host)) == LOCAL


@pytest.mark.parametrize("host", ["mcr.microsoft.com:443", "ghcr.io:8443", "x.azurecr.io:443", "docker.io:5000"])
def test_a_written_port_makes_a_known_host_generic(host: str) -> None:
    assert provider_of(Registry.parse(host)) == GENERIC
