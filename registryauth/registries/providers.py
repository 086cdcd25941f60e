"""Who runs a registry, told from its host name alone.

A match is always of the whole host: a table that matched a part of it has sent Azure tokens to
``x.azurecr.io.evil.example`` (GO-2026-6225). docs/registries.md gives the source of each row.
"""

from __future__ import annotations

import re

from registryauth._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.reference import Registry


class Provider(Value):
    """Who runs a registry.

    *name* is for programs, *title* for people. *cloud* tells one operator's separate clouds apart. *role* is
    ``login`` for a host that speaks the whole API, and ``data`` for one that only serves blobs and takes no
    login. *may_be_public*: public and private repositories live side by side, so that a pull without a
    credential may work. *always_public*: every repository can be pulled without one.
    """

    name: str
    title: str
    cloud: str = ""
    role: str = "login"
    may_be_public: bool = False
    always_public: bool = False


GENERIC = Provider("generic", "a registry")
LOCAL = Provider("local", "a registry on this machine")

_MCR = Provider("mcr", "Microsoft Artifact Registry", cloud="azure", always_public=True)
_GCR = Provider("gcr", "Google Container Registry", cloud="google", may_be_public=True)
_ECR_PUBLIC = Provider("ecr-public", "Amazon ECR Public Gallery", cloud="aws", always_public=True)
_ECR = Provider("ecr", "Amazon Elastic Container Registry", cloud="aws")
_ECR_CHINA = _ECR.replace(title="Amazon Elastic Container Registry (China)", cloud="aws-china")

#: Hosts that are one registry each.
HOSTS = {
    "mcr.microsoft.com": _MCR,
    "docker.io": Provider("docker-hub", "Docker Hub", may_be_public=True),
    "ghcr.io": Provider("ghcr", "GitHub Container Registry", may_be_public=True),
    "quay.io": Provider("quay", "Quay", may_be_public=True),
    "gcr.io": _GCR,
    "us.gcr.io": _GCR,
    "eu.gcr.io": _GCR,
    "asia.gcr.io": _GCR,
    "public.ecr.aws": _ECR_PUBLIC,
    "ecr-public.aws.com": _ECR_PUBLIC,
    "registry.k8s.io": Provider("kubernetes", "the Kubernetes project's registry", always_public=True),
    "nvcr.io": Provider("nvcr", "NVIDIA NGC", may_be_public=True),
    "registry.gitlab.com": Provider("gitlab", "GitLab.com Container Registry", may_be_public=True),
}

# The registry's name, then the hash of a domain name label. ARM allows 5 to 50 letters and digits and no
# hyphen in the name itself; the length is left to Azure, for it is the suffix that says whose host it is.
_ACR_LABEL = r"[a-z0-9]+(?:-[a-z0-9]+)?"
_REGION = r"[a-z0-9]+"
_ACCOUNT = r"[0-9]{12}"
_AWS_REGION = r"[a-z0-9]+(?:-[a-z0-9]+)*"

_ACR_CLOUDS = {
    ".azurecr.io": ("azure", ""),
    ".azurecr.cn": ("azure-china", " (China)"),
    ".azurecr.us": ("azure-us-government", " (US Government)"),
    ".azurecr.de": ("azure-germany", " (Germany, closed in 2021)"),
    ".azurecr.sovcloud-azure.fr": ("azure-bleu", " (Bleu)"),
}


def _acr(suffix: str, cloud: str, where: str) -> tuple[tuple[str, str, Provider], ...]:
    login = Provider("acr", f"Azure Container Registry{where}", cloud=cloud)
    data = login.replace(title=f"an Azure Container Registry data endpoint{where}", role="data")
    return (
        (suffix, rf"{_ACR_LABEL}(?:\.{_REGION}\.geo)?", login),
        (suffix, rf"{_ACR_LABEL}\.{_REGION}\.data", data),
    )


#: Suffix, pattern of all that stands before it, provider. Apart, so that a host costs the compilation of the
#: one or two patterns that can match it.
SUFFIXES = (
    *(row for suffix, (cloud, where) in _ACR_CLOUDS.items() for row in _acr(suffix, cloud, where)),
    (
        ".data.mcr.microsoft.com",
        r"[a-z0-9]+(?:-[a-z0-9]+)*",
        _MCR.replace(title="a Microsoft Artifact Registry data endpoint", role="data"),
    ),
    (
        "-docker.pkg.dev",
        r"[a-z]+(?:-[a-z]+[0-9]+)?",
        Provider("artifact-registry", "Google Artifact Registry", cloud="google", may_be_public=True),
    ),
    (".amazonaws.com", rf"{_ACCOUNT}\.dkr\.ecr(?:-fips)?\.{_AWS_REGION}", _ECR),
    (".on.aws", rf"{_ACCOUNT}\.dkr-ecr(?:-fips)?\.{_AWS_REGION}", _ECR),
    (".amazonaws.com.cn", rf"{_ACCOUNT}\.dkr\.ecr(?:-fips)?\.{_AWS_REGION}", _ECR_CHINA),
    (".on.amazonwebservices.com.cn", rf"{_ACCOUNT}\.dkr-ecr(?:-fips)?\.{_AWS_REGION}", _ECR_CHINA),
)

#: Every operator's clouds.
CLOUDS = tuple(sorted({provider.cloud for provider in (*HOSTS.values(), *(row[2] for row in SUFFIXES)) if provider.cloud}))


def provider_of(registry: Registry) -> Provider:
    """Who runs *registry*; the generic provider where no row of the table is its host.

    A host with a port is generic (or local): no provider serves its registry on a written port, so whoever
    answers there is somebody else, a proxy or a test.
    """
    if registry.is_loopback:
        return LOCAL
    if exact := HOSTS.get(registry.host):
        return exact
    for suffix, before, provider in SUFFIXES:
        if registry.host.endswith(suffix) and re.fullmatch(before, registry.host.removesuffix(suffix)):
            return provider
    return GENERIC
