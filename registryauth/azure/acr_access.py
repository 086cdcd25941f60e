"""From the name of a registry to a sign-in there: looked up in resource management, as `az acr login` does it.

Source: azure-cli ``acr/_docker_utils.py`` (the login server that is made of the name where that fails).
"""

from __future__ import annotations

import os
import time

from registryauth._value import Value
from registryauth.azure.access import way_in
from registryauth.azure.acr import Acr
from registryauth.azure.container_registries import read_registry
from registryauth.azure.registry_names import RegistryNames, refuse_odd_name
from registryauth.azure.settings import settings_of
from registryauth.errors import AzureError, NoIdentity
from registryauth.reference import Registry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from registryauth.azure.acr import AcrLogin
    from registryauth.azure.wire import Wire
    from registryauth.config import Config


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
        self._way = way_in(self.settings, wire, environ, tell=tell, clock=clock, sleep=sleep)
        self.source = self._way.source
        self._acr = Acr(self._way.tokens, wire.far, self.settings.cloud, clock=clock)
        self._names = RegistryNames.of(self._way, asked.subscription)

    def named(self, name: str) -> Named:
        """The login server of the registry *name*, from its resource, or made of the name where resource management does not tell it.

        Raise `ConfigurationError` for what no registry is called, `NoIdentity` where nobody is signed in, `TransportError`.
        """
        refuse_odd_name(name)
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
        found = self._names.find(name)
        return read_registry(self._way.management, found, self.settings.cloud).login_server if found else None
