"""Microsoft Graph's applications and service principals.

Sources: Microsoft Learn "Microsoft Graph REST API v1.0": application (list, get, create, delete, addPassword, removePassword),
servicePrincipal (the same), "Error responses"; what is said of a secret that is not there is Azure's, as Terraform's and Vault's
tests record it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from registryauth._http.messages import Headers, Request, Response
from registryauth._json import load_json
from registryauth.errors import ContentError
from registryauth.testing import answers, asked
from registryauth.testing.azure.directory import DEFAULT_LIFETIME, App, Secret, User, new_id
from registryauth.testing.azure.refusals import ServiceRefusal, graph_error

if TYPE_CHECKING:
    from registryauth.testing.azure.simulator import AzureSimulator

_ROUTE = re.compile(
    r"/v1\.0/(?P<what>applications|servicePrincipals)(?:\(appId='(?P<app>[^']*)'\)|/(?P<id>[^/]+))?(?:/(?P<verb>\w+))?", re.IGNORECASE
)
_MOST_SECRETS = 2000


class Graph:
    """Answers at the Graph host. *page_size* is how many entries a list has before its next link; 0 is all."""

    def __init__(self, azure: AzureSimulator) -> None:
        self.azure = azure
        self.page_size = 0

    def answer(self, request: Request) -> Response:
        """What Graph says to *request*."""
        try:
            answer = self._answer(request)
        except ServiceRefusal as refusal:
            answer = graph_error(request, refusal, datetime.fromtimestamp(self.azure.now(), UTC).strftime("%Y-%m-%dT%H:%M:%S"))
        answer.headers = Headers([*answer.headers, ("request-id", new_id()), ("client-request-id", new_id())])
        return answer

    def _answer(self, request: Request) -> Response:
        caller = self._caller(request)
        path = asked.path(request).rstrip("/")
        if path == "/v1.0/me":
            return answers.document(request, 200, {"id": caller.principal_id, "displayName": caller.name})
        found = _ROUTE.fullmatch(path)
        if not found:
            segment = path.split("/")[2] if path.count("/") > 1 else path
            raise ServiceRefusal(400, "BadRequest", f"Resource not found for the segment '{segment}'.")
        principals = found["what"].lower() == "serviceprincipals"
        if found["app"] is None and found["id"] is None:
            return self._collection(request, caller, principals=principals)
        app = self._app(caller, found, principals=principals)
        return self._one(request, caller, app, found["verb"], principals=principals)

    def _caller(self, request: Request) -> User:
        scheme, _, token = request.header("authorization").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise ServiceRefusal(401, "InvalidAuthenticationToken", "Access token is empty.")
        claims = self.azure.entra.signer.read(token.strip())
        if claims is None:
            raise ServiceRefusal(401, "InvalidAuthenticationToken", "IDX14100: JWT is not well formed, there are no dots (.).")
        if claims["exp"] <= self.azure.now():
            raise ServiceRefusal(401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.")
        holder = self.azure.entra.holder(claims)
        if claims["aud"].rstrip("/") != str(self.azure.cloud.graph) or holder is None:
            raise ServiceRefusal(401, "InvalidAuthenticationToken", "Access token validation failure. Invalid audience.")
        return holder

    def _collection(self, request: Request, caller: User, *, principals: bool) -> Response:
        if request.method == "POST":
            return answers.document(request, 201, self._created(caller, _body(request), principals=principals))
        if request.method != "GET":
            raise ServiceRefusal(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
        _require(caller, None, write=False)
        condition = asked.parameter(request, "$filter")
        wanted = re.fullmatch(r"(appId|displayName)\s+eq\s+'((?:[^']|'')*)'", condition.strip()) if condition else None
        if condition and not wanted:
            raise ServiceRefusal(400, "Request_UnsupportedQuery", "Unsupported or invalid query filter clause specified.")
        several = [app for app in caller.tenant.apps if app.has_principal or not principals]
        if wanted:
            value = wanted[2].replace("''", "'")
            several = [app for app in several if (app.app_id if wanted[1] == "appId" else app.name).lower() == value.lower()]
        return self._listed(request, [self._shown(app, principals=principals) for app in several])

    def _listed(self, request: Request, entries: list[Any]) -> Response:
        start = int(asked.parameter(request, "$skiptoken") or 0)
        size = int(asked.parameter(request, "$top") or self.page_size or len(entries) or 1)
        page = entries[start : start + size]
        more: dict[str, Any] = {"@odata.context": f"{request.url.origin}/v1.0/$metadata#directoryObjects", "value": page}
        if start + len(page) < len(entries):
            path, _, query = request.url.target.partition("?")
            kept = "&".join(part for part in query.split("&") if part and not part.startswith(("$skiptoken", "%24skiptoken")))
            more["@odata.nextLink"] = f"{request.url.origin}{path}?{kept}{'&' if kept else ''}{quote('$skiptoken')}={start + len(page)}"
        return answers.document(request, 200, more)

    def _created(self, caller: User, wanted: dict[str, Any], *, principals: bool) -> dict[str, Any]:
        tenant, now = caller.tenant, self.azure.now()
        if principals:
            _require(caller, None, write=True)
            app = tenant.app_of(str(wanted.get("appId", "")))
            if app is None:
                message = f"The appId '{wanted.get('appId')}' of the service principal does not reference a valid application object."
                raise ServiceRefusal(400, "Request_BadRequest", message)
            if app.has_principal:
                message = (
                    "The service principal cannot be created, updated, or restored because the service principal name "
                    f"{app.app_id} is already in use."
                )
                raise ServiceRefusal(409, "Request_MultipleObjectsWithSameKeyValue", message)
            app.has_principal, app.known_at = True, now + tenant.replication
        else:
            _require(caller, None, write=True)
            if not wanted.get("displayName"):
                raise ServiceRefusal(400, "Request_BadRequest", "A value is required for property 'displayName' of resource 'Application'.")
            app = tenant.app(str(wanted["displayName"]))
            app.has_principal, app.known_at = False, now + tenant.replication
            app.owners.add(caller.principal_id)
        return self._shown(app, principals=principals)

    def _app(self, caller: User, found: re.Match[str], *, principals: bool) -> App:
        """The application that the path names: by its object id, the service principal's, or ``(appId='…')``."""
        key: Callable[[App], str] = (lambda app: app.principal_id) if principals else (lambda app: app.object_id)
        for app in caller.tenant.apps:
            same = app.app_id == found["app"].lower() if found["app"] is not None else key(app) == found["id"].lower()
            if same and (app.has_principal or not principals):
                return app
        name = found["app"] or found["id"]
        message = f"Resource '{name}' does not exist or one of its queried reference-property objects are not present."
        raise ServiceRefusal(404, "Request_ResourceNotFound", message)

    def _one(self, request: Request, caller: User, app: App, verb: str | None, *, principals: bool) -> Response:
        match (verb or "").lower(), request.method:
            case "", "GET":
                _require(caller, app, write=False)
                return answers.document(request, 200, self._shown(app, principals=principals))
            case "", "DELETE":
                _require(caller, app, write=True)
                self._delete(app, principals=principals)
                return answers.empty(request, 204)
            case "addpassword", "POST":
                _require(caller, app, write=True)
                return answers.document(request, 200, self._added(app, _body(request), principals=principals))
            case "removepassword", "POST":
                _require(caller, app, write=True)
                return self._removed(request, app, str(_body(request).get("keyId", "")), principals=principals)
        raise ServiceRefusal(400, "BadRequest", f"Resource not found for the segment '{verb}'.")

    def _delete(self, app: App, *, principals: bool) -> None:
        app.has_principal = False
        if not principals:
            app.tenant.apps.remove(app)

    def _added(self, app: App, body: dict[str, Any], *, principals: bool) -> dict[str, Any]:
        """A new secret, its text in this answer alone."""
        wanted = body.get("passwordCredential") or {}
        held, now = (app.principal_secrets if principals else app.secrets), self.azure.now()
        if len(held) >= _MOST_SECRETS:
            raise ServiceRefusal(400, "Directory_QuotaExceeded", "The directory object quota limit for the Principal has been exceeded.")
        starts = _time(wanted, "startDateTime", now)
        ends = _time(wanted, "endDateTime", starts + DEFAULT_LIFETIME)
        if app.tenant.longest_secret and ends - starts > app.tenant.longest_secret:
            # Azure/azure-cli#28522, OfficeDev/microsoft-365-agents-toolkit#10998
            message = f"Credential lifetime exceeds the max value allowed as per assigned policy '{new_id()}'."
            raise ServiceRefusal(400, "CredentialInvalidLifetimeAsPerAppPolicy", message)
        made = Secret(str(wanted.get("displayName") or ""), starts, ends, now + app.tenant.replication)
        held.append(made)
        return {**_credential(made), "secretText": made.value}

    def _removed(self, request: Request, app: App, key_id: str, *, principals: bool) -> Response:
        if key_id not in (one.key_id for one in app.visible_secrets(principal=principals)):
            raise ServiceRefusal(400, "Request_BadRequest", f"No password credential found with keyId {key_id}.")
        app.remove_secret(key_id, delay=app.tenant.replication)
        return answers.empty(request, 204)

    def _shown(self, app: App, *, principals: bool) -> dict[str, Any]:
        common = {
            "id": app.principal_id if principals else app.object_id,
            "appId": app.app_id,
            "displayName": app.name,
            "keyCredentials": [],
            "passwordCredentials": [_credential(one) for one in app.visible_secrets(principal=principals)],
        }
        if principals:
            return {**common, "servicePrincipalType": "Application", "accountEnabled": True, "appOwnerOrganizationId": app.tenant.id}
        return {**common, "createdDateTime": _odata(app.created_at), "signInAudience": "AzureADMyOrg", "identifierUris": []}


