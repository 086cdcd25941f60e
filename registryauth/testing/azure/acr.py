"""The front of a registry: firewall, challenge, exchange, tokens, and the way to where blobs are.

Sources: Azure/acr docs/AAD-OAuth.md and docs/Token-BasicAuth.md; recordings of azure-sdk-for-js (containerregistry);
azure-cli 2.91 ``acr/_docker_utils.py``; kubernetes-sigs/cloud-provider-azure ``pkg/credentialprovider``.
"""

from __future__ import annotations

import re
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qs

from registryauth._http.messages import Headers, Request, Response
from registryauth.testing import answers, asked
from registryauth.testing.accounts import Access, basic_login, bearer_token
from registryauth.testing.azure.acr_listing import AcrListing
from registryauth.testing.azure.directory import new_id
from registryauth.testing.azure.refusals import AUTHENTICATION_REQUIRED, EntraRefusal, registry_error
from registryauth.testing.azure.registry import AzureRegistry, Caller
from registryauth.testing.doorkeeper import Auth, Doorkeeper, May

#: The user name that says "the password is a token" (Azure/acr docs/AAD-OAuth.md).
NULL_ID = "00000000-0000-0000-0000-000000000000"
#: Bytes of one header field: nginx's large_client_header_buffers, which an Entra token of 6,090 characters as a password overflows
#: (Azure/acr#797).
MAX_HEADER = 8190
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_TOO_LARGE = (
    b"<html>\r\n<head><title>400 Request Header Or Cookie Too Large</title></head>\r\n<body>\r\n<center><h1>400 Bad Request</h1></center>"
    b"\r\n<center>Request Header Or Cookie Too Large</center>\r\n<hr><center>openresty</center>\r\n</body>\r\n</html>\r\n"
)


class Gatekeeper(Doorkeeper):
    """Lets a request in to the registry's images, or says why not."""

    def __init__(self, registry: AzureRegistry) -> None:
        # Not the parent's: accounts and tokens are the registry's own.
        self.registry = registry

    def admit(self, request: Request, needed: Access, wished: Access | None, auth: Auth, realm: str | None) -> May | Response:  # noqa: ARG002
        """What else the caller may do, or the challenge."""
        login = basic_login(request)
        if login:
            return self._by_password(request, needed, login)
        token = bearer_token(request)
        claims = self.registry.claims_of(token, "access_token") if token else None
        asked_for = [needed, wished] if wished else [needed]
        if claims is None:
            return self._challenged(request, asked_for, "invalid_token" if token else "")
        granted = [Access(one["type"], one["name"], tuple(one["actions"])) for one in claims["access"]]

        def may(access: Access) -> bool:
            same = [one for one in granted if one.type == access.type and one.name in (access.name, "*")]
            return {action for one in same for action in one.actions}.issuperset(access.actions)

        # A token for something else is answered like a bad one (azure-sdk-for-js recordings).
        return may if may(needed) else self._challenged(request, asked_for, "invalid_token")

    def _by_password(self, request: Request, needed: Access, login: tuple[str, str]) -> May | Response:  # type: ignore[override]
        """Basic on /v2/ works for the admin user and service principals; for repository tokens it often does not (Azure/acr#466)."""
        caller = identified(self.registry, *login)
        if isinstance(caller, str) or caller.kind == "token":
            return self._challenged(request, [needed], "")

        def may(access: Access) -> bool:
            return not access.name or self.registry.narrow(caller, access) == access

        if may(needed):
            return may
        return registry_error(request, 403, "DENIED", "requested access to the resource is denied")

    def _challenged(self, request: Request, wanted: list[Access], error: str) -> Response:
        """401: realm, service, scope and, where a token was refused, error."""
        service = self.registry.login_server
        scope = " ".join(str(one) for one in wanted if one.name)
        words = [f'realm="{own_origin(self.registry, request)}/oauth2/token"', f'service="{service}"']
        words += [f'scope="{scope}"'] if scope else []
        words += [f'error="{error}"'] if error else []
        detail = [{"Type": one.type, "Name": one.name, "Action": action} for one in wanted if one.name for action in one.actions] or None
        fields = [("www-authenticate", "Bearer " + ",".join(words))]
        return registry_error(request, 401, "UNAUTHORIZED", AUTHENTICATION_REQUIRED, detail=detail, fields=fields)


