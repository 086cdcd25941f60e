"""From the name of a registry to a sign-in there: looked up in resource management, as `az acr login` does it.

Source: azure-cli ``acr/_utils.py`` (the look-up) and ``acr/_docker_utils.py`` (the login server that is made of the name where that fails).
"""

from __future__ import annotations

import os
import re
import time

from registryauth._redact import printable
from registryauth._value import Value
from registryauth.azure.acr import Acr
from registryauth.azure.container_registries import read_registry
from registryauth.azure.entra_errors import GUID
from registryauth.azure.resource_id import ResourceId
from registryauth.azure.rest import Rest
from registryauth.azure.settings import settings_of
from registryauth.azure.sign_in import sign_in
from registryauth.azure.tokens import Tokens
from registryauth.azure.workspaces import REGISTRIES
from registryauth.errors import AzureError, ConfigurationError, NoIdentity
from registryauth.reference import Registry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from registryauth.azure.acr import AcrLogin
    from registryauth.azure.wire import Wire
    from registryauth.config import Config

#: azure-rest-api-specs, containerregistry: the pattern of ``registryName``; the hyphen is a domain name label's (azure-cli).
_NAME = r"[a-zA-Z0-9-]{5,50}"
_RESOURCES_VERSION, _SUBSCRIPTIONS_VERSION = "2021-04-01", "2022-12-01"


class Asked(Value):
    """What was said on a command line, empty where nothing was."""

    tenant: str = ""
    cloud: str = ""
    subscription: str = ""
    credential: str = ""


class Named(Value):
    """The login server that a name stands for; *notice* is what to tell a person of how it was found, empty if it was looked up."""

    registry: Registry
    notice: str = ""


class AcrAccess:
    """Who we are in the cloud of *registry*, or, where none is known yet, in the one that is configured; *wire* stays the caller's."""

    def __init__(
        self,
        config: Config,
        wire: Wire,
        environ: Mapping[str, str] = os.environ,
        *,
        asked: Asked | None = None,
        registry: Registry | None = None,
        tell: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        asked = asked or Asked()
        said = settings_of(
            config, environ, wire.far, registry=registry, cloud=asked.cloud, tenant=asked.tenant, subscription=asked.subscription
        )
        self.settings = said.replace(credential=asked.credential) if asked.credential else said
        self.source = sign_in(self.settings, wire, environ, tell=tell, clock=clock, sleep=sleep)
        self._only_there = bool(asked.subscription)
        self._tokens = Tokens(self.source, clock)
        self._acr = Acr(self._tokens, wire.far, self.settings.cloud, clock=clock)
        cloud = self.settings.cloud
        self._management = Rest(
            wire.far,
            cloud.management,
            lambda: self._tokens.get(cloud.management_scope),
            "Azure resource management",
            sleep=sleep,
            clock=clock,
        )

    def named(self, name: str) -> Named:
        """The login server of the registry *name*, from its resource, or made of the name where resource management does not tell it.

        Raise `ConfigurationError` for what no registry is called, `NoIdentity` where nobody is signed in, `TransportError`.
        """
        if not re.fullmatch(_NAME, name):
            raise ConfigurationError(
                f"{printable(name, 80)!a} is no name of an Azure container registry",
                hint="5 to 50 letters and digits; or give its whole login server",
            )
        try:
            found = self._look_up(name)
        except NoIdentity:
            raise
        except AzureError as error:
            why = f"resource management does not say ({error.message.partition(chr(10))[0]})"
        else:
            if found is not None:
                return Named(found)
            why = "no subscription that you may see has a registry of that name"
        guess = Registry.parse(f"{name.lower()}{self.settings.cloud.registry_suffix}")
        return Named(guess, f"{why}, so its login server is taken to be {guess}; one with a domain name label has another")

    def login(self, registry: Registry) -> AcrLogin:
        """A refresh token for *registry*; raise as `Acr.sign_in` does."""
        return self._acr.sign_in(registry, tenant=self.settings.tenant)

    def _look_up(self, name: str) -> Registry | None:
        """The login server, None if no subscription has it; raise the first `AzureError` where one could not be looked into."""
        closed: list[AzureError] = []
        for subscription in self._subscriptions():
            try:
                found = self._in(subscription, name)
            except AzureError as error:
                closed.append(error)
                continue
            if found is not None:
                return read_registry(self._management, found, self.settings.cloud).login_server
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
        # The CLI tells its own with its token.
        self._tokens.get(self.settings.cloud.management_scope)
        first = self._id_of(self.settings.subscription) or self.source.subscription
        if re.fullmatch(GUID, first):
            yield first
        if not self._only_there:
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
