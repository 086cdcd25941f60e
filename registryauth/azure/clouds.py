"""Azure's separate clouds: where each one's Entra, resource management and Graph are, and what its registries are called.

Source: azure-cli-core ``cloud.py`` and azure-identity ``AzureAuthorityHosts``; other clouds are read from their resource
management, ``GET /metadata/endpoints?api-version=2022-09-01`` (Microsoft Learn "az cloud register").
"""

from __future__ import annotations

import re

from registryauth._origin import Origin, Url, is_loopback
from registryauth._redact import printable
from registryauth._value import Value
from registryauth.errors import ConfigurationError, TransportError
from registryauth.registries import provider_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.reference import Registry


class Cloud(Value):
    """*authority*, *management* and *graph* are where Entra, resource management and Microsoft Graph answer.

    *audience* is resource management's own, which tokens for it name; *registry_suffix* ends every registry's login server.
    *provider_cloud* is the word by which `registryauth.registries` knows the cloud.
    """

    name: str
    authority: Origin
    management: Origin
    graph: Origin
    audience: str
    registry_suffix: str
    provider_cloud: str = ""

    @property
    def management_scope(self) -> str:
        """The scope of a token for resource management."""
        return f"{self.audience}/.default"

    @property
    def graph_scope(self) -> str:
        """The scope of a token for Microsoft Graph."""
        return f"{self.graph}/.default"


def _https(host: str) -> Origin:
    return Origin("https", host, 443)


PUBLIC = Cloud(
    "AzureCloud",
    _https("login.microsoftonline.com"),
    _https("management.azure.com"),
    _https("graph.microsoft.com"),
    "https://management.azure.com",
    ".azurecr.io",
    "azure",
)
CHINA = Cloud(
    "AzureChinaCloud",
    _https("login.chinacloudapi.cn"),
    _https("management.chinacloudapi.cn"),
    _https("microsoftgraph.chinacloudapi.cn"),
    "https://management.chinacloudapi.cn",
    ".azurecr.cn",
    "azure-china",
)
US_GOVERNMENT = Cloud(
    "AzureUSGovernment",
    _https("login.microsoftonline.us"),
    _https("management.usgovcloudapi.net"),
    _https("graph.microsoft.us"),
    "https://management.usgovcloudapi.net",
    ".azurecr.us",
    "azure-us-government",
)
CLOUDS = (PUBLIC, CHINA, US_GOVERNMENT)

#: The audience of Azure's registries, the same in every cloud (azure-containerregistry ``DEFAULT_AUDIENCE``).
REGISTRY_SCOPE = "https://containerregistry.azure.net/.default"


def cloud_named(name: str) -> Cloud:
    """The cloud that ``az cloud list`` calls *name*, in any case; empty is the public one. Raise `ConfigurationError` for another."""
    for cloud in CLOUDS:
        if name.lower() in ("" if cloud is PUBLIC else cloud.name.lower(), cloud.name.lower()):
            return cloud
    raise ConfigurationError(
        f"there is no Azure cloud {printable(name, 40)!a}",
        hint=f"one of {', '.join(cloud.name for cloud in CLOUDS)}, or its management URL",
    )


def cloud_of(registry: Registry) -> Cloud | None:
    """The cloud whose suffix *registry* has; None for what is none of Azure's."""
    provider = provider_of(registry)
    return next((cloud for cloud in CLOUDS if cloud.provider_cloud == provider.cloud), None) if provider.name == "acr" else None


def cloud_from_metadata(management: str, said: object) -> Cloud:
    """A cloud from what its resource management at the URL *management* says of itself; raise `ConfigurationError` naming the field."""
    from registryauth._json import Node

    what = f"the metadata of {printable(management, 80)}"
    node, own = Node(said, what), _origin(management, what, "its URL")
    # One cloud is an object; older versions list several, of which one is the cloud that was asked.
    several = list(node.items()) if isinstance(said, list) else [node]
    if not several:
        raise ConfigurationError(f"{what} names no cloud", hint="is that the URL of a resource management?")
    entry = next((one for one in several if one.field("resourceManager").text().rstrip("/").lower() == str(own)), several[0])
    authentication, suffix = entry.field("authentication"), entry.field("suffixes").field("acrLoginServer").text().strip(".").lower()
    if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", suffix):
        raise ConfigurationError(
            f"{what}: suffixes.acrLoginServer must be the end of a host name", hint="this cloud may have no registries"
        )
    audience = next((each.text() for each in authentication.field("audiences").items()), "")
    return Cloud(
        entry.field("name").text() or "custom",
        _origin(authentication.field("loginEndpoint").text(), what, "authentication.loginEndpoint"),
        _origin(entry.field("resourceManager").text() or management, what, "resourceManager"),
        _origin(entry.field("microsoftGraphResourceId").text(), what, "microsoftGraphResourceId"),
        (audience or str(own)).rstrip("/"),
        f".{suffix}",
    )


def _origin(url: str, what: str, field: str) -> Origin:
    """The origin of *url*, which tokens and secrets will be sent to: https, or this machine."""
    try:
        origin = Url.parse(url).origin
    except TransportError:
        origin = None
    if origin is None or (origin.scheme != "https" and not is_loopback(origin.host)):
        raise ConfigurationError(f"{what}: {field} must be an https URL", hint="ask whoever runs that cloud")
    return origin
