"""Why a registry of Azure refuses a service principal: the registry says only that it does, Entra says why.

Source: Microsoft Learn "Troubleshoot registry login"; the registry's own words for an expired secret and for a wrong one are the same.
"""

from __future__ import annotations

import contextlib
import os
import re
import time

from registryauth.auth.exchange import claims_of
from registryauth.azure.access import Access
from registryauth.azure.acr import Acr
from registryauth.azure.acr_errors import Meaning, is_azures, what_lets_pull
from registryauth.azure.clouds import REGISTRY_SCOPE, cloud_of
from registryauth.azure.entra import ClientSecret, Entra
from registryauth.azure.entra_errors import GUID
from registryauth.azure.registry_names import RegistryNames
from registryauth.azure.standing import Account, standing
from registryauth.azure.tokens import Tokens
from registryauth.azure.wire import open_wire
from registryauth.errors import AzureError, Error, TransportError
from registryauth.stores.principal import ENTRA_LABEL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from registryauth._http.messages import Transport
    from registryauth.azure.access import Way
    from registryauth.azure.clouds import Cloud
    from registryauth.azure.standing import Standing
    from registryauth.azure.wire import Wire
    from registryauth.config import Config
    from registryauth.reference import Registry
    from registryauth.stores import Principal


def can_diagnose(principal: Principal, registry: Registry | None = None) -> bool:
    """Whether Entra can be asked about *principal*: a service principal of a known tenant, at a registry of Azure."""
    asked = registry or principal.address.registry
    is_application = principal.kind != "identity-token" and re.fullmatch(GUID, principal.account)
    return bool(principal.tenant and is_application and is_azures(asked) and cloud_of(asked))


def diagnose(
    principal: Principal,
    config: Config,
    environ: Mapping[str, str] = os.environ,
    *,
    registry: Registry | None = None,
    clock: Callable[[], float] = time.time,
    open_: Callable[[], Wire] | None = None,
) -> Meaning | None:
    """What Entra, and then the registry's exchange, say of *principal*'s current secret; None where Entra cannot be asked about it.

    The secret goes to the authority of the registry's cloud, in our table, and nowhere else; the token that comes of it to the
    registry. *registry* is the host to ask for a wildcard. Nothing is raised: what goes wrong is part of the answer.
    """
    asked = registry or principal.address.registry
    cloud = cloud_of(asked)
    if cloud is None or not can_diagnose(principal, asked):
        return None
    said = config.registry(asked.host)
    ca_files = {asked.origin().netloc: said.ca_file} if said.ca_file else None
    with open_() if open_ else open_wire(environ, ca_files) as wire:
        source = _source(principal, cloud, wire.far, clock)
        try:
            login = Acr(Tokens(source, clock), wire.far, cloud, clock=clock).sign_in(asked, tenant=principal.tenant, look=False)
        except TransportError as error:
            return Meaning(f"Entra could not be asked: {error.message}", error.hint)
        except Error as error:
            return Meaning(error.message, error.hint)
    return Meaning(
        "Entra takes the secret, and so does the registry's exchange",
        what_lets_pull(asked, principal.account, abac=login.refresh.abac),
    )


def ask_management(
    registry: Registry,
    repository: str,
    account: str,
    principal: Principal | None,
    config: Config,
    environ: Mapping[str, str] = os.environ,
    *,
    at_the_door: bool = False,
    clock: Callable[[], float] = time.time,
    open_: Callable[[], Wire] | None = None,
) -> Standing | None:
    """How *account* stands at *registry* in resource management, asked as whoever is signed in here; see `standing`.

    Which roles it has is known for a service principal of a tenant (its own token tells its object id) and for an identity token of
    ours, which was got by the sign-in that asks. None for what is no registry of a cloud that we know. Raise `NoIdentity` where
    nobody is signed in, `AzureError`, `TransportError`.
    """
    cloud = cloud_of(registry)
    if cloud is None:
        return None
    with contextlib.closing(Access(config, environ, open_=open_, clock=clock)) as access:
        way = access.way(cloud.name)
        names = RegistryNames.of(way)
        object_id = "" if at_the_door else _object_id(way, cloud, registry, principal, clock)
        return standing(way, names, registry, Account(account, repository, object_id), at_the_door=at_the_door, now=clock())


def _object_id(way: Way, cloud: Cloud, registry: Registry, principal: Principal | None, clock: Callable[[], float]) -> str:
    """The object id of *principal*, as a token of its own tells it; empty where none can be had."""
    if principal is None or ENTRA_LABEL in dict(principal.labels):
        token = way.tokens.get(cloud.management_scope) if principal else ""
    elif can_diagnose(principal, registry):
        try:
            token = _source(principal, cloud, way.far, clock).token(REGISTRY_SCOPE).value
        except AzureError:
            # Why there is none is `diagnose`'s to say.
            return ""
    else:
        return ""
    said = claims_of(token).get("oid")
    return said if isinstance(said, str) and re.fullmatch(GUID, said) else ""


def _source(principal: Principal, cloud: Cloud, far: Transport, clock: Callable[[], float]) -> ClientSecret:
    """*principal* as it signs in to the authority of *cloud*, in our table, and nowhere else."""
    return ClientSecret(Entra(far, cloud.authority, principal.tenant, clock=clock), principal.account, principal.slot(clock()).secret)
