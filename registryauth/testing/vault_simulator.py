"""A vault without a server: tokens, AppRoles, pods of Kubernetes, namespaces, policies, and the key-value engine in version 2 and 1.

What it answers is what OpenBao 2.7 answers to the same requests, which tests/real/test_openbao.py compares one by one; the API is
https://openbao.org/api-docs/ and https://developer.hashicorp.com/vault/api-docs.
"""

from __future__ import annotations

import fnmatch
import secrets as random
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from registryauth._http.messages import Request, Response
from registryauth._json import load_json
from registryauth.testing import answers, asked
from registryauth.testing.doors import Doors

#: What a policy may allow on paths that match a pattern: read, list, create, update.
Policy = Mapping[str, Collection[str]]

_ROOT: Policy = {"*": ("read", "list", "create", "update")}
_CAPABILITIES = {"POST": "update", "PUT": "update", "GET": "read", "LIST": "list"}


@dataclass
class Grant:
    """What a token may do, in which namespace, and until when; 0 is for ever."""

    policy: Policy
    namespace: str = ""
    expires_at: float = 0
    lifetime: int = 0


@dataclass
class Role:
    """What signs in (*proofs* are the secret ids, or a pod's tokens), and for how many seconds with which rights."""

    proofs: set[str]
    policy: Policy = field(default_factory=lambda: dict(_ROOT))
    lifetime: int = 0
    renewable: bool = True


@dataclass
class _Entry:
    """Versions by number; None where one was deleted or destroyed."""

    versions: dict[int, Any] = field(default_factory=dict)
    last: int = 0


