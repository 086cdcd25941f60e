"""Signing in to a registry of Azure: an Entra token, traded for the registry's own refresh token.

Source: Azure/acr ``docs/AAD-OAuth.md``. The Entra token is for the registry's own audience; where Entra has no such resource, or the
registry refuses it, for resource management, which `azureADAuthenticationAsArmPolicy` allows by default (azure-cli#33698, #33674).
"""

from __future__ import annotations

import re
import time

from registryauth._http import MAX_ERROR_BODY, USER_AGENT, Request
from registryauth._http.retrying import retry_after
from registryauth._http.tls import NotTls
from registryauth._origin import Url, is_loopback
from registryauth._value import Value
from registryauth.auth.challenge import choose, parse
from registryauth.auth.exchange import MAX_TOKEN_BODY, read_refusal
from registryauth.azure.acr_errors import Refusal, meaning, unreached
from registryauth.azure.clouds import REGISTRY_SCOPE
from registryauth.azure.entra_errors import AUDIENCE_CODES
from registryauth.azure.exchange import exchange_request, is_bearer, read_refresh_token, service_of, tenant_of
from registryauth.credentials import IdentityToken
from registryauth.errors import (
    AzureError,
    Denied,
    Error,
    NoIdentity,
    RealmRefused,
    RegistryError,
    SizeMismatch,
    TokenRefused,
    TooManyRequests,
    TransportError,
)
from registryauth.registries import provider_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from registryauth._http import Response
    from registryauth._http.messages import Transport
    from registryauth._origin import Origin
    from registryauth.azure.clouds import Cloud
    from registryauth.azure.exchange import RefreshToken
    from registryauth.azure.tokens import Tokens
    from registryauth.reference import Registry

#: The first part of a login server: a registry's name, and the hash of a domain name label.
_LABEL = r"[a-z0-9]+(?:-[a-z0-9]+)?(?:\.[a-z0-9]+\.geo)?"


class AcrLogin(Value, hidden=("refresh",)):
    """What a sign-in to *registry* gave: its *refresh* token, for which *audience* it was got, and in which *tenant*.

    *notices* is what a person should know of how it went.
    """

    registry: Registry
    refresh: RefreshToken
    audience: str
    tenant: str = ""
    notices: tuple[str, ...] = ()

    @property
    def credential(self) -> IdentityToken:
        """The credential that the refresh token is."""
        return IdentityToken(self.refresh.value)


def require_login_server(registry: Registry, cloud: Cloud) -> None:
    """Raise `RealmRefused` unless *registry* is a login server of *cloud* by its whole name: another would get a token of ours."""
    provider = provider_of(registry)
    if provider.name == "acr" and provider.role == "data":
        raise RealmRefused(f"{registry} serves blobs only and takes no login", hint="name the registry itself")
    if is_loopback(registry.hostname) and is_loopback(cloud.authority.host):
        return
    suffix = cloud.registry_suffix
    before = registry.host.removesuffix(suffix)
    if len(suffix) > 1 and before != registry.host and re.fullmatch(_LABEL, before):
        return
    where = f"a registry of {cloud.name}"
    raise RealmRefused(
        f"{registry} is not {where}, so no Entra token goes there",
        hint=f"its name ends in {suffix}; of another cloud: --cloud, or azure.cloud",
    )


