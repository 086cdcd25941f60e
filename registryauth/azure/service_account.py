"""A pod's service account, as whom it pulls: the account's token proves an application to Entra, whose token a registry trades.

Source: Microsoft Learn "Workload identity federation" and "First case: Access token request with a certificate" of the client
credentials flow, where the account's token stands in the certificate's place; cloud-provider-azure ``pkg/credentialprovider``.
"""

from __future__ import annotations

import re
import time

from registryauth._redact import printable
from registryauth.azure.acr import Acr
from registryauth.azure.clouds import cloud_of
from registryauth.azure.entra import Entra
from registryauth.azure.entra_errors import Proof
from registryauth.azure.tokens import Tokens
from registryauth.azure.wire import open_wire
from registryauth.errors import AzureError, RealmRefused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from registryauth.azure.tokens import AccessToken
    from registryauth.azure.wire import Wire
    from registryauth.config import Config
    from registryauth.credentials import Credential
    from registryauth.reference import Registry

#: RFC 7523 §2.2.
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#: A JWT in compact form (RFC 7515 §7.1); a projected one has about 1.5 KiB.
_JWT = r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+"
_MAX_TOKEN = 64 * 1024
#: A tenant's id, or one of its domains; an application's id.
_NAME = r"[A-Za-z0-9][A-Za-z0-9.-]{0,119}"


class ServiceAccount:
    """The application *client_id*, for which *token*, a Kubernetes service account's, vouches."""

    kind = "workload-identity"
    asks_a_person = False

    def __init__(self, entra: Entra, client_id: str, token: str) -> None:
        self._entra, self._client_id, self._token = entra, client_id, token
        self.label = f"the service account's application {printable(client_id, 60)}"

    def token(self, scope: str) -> AccessToken:
        """A new token for *scope*; see `Entra.ask`."""
        presented = {"client_assertion_type": _ASSERTION, "client_assertion": self._token}
        return self._entra.ask(self._client_id, scope, presented, self.label, Proof((self._token,)))


def sign_in_as(
    registry: Registry,
    token: str,
    client_id: str,
    tenant: str,
    config: Config,
    environ: Mapping[str, str],
    *,
    open_wire: Callable[..., Wire] = open_wire,
    clock: Callable[[], float] = time.time,
) -> tuple[Credential, int]:
    """The credential that *registry* gives the application *client_id* of *tenant*, and when it dies.

    That is in seconds since the epoch, 0 where it is not said. *token* goes to the authority of the registry's own cloud and
    nowhere else. Raise `AzureError` where Entra refuses, and what `Acr.sign_in` raises.
    """
    cloud = cloud_of(registry)
    if cloud is None:
        raise RealmRefused(f"{registry} is in no cloud of Azure that we know, so no token goes there", hint="name its login server")
    _check(token, client_id, tenant)
    said = config.registry(registry.host)
    with open_wire(environ, {registry.origin().netloc: said.ca_file} if said.ca_file else None) as wire:
        who = ServiceAccount(Entra(wire.far, cloud.authority, tenant, clock=clock), client_id, token)
        login = Acr(Tokens(who, clock), wire.far, cloud, clock=clock).sign_in(registry, tenant=tenant, look=False)
    return login.credential, login.refresh.expires_at


def _check(token: str, client_id: str, tenant: str) -> None:
    if not re.fullmatch(_JWT, token) or len(token) > _MAX_TOKEN:
        raise AzureError(
            "the service account's token is no JWT", hint="tokenAttributes.serviceAccountTokenAudience makes the kubelet send one"
        )
    for name, value in (("acr-client-id", client_id), ("acr-tenant-id", tenant)):
        if not re.fullmatch(_NAME, value):
            wrong = f"{printable(value, 60)!a} is none" if value else "is missing"
            raise AzureError(
                f"the service account's annotation kubernetes.azure.com/{name} {wrong}",
                hint=f"annotate it: kubectl annotate serviceaccount NAME kubernetes.azure.com/{name}=ID",
            )
