"""Container registries in resource management: settings, admin user, repository tokens, builds.

Sources: azure-rest-api-specs, containerregistry 2025-11-01 (RegistryGet.json, RegistryListCredentials.json,
RegistryRegenerateCredential.json, ScopeMapGet.json, TokenGet.json, RegistryGenerateCredentials.json); azure-mgmt-containerregistry 15.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from registryauth._http.messages import Response
from registryauth.testing import answers
from registryauth.testing.azure.builds import Builds
from registryauth.testing.azure.calls import Call, absent
from registryauth.testing.azure.refusals import ServiceRefusal
from registryauth.testing.azure.registry import AzureRegistry, RepositoryToken, TokenPassword, random_password

if TYPE_CHECKING:
    from registryauth.testing.azure.simulator import AzureSimulator

_TYPE = "Microsoft.ContainerRegistry/registries"
_DEFAULT_MAPS = ("_repositories_admin", "_repositories_pull", "_repositories_push")


class Registries:
    """Answers below ``/providers/Microsoft.ContainerRegistry``."""

    def __init__(self, azure: AzureSimulator) -> None:
        self.azure = azure
        self._builds = Builds(azure)

    def answer(self, call: Call, group: str, parts: list[str]) -> Response | list[Any]:
        """The answer, or a list to be paged."""
        kind, *rest = parts
        if kind.lower() == "checknameavailability" and call.method == "POST":
            return answers.document(call.request, 200, self._availability(str(call.body().get("name", ""))))
        if kind.lower() != "registries":
            raise ServiceRefusal(404, "InvalidResourceType", f"The resource type '{kind}' could not be found in the namespace.")
        if not rest:
            call.require_group(group)
            held = [one for one in self.azure.registries if group.lower() in ("", one.group.lower())]
            return [_shown(one) for one in held if call.may(f"{_TYPE}/read", one.id)]
        return self._one(call, group, rest[0], rest[1:])

    def _one(self, call: Call, group: str, name: str, rest: list[str]) -> Response | list[Any]:
        where = f"/subscriptions/{self.azure.subscription}/resourceGroups/{group}/providers/{_TYPE}/{name}"
        call.require(f"{_TYPE}/{_action(call.method, rest)}", where)
        call.require_group(group)
        found = next((one for one in self.azure.registries if (one.group.lower(), one.name.lower()) == (group.lower(), name.lower())), None)
        if found is None:
            raise absent(_TYPE, name, group)
        verb = rest[0].lower() if rest else ""
        match verb, call.method:
            case "", "GET":
                return answers.document(call.request, 200, _shown(found))
            case "", "PATCH" | "PUT":
                return answers.document(call.request, 200, _changed(found, call.body().get("properties") or {}))
            case "listcredentials" | "regeneratecredential", "POST":
                return answers.document(call.request, 200, _credentials(found, call.body().get("name") if verb.startswith("re") else None))
            case "scopemaps", _:
                return _scope_maps(call, found, rest[1:])
            case "tokens", _:
                return _tokens(call, found, rest[1:])
            case "generatecredentials", "POST":
                return answers.document(call.request, 200, _generated(found, call.body()))
        answer = self._builds.answer(call, found, rest)
        if answer is not None:
            return answer
        raise ServiceRefusal(404, "InvalidResourceType", f"The resource type '{'/'.join(rest)}' could not be found in the namespace.")

    def _availability(self, name: str) -> dict[str, Any]:
        if not re.fullmatch(r"[a-zA-Z0-9]{5,50}", name):
            message = "The specified registry name contains invalid characters or has the wrong length."
            return {"nameAvailable": False, "reason": "Invalid", "message": message}
        if any(one.name.lower() == name.lower() for one in self.azure.registries):
            return {"nameAvailable": False, "reason": "AlreadyExists", "message": f"The registry {name} is already in use."}
        return {"nameAvailable": True}


def _action(method: str, rest: list[str]) -> str:
    """The action that a call is, as roles name it."""
    kind = "/".join(rest[::2])
    last = {"GET": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete", "POST": "action"}[method]
    if method == "POST" and len(rest) == 3:
        # …/runs/{id}/cancel
        kind = f"{rest[0]}/{rest[2]}"
    return f"{kind}/{last}".lstrip("/")


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.1234567+00:00")


def _status(on: object) -> str:
    return "enabled" if on else "disabled"


def _shown(registry: AzureRegistry) -> dict[str, Any]:
    """The resource, with every field of 2025-11-01 that a client of registries reads."""
    return {
        "id": registry.id,
        "name": registry.name,
        "type": _TYPE,
        "location": registry.location,
        "tags": {},
        "sku": {"name": registry.sku, "tier": registry.sku},
        "properties": {
            "loginServer": registry.login_server,
            "creationDate": _iso(registry.created_at),
            "provisioningState": "Succeeded",
            "status": None,
            "adminUserEnabled": registry.admin_enabled,
            "anonymousPullEnabled": registry.anonymous_pull,
            "dataEndpointEnabled": registry.data_endpoint,
            "dataEndpointHostNames": [registry.blob_host] if registry.data_endpoint else [],
            "publicNetworkAccess": "Enabled" if registry.public else "Disabled",
            "networkRuleBypassOptions": "AzureServices",
            "networkRuleBypassAllowedForTasks": False,
            "networkRuleSet": {
                "defaultAction": "Deny" if registry.firewall else "Allow",
                "ipRules": [{"action": "Allow", "value": address} for address in registry.firewall],
            },
            "policies": {
                "quarantinePolicy": {"status": "disabled"},
                "trustPolicy": {"type": "Notary", "status": "disabled"},
                "retentionPolicy": {"days": 7, "lastUpdatedTime": _iso(registry.created_at), "status": "disabled"},
                "exportPolicy": {"status": "enabled"},
                "azureADAuthenticationAsArmPolicy": {"status": _status(registry.arm_audience)},
            },
            "encryption": {"status": "disabled"},
            "zoneRedundancy": "Disabled",
            "privateEndpointConnections": [],
            "roleAssignmentMode": "AbacRepositoryPermissions" if registry.mode == "abac" else "LegacyRegistryPermissions",
        },
    }


def _changed(registry: AzureRegistry, properties: dict[str, Any]) -> dict[str, Any]:
    """What ``az acr update`` changes."""
    registry.admin_enabled = properties.get("adminUserEnabled", registry.admin_enabled)
    registry.anonymous_pull = properties.get("anonymousPullEnabled", registry.anonymous_pull)
    registry.data_endpoint = properties.get("dataEndpointEnabled", registry.data_endpoint)
    return _shown(registry)


def _credentials(registry: AzureRegistry, renewed: str | None) -> dict[str, Any]:
    """The admin user's passwords, ``password`` and ``password2``; *renewed* names the one to make anew."""
    if not registry.admin_enabled:
        raise ServiceRefusal(
            400,
            "UnAuthorizedForCredentialOperations",
            f"Cannot perform credential operations for {registry.id} as admin user is disabled. Kindly enable admin user as per docs: "
            "https://docs.microsoft.com/en-us/azure/container-registry/container-registry-authentication#admin-account",
        )
    if renewed is not None:
        if renewed not in registry.admin_passwords:
            raise ServiceRefusal(400, "InvalidPasswordName", "The name of the password is password or password2.")
        registry.admin_passwords[renewed] = random_password()
    passwords = [{"name": name, "value": value} for name, value in registry.admin_passwords.items()]
    return {"username": registry.name, "passwords": passwords}