def own_origin(registry: AzureRegistry, request: Request) -> str:
    """Where the client is to go on: the host that it asked, or for a client on the loopback that address."""
    return str(request.url.origin) if request.url.origin.host.strip("[]") not in registry.hosts else f"https://{request.url.origin.host}"


class Front:
    """What answers at a registry's host names."""

    def __init__(self, registry: AzureRegistry) -> None:
        self.registry = registry
        self._gatekeeper = Gatekeeper(registry)
        self._listing = AcrListing(registry, self._gatekeeper)

    def handle(self, request: Request) -> Response:
        """The answer to *request*, with the fields that every answer has."""
        for run in self.registry.runs:
            run.settle()
        answer = self._answer(request)
        # Every nginx sends its clock; clients count tokens' lives on it.
        date = formatdate(self.registry.azure.now(), usegmt=True)
        version = ("docker-distribution-api-version", "registry/2.0")
        fields = [("server", "openresty"), ("date", date), ("x-ms-correlation-request-id", new_id()), version]
        if asked.path(request).startswith("/oauth2/"):
            fields.append(("x-ms-ratelimit-remaining-calls-per-second", "166.65"))
        kept = [field for field in answer.headers if field[0] not in ("docker-distribution-api-version", "date")]
        answer.headers = Headers([*kept, *fields])
        return answer

    def _answer(self, request: Request) -> Response:
        address = self.registry.azure.client_address
        if any(len(value) > MAX_HEADER for _, value in request.headers):
            return answers.content(request, 400, "text/html", _TOO_LARGE)
        if self.registry.closed_to(address):
            message = f"client with IP '{address}' is not allowed access. Refer https://aka.ms/acr/firewall to grant access."
            return registry_error(request, 403, "DENIED", message)
        match asked.path(request), request.method:
            case "/oauth2/exchange", "POST":
                return self._exchange(request, _form(request))
            case "/oauth2/token", "POST":
                return self._token(request, _form(request))
            case "/oauth2/token", "GET":
                return self._token_by_get(request)
            case path, _ if path.startswith("/acr/v1/"):
                return self._listing.answer(request)
            case path, _ if path == "/v2" or path.startswith("/v2/"):
                return self._redirected(request, self.registry.images.handle(request))
        return registry_error(request, 404, "NOT_FOUND", "404 page not found")

    def _exchange(self, request: Request, form: dict[str, str]) -> Response:
        """An Entra token for a refresh token (docs/AAD-OAuth.md, "Calling POST /oauth2/exchange")."""
        if form.get("service") != self.registry.login_server:
            return registry_error(request, 400, "UNSUPPORTED", f"service {form.get('service', '')} is not supported")
        match form.get("grant_type"):
            case "access_token" | "access_token_refresh_token" if form.get("access_token"):
                caller = self._from_entra(form["access_token"])
            case "refresh_token" if form.get("refresh_token"):
                caller = self._from_refresh(form["refresh_token"])
            case kind:
                return registry_error(request, 400, "UNSUPPORTED", f"grant_type {kind} is not supported, or its token is missing")
        if isinstance(caller, str):
            return registry_error(request, 401, "UNAUTHORIZED", caller)
        return answers.document(request, 200, {"refresh_token": self._refresh_token(caller)})

    def _refresh_token(self, caller: Caller) -> str:
        principal = self.registry.azure.principal(caller.name) if caller.kind == "entra" else None
        return self.registry.refresh_token(caller, principal)

    def _from_entra(self, token: str) -> Caller | str:
        """Whose Entra token that is, or why it is none."""
        return entra_caller(self.registry, token)

    def _from_refresh(self, token: str) -> Caller | str:
        claims = self.registry.claims_of(token, "refresh_token")
        return self.registry.caller_of(claims) if claims else AUTHENTICATION_REQUIRED

    def _token(self, request: Request, form: dict[str, str]) -> Response:
        """A form for an access token: ``refresh_token`` or ``password``; the second without anything is the anonymous caller."""
        caller: Caller | str
        refresh = {}
        match form.get("grant_type"):
            case "refresh_token":
                caller = self._from_refresh(form.get("refresh_token", ""))
            case "password" if not form.get("username"):
                caller = Caller("anonymous") if self.registry.anonymous_pull else AUTHENTICATION_REQUIRED
            case "password":
                caller = identified(self.registry, form["username"], form.get("password", ""))
                if form.get("access_type") == "offline" and not isinstance(caller, str):
                    refresh = {"refresh_token": self._refresh_token(caller)}
            case kind:
                return registry_error(request, 400, "UNSUPPORTED", f"grant_type {kind} is not supported")
        return self._given(request, caller, form.get("service", ""), form.get("scope", "").split(), refresh)

    def _token_by_get(self, request: Request) -> Response:
        scopes = [scope for value in asked.parameters(request, "scope") for scope in value.split()]
        caller: Caller | str = AUTHENTICATION_REQUIRED
        if login := basic_login(request):
            caller = identified(self.registry, *login)
        elif not request.header("authorization") and self.registry.anonymous_pull:
            caller = Caller("anonymous")
        return self._given(request, caller, asked.parameter(request, "service"), scopes, {})

    def _given(self, request: Request, caller: Caller | str, service: str, scopes: list[str], more: dict[str, str]) -> Response:
        """The token: neither ``token`` nor ``expires_in`` is in the answer (docs/AAD-OAuth.md)."""
        if isinstance(caller, str):
            return registry_error(request, 401, "UNAUTHORIZED", caller)
        if service != self.registry.login_server:
            return registry_error(request, 400, "UNSUPPORTED", f"service {service} is not supported")
        return answers.document(request, 200, {"access_token": self.registry.access_token(caller, scopes), **more})

    def _redirected(self, request: Request, answer: Response) -> Response:
        """A blob's redirect, signed: its link is good for twenty minutes (Microsoft Learn "Dedicated data endpoints")."""
        location = answer.headers.get("location")
        if answer.status != 307 or not location:
            return answer
        signed = self.registry.azure.blobs.signed(location, lifetime=1200)
        if request.url.origin.host not in self.registry.hosts:
            signed = f"{request.url.origin}/{signed.partition('://')[2].partition('/')[2]}"
        return answers.empty(request, 307, [("location", signed)])


