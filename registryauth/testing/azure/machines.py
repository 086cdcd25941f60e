"""Managed identities: the endpoints from which a machine gets its tokens.

Sources: Microsoft Learn "How to use managed identities on a virtual machine to acquire an access token" (IMDS), "How to use managed
identities for App Service"; azure-identity 1.27 ``_credentials/{imds,app_service,azure_ml}.py``.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Literal

from registryauth._http.messages import Request, Response
from registryauth.testing import answers, asked
from registryauth.testing.azure.directory import App

if TYPE_CHECKING:
    from registryauth.testing.azure.simulator import AzureSimulator

METADATA_HOST = "169.254.169.254"
_METADATA = "/metadata/identity/oauth2/token"
_APP_SERVICE = "/msi/token"
#: Where a client says which of several identities it means.
_NAMES = ("client_id", "clientid", "object_id", "principal_id", "msi_res_id", "mi_res_id")


class Machines:
    """One machine: *identity* is its own, *others* were assigned to it by a user. Without any every request is refused.

    *style* of ``expires_on`` is a number in a string, or a date, as old App Service endpoints write it (azure-identity before 1.16
    read both; msal reads the number only).
    """

    def __init__(self, azure: AzureSimulator) -> None:
        self.azure = azure
        self.identity: App | None = None
        self.others: list[App] = []
        self.style: Literal["number", "date"] = "number"
        self.secret = secrets.token_hex(16)

    def environment(self, base: str, kind: Literal["app service", "azure ml"] = "app service") -> dict[str, str]:
        """What such a machine has in its environment, with the simulator served at *base*."""
        where = f"{base.rstrip('/')}{_APP_SERVICE}"
        if kind == "azure ml":
            return {"MSI_ENDPOINT": where, "MSI_SECRET": self.secret}
        return {"IDENTITY_ENDPOINT": where, "IDENTITY_HEADER": self.secret}

    def knows(self, request: Request) -> bool:
        """Whether *request* is for a machine's endpoint."""
        return asked.path(request) in (_METADATA, _APP_SERVICE)

    def answer(self, request: Request) -> Response:
        """What the endpoint says to *request*."""
        by_metadata = asked.path(request) == _METADATA
        if by_metadata and request.header("metadata").lower() != "true":
            # The field keeps what is tricked into asking from getting a token (IMDS, "Required header").
            return _refused(request, 400, "bad_request_102", "Required metadata header not specified")
        if not by_metadata and self.secret not in (request.header("x-identity-header"), request.header("secret")):
            return _refused(request, 401, "unauthorized", "The secret of the endpoint is missing or wrong.")
        found = self._meant(request)
        if found is None:
            return _refused(request, 400, "invalid_request", "Identity not found")
        resource = asked.parameter(request, "resource")
        if resource.rstrip("/") not in self.azure.entra.audiences:
            message = f"AADSTS500011: The resource principal named {resource} was not found in the tenant named {found.tenant.name}."
            return _refused(request, 400, "invalid_resource", message)
        return answers.document(request, 200, self._granted(found, resource, by_metadata=by_metadata))

    def _meant(self, request: Request) -> App | None:
        named = {value.lower() for name in _NAMES for value in asked.parameters(request, name)}
        if not named:
            return self.identity or (self.others[0] if len(self.others) == 1 else None)
        several = [*self.others, *([self.identity] if self.identity else [])]
        return next((app for app in several if named & {app.app_id, app.principal_id, f"/identities/{app.name}".lower()}), None)

    def _granted(self, app: App, resource: str, *, by_metadata: bool) -> dict[str, Any]:
        until = int(self.azure.now()) + self.azure.entra.lifetime
        shown: str = str(until)
        if self.style == "date":
            from datetime import UTC, datetime

            shown = datetime.fromtimestamp(until, UTC).strftime("%m/%d/%Y %H:%M:%S +00:00")
        answer = {"access_token": self.azure.entra.token(app, resource), "expires_on": shown, "resource": resource, "token_type": "Bearer"}
        lasts = {
            "expires_in": str(self.azure.entra.lifetime),
            "not_before": str(int(self.azure.now())),
            "ext_expires_in": str(self.azure.entra.lifetime),
        }
        return {**answer, "client_id": app.app_id, **(lasts if by_metadata else {})}


def _refused(request: Request, status: int, error: str, description: str) -> Response:
    return answers.document(request, status, {"error": error, "error_description": description})