def _scope_maps(call: Call, registry: AzureRegistry, rest: list[str]) -> Response | list[Any]:
    if not rest:
        return [_scope_map(registry, name) for name in registry.scope_maps]
    name = rest[0]
    if call.method == "PUT":
        actions = (call.body().get("properties") or {}).get("actions")
        if not actions:
            raise ServiceRefusal(400, "InvalidScopeMapActions", "A scope map has at least one action.")
        registry.scope_maps[name] = list(actions)
    elif name not in registry.scope_maps:
        raise absent(f"{_TYPE}/scopeMaps", f"{registry.name}/{name}", registry.group)
    if call.method == "DELETE":
        del registry.scope_maps[name]
        return answers.empty(call.request, 200)
    return answers.document(call.request, 200, _scope_map(registry, name))


def _scope_map(registry: AzureRegistry, name: str) -> dict[str, Any]:
    kind = "SystemDefined" if name in _DEFAULT_MAPS else "UserDefined"
    properties = {
        "type": kind,
        "creationDate": _iso(registry.created_at),
        "provisioningState": "Succeeded",
        "actions": registry.scope_maps[name],
    }
    return {"id": f"{registry.id}/scopeMaps/{name}", "name": name, "type": f"{_TYPE}/scopeMaps", "properties": properties}