def identified(registry: AzureRegistry, username: str, password: str) -> Caller | str:
    """Who has that name and password, or the words with which the registry refuses (Azure/acr, iotedge and vscode-docker issues)."""
    azure = registry.azure
    if username == NULL_ID:
        claims = registry.claims_of(password, "refresh_token") or registry.claims_of(password, "access_token")
        return registry.caller_of(claims) if claims else entra_caller(registry, password)
    if caller := registry.by_password(username, password):
        return caller
    if username in registry.tokens or username.lower() == registry.name.lower():
        return AUTHENTICATION_REQUIRED if username in registry.tokens or registry.admin_enabled else _NO_GUID
    if not _GUID.fullmatch(username):
        return _NO_GUID
    app = azure.home.app_of(username)
    if app is None:
        return "Application not registered with AAD."
    try:
        azure.entra.check_secret(app, password)
    except EntraRefusal:
        return "Invalid clientid or client secret."
    return Caller("entra", app.principal_id)


_NO_GUID = "aad access token with sp failed client id must be guid"


def entra_caller(registry: AzureRegistry, token: str) -> Caller | str:
    """Whose Entra token that is; otherwise the words of the refusal. Its audience must be one that the registry takes."""
    azure = registry.azure
    claims = azure.entra.signer.read(token)
    if not claims or not claims["nbf"] - 300 <= azure.now() < claims["exp"] or claims["tid"] != azure.home.id:
        return AUTHENTICATION_REQUIRED
    audience = claims["aud"].rstrip("/")
    if audience != _AUDIENCE and (audience not in azure.management_audiences or not registry.arm_audience):
        return "token validation failed"
    principal = azure.entra.holder(claims)
    if principal is None or (registry.refuse_without_role and not registry.has_role(principal)):
        return AUTHENTICATION_REQUIRED
    return Caller("entra", principal.principal_id)


_AUDIENCE = "https://containerregistry.azure.net"


def _form(request: Request) -> dict[str, Any]:
    return {key: " ".join(values) for key, values in parse_qs(request.body.decode("utf-8", "replace"), keep_blank_values=True).items()}
