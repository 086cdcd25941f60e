"""Why a registry of Azure refuses a service principal: the registry says only that it does, Entra says why.

Source: Microsoft Learn "Troubleshoot registry login"; the registry's own words for an expired secret and for a wrong one are the same.
"""

from __future__ import annotations

import os
import re
import time

from registryauth.azure.acr import Acr
from registryauth.azure.acr_errors import Meaning, is_azures
from registryauth.azure.clouds import cloud_of
from registryauth.azure.entra import ClientSecret, Entra
from registryauth.azure.entra_errors import GUID
from registryauth.azure.tokens import Tokens
from registryauth.azure.wire import open_wire
from registryauth.errors import Error, TransportError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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
        entra = Entra(wire.far, cloud.authority, principal.tenant, clock=clock)
        source = ClientSecret(entra, principal.account, principal.slot(clock()).secret)
        try:
            login = Acr(Tokens(source, clock), wire.far, cloud, clock=clock).sign_in(asked, tenant=principal.tenant, look=False)
        except TransportError as error:
            return Meaning(f"Entra could not be asked: {error.message}", error.hint)
        except Error as error:
            return Meaning(error.message, error.hint)
    role = "Container Registry Repository Reader (it has repository permissions, where AcrPull counts for nothing)"
    return Meaning(
        "Entra takes the secret, and so does the registry's exchange",
        f"what is lacking is a role: {role if login.refresh.abac else 'AcrPull'}; a new one takes up to 10 minutes",
    )
