"""Where a registry is in resource management, from what people call it: looked up by its name, as az does it.

Source: azure-cli ``acr/_utils.py`` (the look-up).
"""

from __future__ import annotations

import re

from registryauth._redact import printable
from registryauth.azure.entra_errors import GUID
from registryauth.azure.resource_id import ResourceId
from registryauth.azure.workspaces import REGISTRIES
from registryauth.errors import AzureError, ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from registryauth.azure.access import Way
    from registryauth.azure.rest import Rest

#: azure-rest-api-specs, containerregistry: the pattern of ``registryName``; the hyphen is a domain name label's (azure-cli).
_NAME = r"[a-zA-Z0-9-]{5,50}"
_RESOURCES_VERSION, _SUBSCRIPTIONS_VERSION = "2021-04-01", "2022-12-01"


class RegistryNames:
    """Finds registries by name through *management*.

    *subscription*, an id or a display name, is looked into first, and with *only* nowhere else; where it is empty, *own* gives the
    subscription that the sign-in stands for, or nothing.
    """

    def __init__(self, management: Rest, subscription: str, own: Callable[[], str], *, only: bool = False) -> None:
        self._management, self._subscription, self._own, self._only = management, subscription, own, only

    @classmethod
    def of(cls, way: Way, subscription: str = "") -> RegistryNames:
        """What *way* leads to: in *subscription* alone if a flag says one, else in the configured one and the sign-in's own first."""
        return cls(way.management, subscription or way.subscription, way.own_subscription, only=bool(subscription))

    def find(self, name: str) -> ResourceId | None:
        """Its id, None if no subscription has it; raise the first `AzureError` where one could not be looked into.

        Raise `ConfigurationError` for what no registry is called.
        """
        refuse_odd_name(name)
        closed: list[AzureError] = []
        for subscription in self._subscriptions():
            try:
                found = self._in(subscription, name)
            except AzureError as error:
                closed.append(error)
                continue
            if found is not None:
                return found
        if closed:
            raise closed[0]
        return None

    def _in(self, subscription: str, name: str) -> ResourceId | None:
        from urllib.parse import quote

        condition = f"resourceType eq '{REGISTRIES}' and name eq '{name}'"
        path = f"/subscriptions/{subscription}/resources?$filter={quote(condition)}"
        for entry in self._management.pages(path, _RESOURCES_VERSION):
            id_ = ResourceId.parse(entry.field("id").text(), REGISTRIES)
            if id_.name.lower() == name.lower():
                return id_
        return None

    def _subscriptions(self) -> Iterator[str]:
        """Where to look, the likeliest first: what was said, the sign-in's own, and unless a flag said it every other one."""
        own = self._own()
        first = self._id_of(self._subscription) or own
        if re.fullmatch(GUID, first):
            yield first
        if not self._only:
            yield from (id_ for id_, _ in self._seen() if id_ != first)

    def _id_of(self, subscription: str) -> str:
        """The id of a *subscription* that may be named by its display name."""
        if not subscription or re.fullmatch(GUID, subscription):
            return subscription.lower()
        found = next((id_ for id_, title in self._seen() if title.lower() == subscription.lower()), "")
        if not found:
            raise ConfigurationError(
                f"there is no subscription {printable(subscription, 60)!a} that you may see",
                key="azure.subscription",
                hint="az account list",
            )
        return found

    def _seen(self) -> Iterator[tuple[str, str]]:
        for entry in self._management.pages("/subscriptions", _SUBSCRIPTIONS_VERSION):
            id_ = entry.field("subscriptionId").text().lower()
            if re.fullmatch(GUID, id_):
                yield id_, entry.field("displayName").text()


def refuse_odd_name(name: str) -> None:
    """Raise `ConfigurationError` for what no registry is called."""
    if not re.fullmatch(_NAME, name):
        raise ConfigurationError(
            f"{printable(name, 80)!a} is no name of an Azure container registry",
            hint="5 to 50 letters and digits; or give its whole login server",
        )
