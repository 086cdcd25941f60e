"""Azure Key Vault's secrets without Azure, with the token endpoints of Entra and of a managed identity.

Written after Microsoft's pages, and never compared with the service: https://learn.microsoft.com/rest/api/keyvault/secrets (version 7.4),
https://learn.microsoft.com/azure/key-vault/general/rest-error-codes, https://learn.microsoft.com/azure/key-vault/general/soft-delete-overview.
"""

from __future__ import annotations

import re
import secrets as random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from registryauth._http.messages import Request, Response
from registryauth._json import load_json
from registryauth.testing import answers, asked
from registryauth.testing.doors import Doors

#: "If not specified, the service will return up to 25 results."
PAGE = 25
_NAME = r"[0-9a-zA-Z-]{1,127}"
_MAX_VALUE = 25 * 1024


@dataclass
class _Secret:
    versions: list[dict[str, Any]] = field(default_factory=list)
    deleted: bool = False
    #: Requests that still find it being deleted or recovered.
    busy: int = 0


class KeyVaultSimulator(Doors):
    """An in-memory key vault with soft-delete. *clients* are client ids and their secrets; *assertions* are a workload's tokens.

    *rights* is what a token may do: get, list, set, delete, recover. *delay* is how many requests a removal or a recovery takes.
    *requests* holds every request, secrets and all. *clock* gives seconds since the epoch, *token_lifetime* is in seconds.
    """

    def __init__(
        self, *, clients: dict[str, str] | None = None, delay: int = 0, clock: Callable[[], float] = time.time, token_lifetime: int = 3600
    ) -> None:
        self.clients = dict(clients or {})
        self.assertions: set[str] = set()
        self.has_managed_identity = False
        self.rights = {"get", "list", "set", "delete", "recover"}
        self.firewalled = False
        self.tokens: dict[str, float] = {}
        self.requests: list[Request] = []
        self._delay, self._clock, self._token_lifetime = delay, clock, token_lifetime
        self._secrets: dict[str, _Secret] = {}
        self._lock = threading.Lock()

    def issue(self) -> str:
        """A token that is accepted from now on."""
        token = f"eyJ.{random.token_hex(12)}"
        self.tokens[token] = self._clock() + self._token_lifetime
        return token

    def handle(self, request: Request) -> Response:
        """The answer to *request*."""
        with self._lock:
            self.requests.append(request)
            path = asked.path(request)
            if path.endswith("/oauth2/v2.0/token"):
                return self._entra(request)
            if path == "/metadata/identity/oauth2/token":
                return self._machine(request)
            return self._refusal(request) or self._answer(request, path)

    def _entra(self, request: Request) -> Response:
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        known = self.clients.get(form.get("client_id", ""))
        by_secret = known is not None and form.get("client_secret") == known
        if by_secret or form.get("client_assertion") in self.assertions:
            body = {"token_type": "Bearer", "expires_in": self._token_lifetime, "access_token": self.issue()}
            return answers.document(request, 200, body)
        description = "AADSTS7000215: Invalid client secret provided. Trace ID: 0 Correlation ID: 0"
        return answers.document(request, 401, {"error": "invalid_client", "error_description": description})

    def _machine(self, request: Request) -> Response:
        if not self.has_managed_identity or request.header("metadata") != "true":
            return answers.document(request, 400, {"error": "invalid_request", "error_description": "Identity not found"})
        body = {"access_token": self.issue(), "expires_in": str(self._token_lifetime), "token_type": "Bearer"}
        return answers.document(request, 200, body)

    def _refusal(self, request: Request) -> Response | None:
        token = request.header("authorization").removeprefix("Bearer ")
        if self.tokens.get(token, 0) <= self._clock():
            return _error(request, 401, "Unauthorized", "AKV10000: Request is missing a Bearer or PoP token.")
        if self.firewalled:
            return _error(request, 403, "Forbidden", "Client address is not authorized", "ForbiddenByFirewall")
        if asked.parameter(request, "api-version") != "7.4":
            return _error(request, 400, "BadParameter", "The specified version is not recognized")
        return None

    def _answer(self, request: Request, path: str) -> Response:
        verb = {"PUT": "set", "DELETE": "delete", "POST": "recover"}.get(request.method, "list" if path == "/secrets" else "get")
        if verb not in self.rights:
            message = "Caller is not authorized to perform action on resource."
            return _error(request, 403, "Forbidden", message, "ForbiddenByRbac")
        if path == "/secrets":
            return self._list(request)
        match = re.fullmatch(rf"/(secrets|deletedsecrets)/({_NAME})(/recover)?", path)
        if not match:
            return _error(request, 400, "BadParameter", "The request URI contains an invalid name")
        name = match[2].lower()
        secret = self._secrets.setdefault(name, _Secret())
        being = self._being(secret)
        if verb == "get":
            return self._get(request, name, None if secret.deleted or being else secret)
        if being:
            state = "deleted" if secret.deleted else "recovered"
            code = f"ObjectIsBeing{state.capitalize()}"
            return _error(
                request, 409, "Conflict", f"Secret {match[2]} is currently being {state} and cannot be re-created; retry later.", code
            )
        if verb == "recover":
            return self._recover(request, name, secret)
        return self._set(request, name, secret) if verb == "set" else self._delete(request, name, secret)

    def _being(self, secret: _Secret) -> bool:
        secret.busy, before = max(secret.busy - 1, 0), secret.busy
        return bool(before)

    def _get(self, request: Request, name: str, secret: _Secret | None) -> Response:
        if secret is None or not secret.versions:
            return _error(request, 404, "SecretNotFound", f"A secret with (name/id) {name} was not found in this key vault.")
        return answers.document(request, 200, secret.versions[-1])

    def _list(self, request: Request) -> Response:
        names = sorted(name for name, secret in self._secrets.items() if secret.versions and not secret.deleted and not secret.busy)
        start = int(asked.parameter(request, "$skiptoken") or 0)
        page = [{key: self._secrets[name].versions[-1][key] for key in ("attributes", "tags")} for name in names[start : start + PAGE]]
        for name, item in zip(names[start:], page, strict=False):
            item["id"] = f"{request.url.origin}/secrets/{name}"
        more = f"{request.url.origin}/secrets?api-version=7.4&$skiptoken={start + PAGE}" if start + PAGE < len(names) else None
        return answers.document(request, 200, {"value": page, "nextLink": more})

    def _set(self, request: Request, name: str, secret: _Secret) -> Response:
        if secret.deleted:
            message = f"Secret {name} is currently in a deleted but recoverable state, and its name cannot be reused"
            return _error(request, 409, "Conflict", message, "ObjectIsDeletedButRecoverable")
        said = load_json(request.body, "the request")
        if len(said["value"].encode()) > _MAX_VALUE:
            return _error(request, 400, "BadParameter", "The value is too long")
        if len(said.get("tags", {})) > 15 or any(len(text) > 256 for text in said.get("tags", {}).values()):
            return _error(request, 400, "BadParameter", "Too many or too long tags")
        now = int(self._clock())
        made = {
            "value": said["value"], "id": f"{request.url.origin}/secrets/{name}/{random.token_hex(16)}",
            "contentType": said.get("contentType"), "tags": said.get("tags", {}),
            "attributes": {"enabled": True, "created": now, "updated": now, "recoveryLevel": "Recoverable+Purgeable"},
        }  # fmt: skip
        secret.versions.append(made)
        return answers.document(request, 200, made)

    def _delete(self, request: Request, name: str, secret: _Secret) -> Response:
        if secret.deleted or not secret.versions:
            return self._get(request, name, None)
        secret.deleted, secret.busy = True, self._delay
        described = {key: value for key, value in secret.versions[-1].items() if key != "value"}
        recovery = f"{request.url.origin}/deletedsecrets/{name}"
        return answers.document(request, 200, described | {"recoveryId": recovery, "deletedDate": int(self._clock())})

    def _recover(self, request: Request, name: str, secret: _Secret) -> Response:
        if not secret.deleted:
            return self._get(request, name, None)
        secret.deleted, secret.busy = False, self._delay
        return answers.document(request, 200, {key: value for key, value in secret.versions[-1].items() if key != "value"})

    def purge(self) -> None:
        """Forget every removed secret for good, as an admin, or the end of the retention, does."""
        self._secrets = {name: secret for name, secret in self._secrets.items() if not secret.deleted}


def _error(request: Request, status: int, code: str, message: str, inner: str = "") -> Response:
    error: dict[str, Any] = {"code": code, "message": message}
    return answers.document(request, status, {"error": error | ({"innererror": {"code": inner}} if inner else {})})
