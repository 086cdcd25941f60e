"""Where we sign in, and as whom: what was said in so many words, then the configuration, then Azure's own variables."""

from __future__ import annotations

from registryauth._origin import Origin, Url, is_loopback
from registryauth._redact import printable
from registryauth._value import Value
from registryauth.azure.clouds import CHINA, CLOUDS, PUBLIC, Cloud, cloud_from_metadata, cloud_named, cloud_of
from registryauth.errors import AzureError, ConfigurationError, TransportError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from registryauth._http.messages import Transport
    from registryauth.config import Config
    from registryauth.reference import Registry

#: Further names of authorities (azure-identity ``AzureAuthorityHosts``, Azure CLI ``cloud.py``).
_ALIASES = {"login.partner.microsoftonline.cn": CHINA, "login.windows.net": PUBLIC}
#: Bytes of what a cloud says of itself; the public one's has 5 KiB.
_MAX_METADATA = 256 * 1024
_VERSION = "2022-09-01"


class Settings(Value, hidden=("client_secret", "certificate_password")):
    """Everything that a sign-in may need; empty is "not said"."""

    cloud: Cloud
    credential: str = "auto"
    tenant: str = ""
    client_id: str = ""
    subscription: str = ""
    certificate_file: str = ""
    federated_token_file: str = ""
    client_secret: str = ""
    certificate_password: str = ""


def settings_of(
    config: Config,
    environ: Mapping[str, str],
    far: Transport,
    *,
    registry: Registry | None = None,
    cloud: str = "",
    tenant: str = "",
    subscription: str = "",
) -> Settings:
    """The settings for *registry*, or for no registry in particular; *cloud*, *tenant* and *subscription* are flags.

    *far* asks a cloud that we do not know about itself, and nobody else. Raise `ConfigurationError` where a cloud is named that is
    none, or two that do not go together: a secret would go to another authority than the one that it is for.
    """
    return Settings(
        chosen_cloud(cloud or config.azure_cloud, environ, far, registry),
        config.azure_credential,
        tenant or config.azure_tenant or environ.get("AZURE_TENANT_ID", ""),
        config.azure_client_id or environ.get("AZURE_CLIENT_ID", ""),
        subscription or config.azure_subscription or environ.get("AZURE_SUBSCRIPTION_ID", ""),
        config.azure_certificate_file or environ.get("AZURE_CLIENT_CERTIFICATE_PATH", ""),
        environ.get("AZURE_FEDERATED_TOKEN_FILE", ""),
        environ.get("AZURE_CLIENT_SECRET", ""),
        environ.get("AZURE_CLIENT_CERTIFICATE_PASSWORD", ""),
    )


def chosen_cloud(named: str, environ: Mapping[str, str], far: Transport, registry: Registry | None = None) -> Cloud:
    """The cloud that is *named*, that *registry* is in, that AZURE_AUTHORITY_HOST speaks of, or the public one; they must agree."""
    cloud = described(named, far) if "/" in named or "." in named else cloud_named(named) if named else None
    theirs = cloud_of(registry) if registry else None
    if cloud and theirs and cloud != theirs:
        raise ConfigurationError(
            f"{registry} is in {theirs.name}, and {cloud.name} is configured",
            key="azure.cloud",
            hint=f"--cloud {theirs.name}, or leave azure.cloud out: a registry's name says where it is",
        )
    cloud = cloud or theirs
    variable = environ.get("AZURE_AUTHORITY_HOST", "")
    if not variable:
        return cloud or PUBLIC
    origin = authority_named(variable)
    known = next((each for each in (*([cloud] if cloud else []), *CLOUDS) if each.authority == origin), None)
    if known is None or (cloud and known != cloud):
        expected = f"the tokens come from {cloud.authority}" if cloud else "that is no cloud's that we know"
        raise ConfigurationError(
            f"AZURE_AUTHORITY_HOST is {printable(variable, 100)}, and {expected}",
            key="AZURE_AUTHORITY_HOST",
            hint="unset it, or name the cloud: azure.cloud, by its name or by its management URL",
        )
    return known


def described(management: str, far: Transport) -> Cloud:
    """The cloud whose resource management is at the URL *management*, as it describes itself; raise `ConfigurationError` otherwise."""
    from registryauth._http import USER_AGENT, Request
    from registryauth._json import load_json

    url = _url(management, "azure.cloud")
    fields = (("accept", "application/json"), ("accept-encoding", "identity"), ("user-agent", USER_AGENT))
    with far.send(Request("GET", Url(url.origin, f"/metadata/endpoints?api-version={_VERSION}"), fields)) as response:
        if response.status != 200:
            raise AzureError(
                f"{url.origin} does not say where its services are ({response.status})",
                status=response.status,
                hint="azure.cloud is a cloud's name or the URL of its resource management",
            )
        cloud = cloud_from_metadata(
            str(url.origin), load_json(response.read(_MAX_METADATA), f"the metadata of {url.origin}", _MAX_METADATA)
        )
    if cloud.authority.scheme != "https" and not (is_loopback(cloud.authority.host) and is_loopback(url.origin.host)):
        raise ConfigurationError(f"{url.origin} names an authority without TLS", key="azure.cloud", hint="no secret goes there")
    # One that we know, under another way of naming it.
    return next((each for each in CLOUDS if each.authority == cloud.authority and each.management == cloud.management), cloud)


def authority_named(text: str) -> Origin:
    """The authority that AZURE_AUTHORITY_HOST means with *text*, a host or a URL, under its present name."""
    origin = _url(text if "://" in text else f"https://{text}", "AZURE_AUTHORITY_HOST").origin
    return _ALIASES[origin.host].authority if origin.host in _ALIASES else origin


def _url(text: str, key: str) -> Url:
    try:
        url = Url.parse(text)
    except TransportError as error:
        raise ConfigurationError(f"{key} is no URL: {error}", key=key, hint="for example https://management.azure.com") from None
    if url.origin.scheme != "https" and not is_loopback(url.origin.host):
        raise ConfigurationError(f"{key} is plain http: secrets could be read on the way", key=key, hint="use https")
    return url
