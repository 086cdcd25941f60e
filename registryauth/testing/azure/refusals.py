"""What each of Azure's services says when it says no."""

from __future__ import annotations

from typing import Any

from registryauth._http.messages import Request, Response
from registryauth.testing import answers
from registryauth.testing.azure.directory import new_id


class EntraRefusal(Exception):
    """An ``AADSTS`` error: its *code*, 0 for OAuth's own, the *error* word of RFC 6749 §5.2 and the *status*."""

    def __init__(self, code: int, message: str, error: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.error, self.status = code, message, error, status


class ServiceRefusal(Exception):
    """An error of resource management or Graph: both word it ``{"error": {"code", "message"}}``."""

    def __init__(self, status: int, code: str, message: str, fields: answers.Fields = ()) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.fields = status, code, message, tuple(fields)


def management_error(request: Request, refusal: ServiceRefusal) -> Response:
    """As resource management words it (Microsoft Learn "Azure Resource Manager common error codes")."""
    described = {"error": {"code": refusal.code, "message": refusal.message}}
    return answers.document(request, refusal.status, described, refusal.fields)


def graph_error(request: Request, refusal: ServiceRefusal, at: str) -> Response:
    """As Graph words it (Microsoft Learn "Microsoft Graph error responses and resource types")."""
    inner: dict[str, Any] = {"date": at, "request-id": new_id(), "client-request-id": new_id()}
    described = {"error": {"code": refusal.code, "message": refusal.message, "innerError": inner}}
    return answers.document(request, refusal.status, described, refusal.fields)


#: Azure/acr issues since 2021, recordings of azure-sdk-for-js: the registry's words for "who are you".
AUTHENTICATION_REQUIRED = "authentication required, visit https://aka.ms/acr/authorization for more information."


def registry_error(
    request: Request, status: int, code: str, message: str, *, detail: object = None, fields: answers.Fields = ()
) -> Response:
    """As a registry words it; *detail* is left out where there is none, and the correlation id comes at the end of the text."""
    described: dict[str, Any] = {"code": code, "message": f"{message} CorrelationId: {new_id()}"}
    return answers.document(request, status, {"errors": [described | ({} if detail is None else {"detail": detail})]}, fields)