def _require(caller: User, app: App | None, *, write: bool) -> None:
    """ReadWrite.All may all, ReadWrite.OwnedBy its own; a person may look without either."""
    has = caller.graph
    owned = "Application.ReadWrite.OwnedBy" in has and (app is None or caller.principal_id in app.owners or app is caller)
    reads = not write and (not isinstance(caller, App) or "Application.Read.All" in has)
    if "Application.ReadWrite.All" not in has and not owned and not reads:
        raise ServiceRefusal(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def _body(request: Request) -> dict[str, Any]:
    try:
        found = load_json(request.body or b"{}", "the request", error=ContentError)
    except ContentError:
        found = None
    if not isinstance(found, dict):
        raise ServiceRefusal(
            400,
            "BadRequest",
            "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.",
        )
    return found


def _time(wanted: dict[str, Any], name: str, default: float) -> float:
    value = wanted.get(name)
    if value is None:
        return default
    try:
        return datetime.fromisoformat(str(value)).timestamp()
    except ValueError:
        raise ServiceRefusal(
            400, "Request_BadRequest", f"Invalid value specified for property '{name}' of resource 'PasswordCredential'."
        ) from None


def _odata(at: float) -> str:
    """A time with seven digits after the second's point, as Graph writes it (application: addPassword, Response)."""
    whole = datetime.fromtimestamp(at, UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{whole.microsecond:06d}1Z"


def _credential(secret: Secret) -> dict[str, Any]:
    return {
        "customKeyIdentifier": None,
        "displayName": secret.name or None,
        "endDateTime": _odata(secret.ends_at),
        "hint": secret.hint,
        "keyId": secret.key_id,
        "secretText": None,
        "startDateTime": _odata(secret.starts_at),
    }
