"""Azure Resource Manager: who may ask, what for, and which part of it answers.

Sources: Microsoft Learn "Azure Resource Manager REST API", "Resolve common Azure deployment errors" (codes and texts), and the
examples of azure-rest-api-specs named in the modules that answer.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from registryauth._http.messages import Headers, Request, Response
from registryauth.testing import answers, asked
from registryauth.testing.azure.authorization import Authorization
from registryauth.testing.azure.calls import Call
from registryauth.testing.azure.directory import User, new_id
from registryauth.testing.azure.refusals import ServiceRefusal, management_error
from registryauth.testing.azure.registries import Registries
from registryauth.testing.azure.workspaces import Workspaces

if TYPE_CHECKING:
    from registryauth.testing.azure.registry import AzureRegistry
    from registryauth.testing.azure.simulator import AzureSimulator
    from registryauth.testing.azure.workspaces import Workspace

_VERSION = r"20\d\d-\d\d-\d\d(-preview|-privatepreview)?"
#: Versions that are gone (Microsoft Learn, "Azure Container Registry API versions").
_RETIRED = ("2016-06-27-preview", "2017-06-01-preview", "2018-02-01-preview")
_ROUTE = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)(?:/resourceGroups/(?P<group>[^/]+))?"
    r"(?:/providers/(?P<provider>[^/]+)/(?P<rest>.+)|/(?P<listing>resources|resourceGroups|providers))?",
    re.IGNORECASE,
)


class ResourceManager:
    """Answers at the management host. *page_size* is how many entries a list has before its ``nextLink``; 0 is all."""

    def __init__(self, azure: AzureSimulator) -> None:
        self.azure = azure
        self.page_size = 0
        self.authorization = Authorization(azure)
        self._providers = {
            "microsoft.containerregistry": Registries(azure).answer,
            "microsoft.machinelearningservices": Workspaces(azure).answer,
        }

    def answer(self, request: Request) -> Response:
        """What resource management says to *request*."""
        try:
            answer = self._answer(request)
        except ServiceRefusal as refusal:
            answer = management_error(request, refusal)
        ids = [("x-ms-request-id", new_id()), ("x-ms-correlation-request-id", new_id()), ("cache-control", "no-cache")]
        answer.headers = Headers([*answer.headers, *ids])
        return answer

    def _answer(self, request: Request) -> Response:
        path = asked.path(request).rstrip("/")
        if path.lower() == "/metadata/endpoints":
            return answers.document(request, 200, self._metadata(asked.parameter(request, "api-version")))
        caller = self._caller(request)
        version = _checked_version(request)
        call = Call(self.azure, request, caller, version, path)
        if path.lower() == "/subscriptions":
            return self._listed(request, [self._subscription()])
        answer = self.authorization.answer(call)
        if answer is not None:
            return answer if isinstance(answer, Response) else self._listed(request, answer)
        found = _ROUTE.fullmatch(path)
        if not found:
            raise ServiceRefusal(404, "InvalidResourceType", f"The path '{path}' names no resource type that there is.")
        return self._routed(request, call, found)

    def _routed(self, request: Request, call: Call, found: re.Match[str]) -> Response:
        if found["subscription"].lower() != self.azure.subscription:
            raise ServiceRefusal(404, "SubscriptionNotFound", f"The subscription '{found['subscription']}' could not be found.")
        group, provider = found["group"] or "", (found["provider"] or "").lower()
        if provider in self._providers:
            answer = self._providers[provider](call, group, found["rest"].split("/"))
            return answer if isinstance(answer, Response) else self._listed(request, answer)
        listing = (found["listing"] or "").lower()
        if listing == "resources":
            return self._listed(request, self._resources(call))
        if listing == "resourcegroups":
            call.require("Microsoft.Resources/subscriptions/resourceGroups/read", call.path)
            return self._listed(request, [self._group(name) for name in self.azure.groups])
        if provider or listing:
            raise ServiceRefusal(404, "InvalidResourceNamespace", f"The resource namespace '{found['provider']}' is invalid.")
        call.require("Microsoft.Resources/subscriptions/read", call.path)
        if group:
            call.require_group(group)
            return answers.document(request, 200, self._group(group))
        return answers.document(request, 200, self._subscription())

    def _caller(self, request: Request) -> User:
        """Whose token it is; resource management takes its own audiences only, of the subscription's tenant."""
        azure = self.azure
        scheme, _, token = request.header("authorization").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise _unauthenticated(azure, "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
        claims = azure.entra.signer.read(token.strip())
        if claims is None:
            raise _unauthenticated(azure, "InvalidAuthenticationToken", "The access token is invalid.")
        if claims["exp"] <= azure.now():
            shown = [_said(at) for at in (claims["exp"], azure.now())]
            message = f"The access token expiry UTC time '{shown[0]}' is earlier than current UTC time '{shown[1]}'."
            raise _unauthenticated(azure, "ExpiredAuthenticationToken", message)
        if claims["aud"].rstrip("/") not in azure.management_audiences:
            message = (
                f"The access token has been obtained for wrong audience or resource '{claims['aud']}'. It should exactly match with one of "
                f"the allowed audiences '{','.join(sorted(azure.management_audiences))}'."
            )
            raise _unauthenticated(azure, "InvalidAuthenticationTokenAudience", message)
        holder = azure.entra.holder(claims)
        if holder is None or holder.tenant is not azure.home:
            message = (
                f"The access token is from the wrong issuer '{claims['iss']}'. It must match the tenant "
                f"'https://sts.windows.net/{azure.home.id}/' associated with this subscription."
            )
            raise _unauthenticated(azure, "InvalidAuthenticationTokenTenant", message)
        return holder

    def _metadata(self, version: str) -> Any:  # noqa: ANN401 - an object, or in older versions a list of clouds
        """What a cloud says of itself (Microsoft Learn "az cloud register"; azure-cli-core ``cloud.py`` reads both shapes)."""
        cloud, suffix = self.azure.cloud, self.azure.blobs.suffix.partition(".")[2]
        described = {
            "name": cloud.name,
            "portal": "https://portal.azure.com",
            "authentication": {
                "loginEndpoint": f"{cloud.authority}/",
                "audiences": [f"{one}/" for one in sorted(self.azure.management_audiences)],
                "tenant": "common",
                "identityProvider": "AAD",
            },
            "resourceManager": f"{cloud.management}/",
            "microsoftGraphResourceId": f"{cloud.graph}/",
            "suffixes": {"acrLoginServer": cloud.registry_suffix.lstrip("."), "storage": suffix},
        }
        return [described] if version < "2022-09-01" else described

    def _subscription(self) -> dict[str, Any]:
        azure = self.azure
        return {
            "id": f"/subscriptions/{azure.subscription}",
            "authorizationSource": "RoleBased",
            "subscriptionId": azure.subscription,
            "tenantId": azure.home.id,
            "displayName": "Simulated subscription",
            "state": "Enabled",
        }

    def _group(self, name: str) -> dict[str, Any]:
        where = f"/subscriptions/{self.azure.subscription}/resourceGroups/{name}"
        properties = {"provisioningState": "Succeeded"}
        kind = "Microsoft.Resources/resourceGroups"
        return {"id": where, "name": name, "type": kind, "location": self.azure.groups.get(name, ""), "properties": properties}

    def _resources(self, call: Call) -> list[dict[str, Any]]:
        """Resources that the caller may read; a filter may name type and name (Microsoft Learn "Resources - List")."""
        condition = asked.parameter(call.request, "$filter").lower()
        wanted = dict(re.findall(r"(resourcetype|name)\s+eq\s+'([^']*)'", condition))
        held: list[AzureRegistry | Workspace] = [*self.azure.registries, *self.azure.workspaces]
        several = [
            {"id": one.id, "name": one.name, "type": one.type, "location": one.location}
            for one in held
            if call.may(f"{one.type}/read", one.id)
        ]
        return [
            one
            for one in several
            if wanted.get("resourcetype", one["type"].lower()) == one["type"].lower()
            and wanted.get("name", one["name"].lower()) == one["name"].lower()
        ]

    def _listed(self, request: Request, entries: list[Any]) -> Response:
        """A page of *entries*, and where the next one is."""
        start = int(asked.parameter(request, "$skiptoken") or 0)
        page = entries[start : start + self.page_size] if self.page_size else entries
        more: dict[str, Any] = {}
        if start + len(page) < len(entries):
            path, _, query = request.url.target.partition("?")
            kept = "&".join(part for part in query.split("&") if not part.startswith(("$skiptoken", "%24skiptoken")))
            more = {"nextLink": f"{request.url.origin}{path}?{kept}&{quote('$skiptoken')}={start + len(page)}"}
        return answers.document(request, 200, {"value": page, **more})


def _checked_version(request: Request) -> str:
    version = asked.parameter(request, "api-version")
    if not version:
        message = "The api-version query parameter (?api-version=) is required for all requests."
        raise ServiceRefusal(400, "MissingApiVersionParameter", message)
    if not re.fullmatch(_VERSION, version) or version in _RETIRED:
        raise ServiceRefusal(400, "InvalidApiVersionParameter", f"The api-version '{version}' is invalid.")
    return version


def _unauthenticated(azure: AzureSimulator, code: str, message: str) -> ServiceRefusal:
    authority = f"{azure.cloud.authority}/{azure.home.id}"
    challenge = f'Bearer authorization_uri="{authority}", error="invalid_token", error_description="{message}"'
    return ServiceRefusal(401, code, message, [("www-authenticate", challenge)])


def _said(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%m/%d/%Y %I:%M:%S %p")
