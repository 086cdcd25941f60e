"""Where roles are given: a registry of Azure, or some repositories of one, from what people call it."""

from __future__ import annotations

import re

from registryauth._redact import printable
from registryauth._value import Value
from registryauth.azure.clouds import cloud_of
from registryauth.azure.container_registries import ContainerRegistry, read_registry
from registryauth.azure.resource_id import ResourceId
from registryauth.azure.workspaces import REGISTRIES
from registryauth.errors import AzureError, ConfigurationError
from registryauth.reference import Address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from registryauth.azure.access import Way
    from registryauth.azure.registry_names import RegistryNames


class Place(Value):
    """A registry, or of one in ABAC mode some *repositories*: names, or ``prefix/*``; none is all of it."""

    registry: ContainerRegistry
    repositories: tuple[str, ...] = ()

    @property
    def address(self) -> Address:
        """What a credential for here is registered for: the one repository or folder, else the registry."""
        path = self.repositories[0].removesuffix("/*") if len(self.repositories) == 1 else ""
        return Address(self.registry.login_server, path)

    @property
    def sample(self) -> str:
        """A repository that the roles given here are for, which need not be there."""
        first = self.repositories[0] if self.repositories else "*"
        return f"{first[:-1]}registryauth-probe" if first.endswith("*") else first

    def __str__(self) -> str:
        return ", ".join(f"{self.registry.login_server}/{each}" for each in self.repositories) or str(self.registry.login_server)


def find_places(way: Way, names: RegistryNames, texts: Iterable[str], known: Collection[str] = ()) -> tuple[Place, ...]:
    """The places that *texts* name, one for each registry: ``NAME``, ``LOGIN-SERVER`` or an id, each with ``/REPOSITORY`` or ``/PREFIX/*``.

    *known* are hosts that are right though they look mistyped. Raise `ConfigurationError`, `InvalidReference` for what is none, and
    for a repository of a registry whose roles are for all of it; `AzureError` where it is not found.
    """
    found: dict[str, Place] = {}
    for text in texts:
        registry, repository = _find(way, names, text.strip(), known)
        if repository and registry.mode != "abac":
            raise _all_or_nothing(registry, repository)
        key = str(registry.id).lower()
        before = found.get(key)
        whole = not repository or (before is not None and not before.repositories)
        together = () if whole else tuple(sorted({*(before.repositories if before else ()), repository}))
        found[key] = Place(registry, together)
    return tuple(found.values())


def _find(way: Way, names: RegistryNames, text: str, known: Collection[str]) -> tuple[ContainerRegistry, str]:
    if text.lower().startswith("/subscriptions/"):
        parts = text.strip("/").split("/")
        id_ = ResourceId.parse("/" + "/".join(parts[:8]), REGISTRIES)
        return read_registry(way.management, id_, way.cloud), _repository("/".join(parts[8:]))
    host, _, path = text.removeprefix("https://").partition("/")
    repository = _repository(path)
    if not re.search(r"[.:]", host):
        return read_registry(way.management, _there(names, host), way.cloud), repository
    server = Address.parse(host, known=known).registry
    theirs = cloud_of(server)
    if theirs != way.cloud and not server.host.endswith(way.cloud.registry_suffix):
        what = f"it is in {theirs.name}: --cloud {theirs.name}" if theirs else "its roles are not Azure's"
        raise ConfigurationError(f"{server} is no registry of {way.cloud.name}", hint=what)
    # A hyphen is a domain name label's, never a name's.
    name = re.split(r"[.-]", server.host)[0]
    registry = read_registry(way.management, _there(names, name), way.cloud)
    if registry.login_server != server:
        raise ConfigurationError(
            f"the registry {name} answers at {registry.login_server}, not at {server}",
            hint="which of the two is meant? Nothing was changed",
        )
    return registry, repository


def _there(names: RegistryNames, name: str) -> ResourceId:
    found = names.find(name)
    if found is None:
        raise AzureError(
            f"no subscription that you may see has a registry {printable(name, 60)}",
            status=404,
            hint="check the name (az acr list); or give its resource id, or --subscription",
        )
    return found


def _repository(path: str) -> str:
    """*path* as a repository or a prefix with ``/*``; raise `InvalidReference` or `ConfigurationError`."""
    path = path.rstrip("/")
    folder = path.removesuffix("/*")
    if path and (not folder or "*" in folder):
        raise ConfigurationError(
            f"{printable(path, 100)!a} is neither a repository nor a prefix", hint="team/app, or team/* for all below team; none for all"
        )
    if folder:
        Address.parse(f"registry.azurecr.io/{folder}")
    return path


def _all_or_nothing(registry: ContainerRegistry, repository: str) -> ConfigurationError:
    return ConfigurationError(
        f"{registry.login_server} cannot keep a role to {repository}: its roles are for the whole registry (it is not in ABAC mode)",
        hint=f"ask for the whole registry, if that is meant: --registry {registry.id.name}; or make a repository token"
        f" (az acr token create); or let it have repository permissions (az acr update --name {registry.id.name}"
        " --role-assignment-mode rbac-abac), where AcrPull counts for nothing any more",
    )
