"""Entra's token endpoint and what clients read before they ask it.

Sources: Microsoft Learn "OAuth 2.0 client credentials flow", "OAuth 2.0 device authorization grant" and "Microsoft Entra
authentication error codes"; the forms are those that azure-identity 1.27 sends. Texts of errors are those that people
reported, with the service's own words.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from registryauth._http.messages import Request, Response
from registryauth.azure.clouds import REGISTRY_SCOPE, Cloud
from registryauth.testing import answers, asked
from registryauth.testing.azure.assertions import check_assertion
from registryauth.testing.azure.device_codes import DeviceCodes
from registryauth.testing.azure.directory import App, Secret, Tenant, User, new_id
from registryauth.testing.azure.refusals import EntraRefusal
from registryauth.testing.azure.signed import Signer

#: Seconds that a token lives; recorded answers for service principals say 86399 as well (azure-sdk recordings).
LIFETIME = 3599
_SUFFIX = "/.default"
#: Names that mean "whatever tenant", which client credentials cannot use.
_NO_TENANT = ("common", "organizations", "consumers")


class Entra:
    """The authority of one cloud; *now* gives seconds since the epoch. *lifetime* is in seconds, and stays live.

    *audiences* are what tokens can be for; anything else is AADSTS500011.
    """

    def __init__(self, cloud: Cloud, now: Callable[[], float]) -> None:
        self.cloud = cloud
        self.now = now
        self.lifetime = LIFETIME
        self.tenants: list[Tenant] = []
        self.signer = Signer()
        self.device_codes = DeviceCodes(now)
        management = cloud.management.host
        self.audiences = {
            cloud.audience,
            f"https://{management}",
            f"https://{management.replace('management.', 'management.core.', 1).replace('azure.com', 'windows.net')}",
            str(cloud.graph),
            REGISTRY_SCOPE.removesuffix(_SUFFIX),
        }

    def token(self, principal: User, scope: str, *, lifetime: float | None = None) -> str:
        """A token of *principal* for *scope*, as the endpoint gives it (Microsoft Learn "Access token claims reference")."""
        now = int(self.now())
        who = {"appid": principal.app_id, "idtyp": "app"} if isinstance(principal, App) else {"unique_name": principal.name}
        tenant = principal.tenant
        return self.signer.sign(
            {
                "aud": scope.removesuffix(_SUFFIX),
                "iss": f"https://sts.windows.net/{tenant.id}/",
                "iat": now,
                "nbf": now,
                "exp": now + int(self.lifetime if lifetime is None else lifetime),
                **who,
                "oid": principal.principal_id,
                "sub": principal.principal_id,
                "tid": tenant.id,
                "uti": new_id(),
                "ver": "1.0",
                **principal.claims,
            }
        )

    def holder(self, claims: dict[str, Any]) -> User | None:
        """Whose token that is."""
        tenant = self.tenant_of(claims.get("tid", ""))
        return tenant.principal(claims.get("oid", "")) if tenant else None

    def tenant_of(self, text: str) -> Tenant | None:
        """The tenant of that id or domain."""
        return next((tenant for tenant in self.tenants if tenant.is_named(text)), None)

    def answer(self, request: Request) -> Response:
        """What the authority says to *request*."""
        name, _, rest = asked.path(request).strip("/").partition("/")
        try:
            if name == "common" and rest == "discovery/instance":
                return answers.document(request, 200, self._instances())
            tenant = self.tenant_of(name)
            if rest.endswith(".well-known/openid-configuration"):
                return answers.document(request, 200, self._described(tenant or _absent(name, "invalid_tenant"), request))
            form = {key: values[0] for key, values in parse_qs(request.body.decode("utf-8", "replace"), keep_blank_values=True).items()}
            match request.method, rest:
                case "POST", "oauth2/v2.0/token":
                    return answers.document(request, 200, self._granted(tenant or _absent(name), form), [("cache-control", "no-store")])
                case "POST", "oauth2/v2.0/devicecode":
                    url = f"{request.url.origin}/device"
                    tenant = tenant or _absent(name)
                    return answers.document(request, 200, self.device_codes.begin(form, url))
            return answers.empty(request, 404)
        except EntraRefusal as refusal:
            return self._refused(request, refusal)

    def _granted(self, tenant: Tenant, form: dict[str, str]) -> dict[str, Any]:
        match form.get("grant_type"):
            case "client_credentials":
                principal: User = self.client(tenant, form)
                scope = self._resource(tenant, form.get("scope", ""))
                return self._grant(self.token(principal, scope))
            case "urn:ietf:params:oauth:grant-type:device_code" | "device_code":
                principal = self.device_codes.redeem(form.get("device_code", ""))
                # People's clients ask for OpenID's scopes beside the one that matters.
                wanted = [one for one in form.get("scope", "").split() if one not in ("openid", "offline_access", "profile", "email")]
                scope = self._resource(tenant, wanted[0] if wanted else self.device_codes.scope(form["device_code"]))
                return self._grant(self.token(principal, scope)) | {
                    "scope": scope,
                    "id_token": self._id_token(principal, form["client_id"]),
                }
        raise EntraRefusal(70003, "The app requested an unsupported grant type", "unsupported_grant_type")

    def _id_token(self, person: User, client_id: str) -> str:
        """Who signed in (Microsoft Learn "ID token claims reference", version 2.0)."""
        now, tenant = int(self.now()), person.tenant.id
        issuer = f"{self.cloud.authority}/{tenant}/v2.0"
        who = {"sub": person.principal_id, "oid": person.principal_id, "preferred_username": person.name, "name": person.name}
        return self.signer.sign(
            {"aud": client_id, "iss": issuer, "iat": now, "nbf": now, "exp": now + self.lifetime, "tid": tenant, "ver": "2.0", **who}
        )

    def _grant(self, token: str) -> dict[str, Any]:
        return {"token_type": "Bearer", "expires_in": self.lifetime, "ext_expires_in": self.lifetime, "access_token": token}

    def client(self, tenant: Tenant, form: dict[str, str]) -> App:
        """The application that *form* proves to be; raise `EntraRefusal`."""
        client_id = form.get("client_id", "")
        if not client_id:
            raise EntraRefusal(900144, "The request body must contain the following parameter: 'client_id'.", "invalid_request")
        app = tenant.app_of(client_id)
        if app is None or app.known_at > self.now():
            raise EntraRefusal(
                700016,
                f"Application with identifier '{client_id}' was not found in the directory '{tenant.name}'. This can happen if the "
                "application has not been installed by the administrator of the tenant or consented to by any user in the tenant. "
                "You may have sent your authentication request to the wrong tenant.",
                "unauthorized_client",
            )
        if form.get("client_assertion"):
            check_assertion(app, form, self.now(), _token_urls(tenant))
        else:
            self.check_secret(app, form.get("client_secret", ""))
        if not app.has_principal:
            message = f"The client application {app.app_id} is missing service principal in the tenant {tenant.id}."
            raise EntraRefusal(7000229, message, "invalid_client", 401)
        return app

    def check_secret(self, app: App, value: str) -> Secret:
        """The application's secret *value*; raise `EntraRefusal`."""
        now = self.now()
        if not value:
            message = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
            raise EntraRefusal(7000218, message, "invalid_client", 401)
        held = [*app.secrets, *app.principal_secrets]
        known = [one for one in held if one.known_at <= now and (one.removed_at is None or now < one.removed_at)]
        found = next((one for one in known if one.value == value), None)
        if found is None or found.starts_at > now:
            raise EntraRefusal(
                7000215,
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client "
                f"secret ID, for a secret added to app '{app.app_id}'.",
                "invalid_client",
                401,
            )
        if found.ends_at <= now:
            raise EntraRefusal(
                7000222,
                f"The provided client secret keys for app '{app.app_id}' are expired. Visit the Azure portal to create new keys for your "
                "app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: "
                "https://aka.ms/certCreds.",
                "invalid_client",
                401,
            )
        return found

    def _resource(self, tenant: Tenant, scope: str) -> str:
        if not scope.endswith(_SUFFIX) or " " in scope:
            message = f"The provided value for the input parameter 'scope' is not valid. The scope {scope} is not valid."
            raise EntraRefusal(70011, message, "invalid_scope")
        # A resource may be written with a slash at its end, which doubles before .default (Microsoft Learn "Scopes", trailing slash).
        resource = scope.removesuffix(_SUFFIX).rstrip("/")
        if resource.lower() not in self.audiences:
            raise EntraRefusal(
                500011,
                f"The resource principal named {resource} was not found in the tenant named {tenant.name}. This can happen if the "
                "application has not been installed by the administrator of the tenant or consented to by any user in the tenant. "
                "You might have sent your authentication request to the wrong tenant.",
                "invalid_resource",
            )
        return scope

    def _described(self, tenant: Tenant, request: Request) -> dict[str, Any]:
        base = f"{request.url.origin}/{tenant.id}"
        return {
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "issuer": f"{base}/v2.0",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
            "jwks_uri": f"{base}/discovery/v2.0/keys",
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "tenant_region_scope": None,
            "cloud_instance_name": self.cloud.authority.host.partition(".")[2],
        }

    def _instances(self) -> dict[str, Any]:
        host = self.cloud.authority.host
        metadata = [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}]
        where = f"https://{host}/{{tenant}}/v2.0/.well-known/openid-configuration"
        return {"tenant_discovery_endpoint": where, "api-version": "1.1", "metadata": metadata}

    def _refused(self, request: Request, refusal: EntraRefusal) -> Response:
        """The error in Entra's own shape (Microsoft Learn "OAuth 2.0 client credentials flow", Error response)."""
        trace, correlation = new_id(), new_id()
        at = datetime.fromtimestamp(self.now(), UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        code = [refusal.code] if refusal.code else []
        words = f"AADSTS{refusal.code}: {refusal.message}" if code else refusal.message
        body = {
            "error": refusal.error,
            "error_description": f"{words} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {at}",
            "error_codes": code,
            "timestamp": at,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"https://{self.cloud.authority.host}/error?code={refusal.code}",
        }
        return answers.document(request, refusal.status, body, [("cache-control", "no-store"), ("x-ms-request-id", trace)])


def _token_urls(tenant: Tenant) -> set[str]:
    return {f"/{name}/{end}" for name in (tenant.id, tenant.domain) for end in ("oauth2/v2.0/token", "v2.0", "oauth2/token")}


def _absent(name: str, error: str = "invalid_request") -> Tenant:
    if name.lower() in _NO_TENANT:
        raise EntraRefusal(53003, "Client credentials need the name of a tenant.", error)
    raise EntraRefusal(
        90002,
        f"Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with "
        "your subscription administrator, this may happen if there are no active subscriptions for the tenant.",
        error,
    )