class VaultSimulator(Doors):
    """An in-memory vault, unsealed, with an engine of version 2 at ``secret/`` and the root token *token*.

    *tokens*, *approles* (by role id), *pods* (by role), *mounts* (engines' versions by namespace and path), and *sealed* stay live:
    change them at any time. *requests* holds every request, secrets and all. *clock* gives seconds since the epoch.
    """

    def __init__(self, *, token: str = "s.simulated-root-token", clock: Callable[[], float] = time.time) -> None:  # noqa: S107 - opens nothing
        self.tokens = {token: Grant(_ROOT)}
        self.approles: dict[str, Role] = {}
        self.pods: dict[str, Role] = {}
        self.mounts: dict[tuple[str, str], int] = {("", "secret"): 2}
        self.sealed = False
        self.requests: list[Request] = []
        self._clock = clock
        self._entries: dict[tuple[str, str], _Entry] = {}
        self._plain: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()

    def handle(self, request: Request) -> Response:
        """The answer to *request*."""
        with self._lock:
            self.requests.append(request)
            path = asked.path(request).removeprefix("/v1/")
            if path == "sys/seal-status":
                return answers.document(request, 200, {"sealed": self.sealed, "initialized": True, "version": "2.7.2"})
            if self.sealed:
                return _errors(request, 503, "Vault is sealed")
            namespace = request.header("x-vault-namespace").strip("/")
            if namespace not in {"", *(name for name, _ in self.mounts)}:
                return _errors(request, 404, "namespace not found")
            if ".." in path.split("/"):
                return _errors(request, 400, "relative paths not supported")
            if path.startswith("auth/") and path.endswith("/login"):
                return self._login(request, path.split("/")[1], namespace)
            return self._authorised(request, namespace, path)

    def _login(self, request: Request, mount: str, namespace: str) -> Response:
        said = load_json(request.body, "the request")
        roles, name, proof = (self.approles, "role_id", "secret_id") if mount == "approle" else (self.pods, "role", "jwt")
        role = roles.get(said.get(name, ""))
        if mount not in ("approle", "kubernetes"):
            return _errors(request, 403, "permission denied")
        if role is None or said.get(proof) not in role.proofs:
            return _errors(request, 400, "invalid role or secret ID" if mount == "approle" else f'invalid role name "{said.get(name)}"')
        token = f"s.{random.token_hex(12)}"
        self.tokens[token] = Grant(role.policy, namespace, self._clock() + role.lifetime if role.lifetime else 0, role.lifetime)
        return self._auth(request, token, role.lifetime, renewable=role.renewable)

    def _auth(self, request: Request, token: str, lifetime: int, *, renewable: bool) -> Response:
        auth = {"client_token": token, "lease_duration": lifetime, "renewable": renewable, "policies": ["default"]}
        return answers.document(request, 200, {"data": None, "auth": auth})

    def _authorised(self, request: Request, namespace: str, path: str) -> Response:
        token = request.header("x-vault-token")
        grant = self.tokens.get(token)
        if grant is None or (grant.expires_at and self._clock() >= grant.expires_at):
            return _errors(request, 403, "permission denied")
        if path == "auth/token/lookup-self":
            return _data(request, {"ttl": grant.lifetime, "policies": ["default"]})
        if path == "auth/token/renew-self":
            grant.expires_at = self._clock() + grant.lifetime if grant.lifetime else 0
            return self._auth(request, token, grant.lifetime, renewable=True)
        listing = asked.parameter(request, "list") == "true" or request.method == "LIST"
        mount = next((name for space, name in self.mounts if space == namespace and path.startswith(f"{name}/")), "")
        if path.startswith("sys/internal/ui/mounts/"):
            return self._described(request, namespace, path.removeprefix("sys/internal/ui/mounts/"))
        if not self._may(grant, path, "LIST" if listing else request.method):
            return _errors(request, 403, "1 error occurred:\n\t* permission denied\n\n")
        if not mount:
            shown = path + "/" if listing else path
            return _errors(request, 404, f'no handler for route "{shown}". route entry not found.')
        below = path.removeprefix(f"{mount}/")
        if self.mounts[namespace, mount] == 1:
            return self._version_1(request, (f"{namespace}:{mount}", below), listing=listing)
        api, _, name = below.partition("/")
        return self._version_2(request, api, (f"{namespace}:{mount}", name), listing=listing)

    def _may(self, grant: Grant, path: str, method: str) -> bool:
        wanted = _CAPABILITIES.get(method, "update")
        return any(fnmatch.fnmatchcase(path, pattern) and wanted in allowed for pattern, allowed in grant.policy.items())

    def _described(self, request: Request, namespace: str, mount: str) -> Response:
        version = self.mounts.get((namespace, mount))
        if version is None:
            preflight = 'preflight capability check returned 403, please ensure client\'s policies grant access to path "{}/"'
            return _errors(request, 403, preflight.format(mount))
        return _data(request, {"type": "kv", "path": f"{mount}/", "options": {"version": str(version)}})

    def _version_1(self, request: Request, place: tuple[str, str], *, listing: bool) -> Response:
        if request.method in ("POST", "PUT"):
            self._plain[place] = load_json(request.body, "the request")
            return answers.empty(request, 204)
        if listing or place not in self._plain:
            return _errors(request, 404)
        return _data(request, self._plain[place])

    def _version_2(self, request: Request, api: str, place: tuple[str, str], *, listing: bool) -> Response:
        entry = self._entries.get(place)
        match api, request.method:
            case "metadata", _ if listing:
                return self._listed(request, *place)
            case "metadata", "DELETE":
                self._entries.pop(place, None)
                return answers.empty(request, 204)
            case "data", "GET":
                return self._read(request, entry)
            case "data", "DELETE":
                if entry:
                    entry.versions[entry.last] = None
                return answers.empty(request, 204)
            case "data", "POST" | "PUT":
                return self._write(request, place, entry or _Entry())
            case "destroy", "POST" | "PUT":
                for number in load_json(request.body, "the request")["versions"]:
                    if entry and number in entry.versions:
                        entry.versions[number] = None
                return answers.empty(request, 204)
        return _errors(request, 405, "unsupported operation")

    def _read(self, request: Request, entry: _Entry | None) -> Response:
        if entry is None:
            return _errors(request, 404)
        wanted = int(asked.parameter(request, "version") or entry.last)
        content = entry.versions.get(wanted)
        body = {"data": {"data": content, "metadata": {"version": wanted, "created_time": self._now(), "destroyed": False}}}
        return answers.document(request, 200 if content is not None else 404, body)

    def _write(self, request: Request, place: tuple[str, str], entry: _Entry) -> Response:
        said = load_json(request.body, "the request")
        cas = said.get("options", {}).get("cas")
        if cas is not None and cas != entry.last:
            return _errors(request, 400, "check-and-set parameter did not match the current version")
        entry.last += 1
        entry.versions[entry.last] = said["data"]
        self._entries[place] = entry
        return _data(request, {"version": entry.last, "created_time": self._now(), "destroyed": False})

    def _listed(self, request: Request, mount: str, folder: str) -> Response:
        start = f"{folder.rstrip('/')}/" if folder.strip("/") else ""
        below = [name.removeprefix(start) for where, name in self._entries if where == mount and name.startswith(start)]
        keys = sorted({name.partition("/")[0] + ("/" if "/" in name else "") for name in below})
        return _data(request, {"keys": keys}) if keys else _errors(request, 404)

    def _now(self) -> str:
        return datetime.fromtimestamp(self._clock(), UTC).isoformat().replace("+00:00", "Z")


def _data(request: Request, data: object) -> Response:
    return answers.document(request, 200, {"request_id": "simulated", "data": data, "auth": None})


def _errors(request: Request, status: int, *errors: str) -> Response:
    return answers.document(request, status, {"errors": list(errors)})