class Acr:
    """Signs in to registries of *cloud* with Entra's *tokens*; *far* is the way to them."""

    def __init__(self, tokens: Tokens, far: Transport, cloud: Cloud, *, clock: Callable[[], float] = time.time) -> None:
        self._tokens, self._far, self._cloud, self._clock = tokens, far, cloud, clock

    def sign_in(self, registry: Registry, *, tenant: str = "", look: bool = True) -> AcrLogin:
        """A refresh token for *registry*: a request for its challenge, one to Entra, one for the exchange.

        *look* False leaves the challenge out, which says nothing new of a registry of Azure, unless the exchange is not answered
        as expected. *tenant* is passed on if given, else the one that the Entra token names. Raise `RealmRefused` for what is no
        registry of the cloud, `Denied` where its firewall stops us, `TooManyRequests`, `TokenRefused`, `AzureError` where Entra
        gives no token, `TransportError`.
        """
        require_login_server(registry, self._cloud)
        # On this machine nothing goes without saying: neither TLS, nor the registry's name.
        look = look or registry.is_loopback
        origin, service = self._asked(registry) if look else (registry.origin(), registry.host)
        try:
            return self._with(registry, origin, service, REGISTRY_SCOPE, tenant)
        except NoIdentity:
            raise
        except (AzureError, TokenRefused) as error:
            if not look and not isinstance(error, AzureError):
                # What we took for granted may not hold here.
                found = self._asked(registry)
                if found != (origin, service):
                    return self._with(registry, *found, REGISTRY_SCOPE, tenant)
            if not _speaks_of_audience(error):
                raise
            return self._otherwise(registry, origin, service, tenant, error)

    def _otherwise(self, registry: Registry, origin: Origin, service: str, tenant: str, first: AzureError | TokenRefused) -> AcrLogin:
        """With a token for resource management; if that does not work either, *first* is what is said."""
        try:
            found = self._with(registry, origin, service, self._cloud.management_scope, tenant)
        except (AzureError, TokenRefused) as second:
            where = "either audience" if isinstance(first, TokenRefused) else "the registry's own audience"
            first.hint = f"{first.hint}\nwith {where} it was refused; for resource management: {second.message}".strip()
            raise first from second
        why = first.message.partition("\n")[0]
        notice = f"signed in with a token for resource management ({self._cloud.audience}), because {why}"
        return found.replace(notices=(notice,))

    def _with(self, registry: Registry, origin: Origin, service: str, scope: str, tenant: str) -> AcrLogin:
        token = self._tokens.get(scope)
        tenant = tenant_of(token) or tenant
        with self._far.send(exchange_request(origin, service, token, tenant)) as response:
            if response.status == 200:
                refresh = read_refresh_token(response.read(MAX_TOKEN_BODY), response.headers, self._clock())
                return AcrLogin(registry, refresh, scope.removesuffix("/.default"), tenant)
            raise self._refusal(registry, response, token)

    def _asked(self, registry: Registry) -> tuple[Origin, str]:
        """Where the registry answers, and which service it says that it is."""
        origin = registry.origin()
        try:
            response = self._challenge(origin)
        except NotTls:
            if not registry.is_loopback:
                raise
            origin = registry.origin(plain_http=True)
            response = self._challenge(origin)
        except TransportError as error:
            unreached(error, registry)
            raise
        with response:
            if response.status == 401 and (lines := response.headers.all("www-authenticate")):
                asked = choose(parse(lines))
                if is_bearer(asked):
                    return origin, service_of(asked, origin)
            if response.status in (403, 429) or response.status >= 500:
                raise self._refusal(registry, response)
        raise RegistryError(
            f"{registry} does not answer as a registry of Azure does (status {response.status} to GET /v2/)",
            status=response.status,
            hint="is the address right, and no captive portal in the way? nothing was sent but the question",
        )

    def _challenge(self, origin: Origin) -> Response:
        fields = (("accept", "application/json"), ("accept-encoding", "identity"), ("user-agent", USER_AGENT))
        return self._far.send(Request("GET", Url(origin, "/v2/"), fields))

    def _refusal(self, registry: Registry, response: Response, token: str = "") -> Error:
        """The error that *response* stands for; nothing of it is shown that *token* is a part of."""
        status, wished = response.status, retry_after(response.headers.get("retry-after"), self._clock())
        if 300 <= status < 400:
            return RealmRefused(f"{registry} sent the exchange elsewhere ({status}); no token goes there", hint="report it to its owner")
        words = _words(response, token)
        said = f": {words}" if words else ""
        if status == 429:
            hint = f"wait {wished:.0f} seconds, then try again" if wished is not None else "wait a minute, then try again"
            return TooManyRequests(f"{registry} is throttling sign-ins{said}", retry_after=wished, hint=hint)
        if status >= 500:
            return TransportError(f"{registry} failed ({status}){said}", hint="try again later", transient=True)
        found = meaning(Refusal(registry, status, words, stage="door"))
        message = f"{registry} refused the sign-in ({status}){said}" + (f"; {found.said}" if found and found.said else "")
        if status == 403:
            return Denied(message, status=status, hint=found.hint if found else "")
        hint = found.hint if found else _HINT
        return TokenRefused(message, status=status, hint=hint)


_HINT = (
    "the identity may be of another tenant than the registry, or have no role there: it needs AcrPull, or in a registry with repository "
    "permissions (ABAC) Container Registry Repository Reader; a new one takes up to 10 minutes"
)


def _speaks_of_audience(error: AzureError | TokenRefused) -> bool:
    """Whether another audience may do: Entra has no such resource, a machine's endpoint does not know it, or the registry said 401."""
    if isinstance(error, TokenRefused):
        return error.status in (400, 401)
    return error.code in AUDIENCE_CODES or (error.status == 400 and not error.code)


def _words(response: Response, token: str) -> str:
    try:
        body = response.read(MAX_ERROR_BODY)
    except (SizeMismatch, TransportError):
        return ""
    return read_refusal(body, IdentityToken(token) if token else None)
