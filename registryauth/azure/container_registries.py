"""Container registries as resource management knows them: what they are called on the network, and who gets in.

Source: azure-rest-api-specs, containerregistry 2025-11-01, ``Registry``. The login server is read, never made from the name: the
registry may have a domain name label (``name-hash.azurecr.io``), or be in another cloud.
"""

from __future__ import annotations

from registryauth._redact import printable
from registryauth._value import Value
from registryauth.azure.resource_id import ResourceId
from registryauth.azure.workspaces import REGISTRIES
from registryauth.errors import AzureError, InvalidReference
from registryauth.reference import Registry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from registryauth._json import Node
    from registryauth.azure.clouds import Cloud
    from registryauth.azure.rest import Rest

API_VERSION = "2025-11-01"
#: Of ``roleAssignmentMode``.
CLASSIC, ABAC = "LegacyRegistryPermissions", "AbacRepositoryPermissions"


class ContainerRegistry(Value):
    """A registry's settings. *mode* is ``classic`` or ``abac``: which roles count there, see `roles`.

    *network* says in a line who can reach it. *arm_audience*: whether it takes Entra tokens that are for resource management.
    """

    id: ResourceId
    login_server: Registry
    sku: str
    admin_enabled: bool
    anonymous_pull: bool
    mode: str
    network: str
    arm_audience: bool = True
    data_hosts: tuple[str, ...] = ()
    location: str = ""
    state: str = ""

    @property
    def roles(self) -> str:
        """The roles that let somebody pull from it, in words."""
        if self.mode == "abac":
            return "ABAC: Container Registry Repository Reader pulls; AcrPull, Owner and Contributor count for nothing"
        return "classic: AcrPull pulls"


def read_registry(rest: Rest, id_: ResourceId, cloud: Cloud) -> ContainerRegistry:
    """What resource management says of the registry; raise `AzureError`, `TransportError`."""
    try:
        return _registry(rest.get(id_.path, API_VERSION), id_, cloud)
    except AzureError as error:
        raise _explained(error, id_) from error


def list_registries(rest: Rest, subscription: str, cloud: Cloud) -> Iterator[ContainerRegistry]:
    """Each registry of *subscription* that the caller may see; raise `AzureError`, `TransportError`, `ConfigurationError`."""
    subscription = ResourceId.of(subscription.strip(), "any", REGISTRIES, "any").subscription
    for each in rest.pages(f"/subscriptions/{subscription}/providers/{REGISTRIES}", API_VERSION):
        yield _registry(each, ResourceId.parse(each.field("id").text(), REGISTRIES), cloud)


def _registry(document: Node, id_: ResourceId, cloud: Cloud) -> ContainerRegistry:
    properties = document.field("properties")
    policies = properties.field("policies")
    return ContainerRegistry(
        id_,
        _login_server(properties.field("loginServer").text(), id_, cloud),
        document.field("sku").field("name").text(),
        properties.field("adminUserEnabled").value is True,
        properties.field("anonymousPullEnabled").value is True,
        "abac" if properties.field("roleAssignmentMode").text().lower() == ABAC.lower() else "classic",
        _network(properties),
        policies.field("azureADAuthenticationAsArmPolicy").field("status").text().lower() != "disabled",
        tuple(printable(each.text(), 120) for each in properties.field("dataEndpointHostNames").items()),
        document.field("location").text(),
        properties.field("provisioningState").text(),
    )


def _login_server(said: str, id_: ResourceId, cloud: Cloud) -> Registry:
    """The host that *said* names. It gets tokens that open registries, so it has to be one of the cloud's own."""
    try:
        found = Registry.parse(said.strip(), known=(said.strip().lower(),))
    except InvalidReference:
        raise AzureError(
            f"the registry {id_.name} has no login server" + (f": {printable(said, 60)!a}" if said else ""),
            hint="is it still being made? az acr show --query provisioningState",
        ) from None
    if not found.host.endswith(cloud.registry_suffix):
        raise AzureError(
            f"the login server of {id_.name} is said to be {found}, which is not in {cloud.registry_suffix.lstrip('.')}",
            hint="nothing was sent there; is this the right cloud?",
        )
    return found


def _network(properties: Node) -> str:
    rules = properties.field("networkRuleSet")
    private = sum(1 for _ in properties.field("privateEndpointConnections").items())
    endpoints = f"; {private} private endpoint{'s' if private > 1 else ''}" if private else ""
    bypass = "; trusted Azure services pass" if properties.field("networkRuleBypassOptions").text() == "AzureServices" else ""
    if properties.field("publicNetworkAccess").text().lower() == "disabled":
        return f"closed to the public network{endpoints}{bypass}"
    if rules.field("defaultAction").text().lower() != "deny":
        return f"open to every address{endpoints}"
    allowed = [printable(each.field("value").text(), 50) for each in rules.field("ipRules").items()]
    shown = ", ".join(allowed[:_SHOWN]) + (f" and {len(allowed) - _SHOWN} more" if len(allowed) > _SHOWN else "")
    return f"open to {shown or 'no address'}{endpoints}{bypass}"


#: Addresses of a firewall that stand in the line.
_SHOWN = 5


def _explained(error: AzureError, id_: ResourceId) -> AzureError:
    what = f"registry {id_.name} (resource group {id_.group}, subscription {id_.subscription})"
    match error.status:
        case 404:
            message, hint = f"there is no {what}", "it may have been deleted, or be in a subscription or tenant that you may not see"
        case 403:
            message, hint = f"you may not look at {what}", "Reader on the registry is enough to read its settings; its owner gives it"
        case _:
            return error
    return AzureError(message, status=error.status, code=error.code, correlation_id=error.correlation_id, hint=hint)