def _tokens(call: Call, registry: AzureRegistry, rest: list[str]) -> Response | list[Any]:
    if not rest:
        return [_token(registry, one) for one in registry.tokens.values()]
    name, found = rest[0], registry.tokens.get(rest[0])
    if call.method in ("PUT", "PATCH"):
        found = _written(registry, name, found, call.body().get("properties") or {})
    if found is None:
        raise absent(f"{_TYPE}/tokens", f"{registry.name}/{name}", registry.group)
    if call.method == "DELETE":
        del registry.tokens[name]
        return answers.empty(call.request, 200)
    return answers.document(call.request, 200, _token(registry, found))


def _written(registry: AzureRegistry, name: str, found: RepositoryToken | None, properties: dict[str, Any]) -> RepositoryToken:
    scope_map = str(properties.get("scopeMapId") or (f"/{found.scope_map}" if found else "")).rpartition("/")[2]
    if scope_map not in registry.scope_maps:
        raise ServiceRefusal(400, "InvalidScopeMapId", f"The scope map '{scope_map}' is not valid.")
    made = found or RepositoryToken(name, scope_map)
    made.scope_map, made.enabled = scope_map, properties.get("status", _status(made.enabled)) == "enabled"
    kept = {one["name"] for one in (properties.get("credentials") or {}).get("passwords") or []}
    if properties.get("credentials"):
        made.passwords = {key: one for key, one in made.passwords.items() if key in kept}
    registry.tokens[name] = made
    return made


def _token(registry: AzureRegistry, token: RepositoryToken) -> dict[str, Any]:
    properties = {
        "creationDate": _iso(registry.created_at),
        "provisioningState": "Succeeded",
        "scopeMapId": f"{registry.id}/scopeMaps/{token.scope_map}",
        "credentials": {"certificates": [], "passwords": _passwords(token)},
        "status": _status(token.enabled),
    }
    return {"id": f"{registry.id}/tokens/{token.name}", "name": token.name, "type": f"{_TYPE}/tokens", "properties": properties}


def _passwords(token: RepositoryToken, shown: str = "") -> list[dict[str, Any]]:
    """Their dates; the value of the one called *shown*, which is said once."""
    return [
        {
            "creationTime": _iso(one.created_at),
            "expiry": None if one.ends_at is None else _iso(one.ends_at),
            "name": name,
            **({"value": one.value} if name == shown else {}),
        }
        for name, one in sorted(token.passwords.items())
    ]


def _generated(registry: AzureRegistry, wanted: dict[str, Any]) -> dict[str, Any]:
    """A new password of a token: ``password1`` or ``password2``, or both where none is named."""
    token = registry.tokens.get(str(wanted.get("tokenId", "")).rpartition("/")[2])
    if token is None:
        raise ServiceRefusal(404, "TokenNotFound", "The token does not exist.")
    names = [wanted["name"]] if wanted.get("name") else ["password1", "password2"]
    if any(name not in ("password1", "password2") for name in names):
        raise ServiceRefusal(400, "InvalidPasswordName", "The name of the password is password1 or password2.")
    ends = datetime.fromisoformat(wanted["expiry"]).timestamp() if wanted.get("expiry") else None
    for name in names:
        token.passwords[name] = TokenPassword(random_password(), registry.azure.now(), ends)
    shown = [one for name in names for one in _passwords(token, name) if one["name"] == name]
    return {"username": token.name, "passwords": shown}
