"""What resource management knows of a registry that refuses somebody: who gets in, which roles count, and which the account has.

Sources: Microsoft Learn "Azure Container Registry Entra permissions and role assignments overview" (which roles count in which mode);
azure-rest-api-specs, containerregistry 2025-11-01, ``Token`` and ``ScopeMap``; Azure/acr FAQ (how long a new role takes).
"""

from __future__ import annotations

import re
from datetime import datetime
from fnmatch import fnmatchcase

from registryauth._redact import printable
from registryauth._value import Value
from registryauth.azure.acr_errors import Refusal
from registryauth.azure.container_registries import API_VERSION as REGISTRIES_VERSION
from registryauth.azure.container_registries import read_registry
from registryauth.azure.role_assignments import RoleAssignments
from registryauth.errors import AzureError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.azure.access import Way
    from registryauth.azure.container_registries import ContainerRegistry
    from registryauth.azure.registry_names import RegistryNames
    from registryauth.azure.role_assignments import RoleAssignment, RoleDefinition
    from registryauth.reference import Registry

#: Seconds that a registry's token server may take to hear of a role (Azure/acr FAQ).
PROPAGATION = 600
#: Assignments of one account at one registry that are looked at.
_MAX_ASSIGNMENTS = 20
#: What pulls, by mode: an action of resource management's, or one on data.
_PULL = {
    "classic": "Microsoft.ContainerRegistry/registries/pull/read",
    "abac": "Microsoft.ContainerRegistry/registries/repositories/content/read",
}
_ROLE = {"classic": "AcrPull", "abac": "Container Registry Repository Reader"}


class Standing(Value):
    """What there is to say of an account at a registry: *detail*, and what to do; *explains*: it is why the registry refuses."""

    detail: str
    hint: str = ""
    explains: bool = False


class Account(Value):
    """Who was refused in *repository*: by *name*, empty for nobody; *object_id* is its own in Entra, empty where that is not known."""

    name: str
    repository: str
    object_id: str = ""


def standing(way: Way, names: RegistryNames, registry: Registry, account: Account, *, at_the_door: bool, now: float) -> Standing | None:
    """How *account* stands at *registry*, None where no subscription that we may see has it.

    *at_the_door*: nobody was let in, whoever it is. Costs two requests for the registry, and one to four for the account. Raise
    `AzureError`, `NoIdentity`, `TransportError`.
    """
    id_ = names.find(re.split(r"[.-]", registry.host)[0])
    if id_ is None:
        return None
    found = read_registry(way.management, id_, way.cloud)
    if found.login_server != registry:
        return Standing(
            f"the registry {id_.name} answers at {found.login_server}, and {registry} was asked",
            f"use {found.login_server}",
            explains=True,
        )
    if at_the_door:
        return _of_the_network(found)
    if not account.name:
        return Standing(f"anonymous pull is {'on' if found.anonymous_pull else 'off'}; {found.roles}")
    refusal = Refusal(registry, 401, "", account.name)
    if refusal.is_admin:
        return _of_the_admin(found)
    if refusal.is_token:
        return _of_a_token(way, found, account)
    return _of_roles(way, found, account, now)


def _of_the_network(found: ContainerRegistry) -> Standing:
    if found.network.startswith("closed"):
        hint = f"come over a private endpoint; or az acr update --name {found.id.name} --public-network-enabled true"
        return Standing(f"its network: {found.network}; no address is let in, so that one more rule would not help", hint, explains=True)
    return Standing(f"its network: {found.network}")


def _of_the_admin(found: ContainerRegistry) -> Standing:
    if found.admin_enabled:
        hint = f"az acr credential show --name {found.id.name} has its two, password and password2"
        return Standing("the admin user is on, so it is its password that is wrong, or was regenerated", hint, explains=True)
    better = f"better than an admin user is a service principal with {_ROLE[found.mode]}"
    hint = f"az acr update --name {found.id.name} --admin-enabled true; {better}"
    return Standing("the admin user is off", hint, explains=True)


def _of_a_token(way: Way, found: ContainerRegistry, account: Account) -> Standing:
    shown, registry = printable(account.name, 60), found.id.name
    try:
        properties = way.management.get(f"{found.id.path}/tokens/{account.name}", REGISTRIES_VERSION).field("properties")
    except AzureError as error:
        if error.status != 404:
            raise
        return Standing(f"the registry has no token {shown}", f"az acr token list --registry {registry}", explains=True)
    if properties.field("status").text().lower() == "disabled":
        hint = f"az acr token update --registry {registry} --name {shown} --status enabled"
        return Standing(f"the token {shown} is disabled", hint, explains=True)
    ends = [each.field("expiry").text()[:10] for each in properties.field("credentials").field("passwords").items()]
    dates = ", ".join(f"one until {printable(end, 10)}" if end else "one without an end" for end in ends) or "none"
    map_id = properties.field("scopeMapId").text()
    actions = way.management.get(map_id, REGISTRIES_VERSION).field("properties").field("actions")
    held = [printable(each.text(), 120) for each in actions.items()]
    said = f"the token {shown} is enabled; its passwords: {dates}; its scope map holds {', '.join(held[:5]) or 'nothing'}"
    if not any(_maps(each, account.repository) for each in held):
        hint = f"az acr scope-map update --registry {registry} --name {map_id.rpartition('/')[2]} --add-repository REPOSITORY content/read"
        return Standing(said, hint.replace("REPOSITORY", account.repository), explains=True)
    again = f"az acr token credential generate --registry {registry} --name {shown} --password1 makes a new one"
    return Standing(said, f"what is left is its password: {again}", explains=True)


def _maps(action: str, repository: str) -> bool:
    """Whether a scope map's *action* lets somebody read *repository* (Microsoft Learn "Repository permissions", wildcards)."""
    match = re.fullmatch(r"repositories/(.+)/content/read", action)
    where = match[1] if match else ""
    return where in ("*", repository) or (where.endswith("/*") and repository.startswith(where[:-1]))


def _of_roles(way: Way, found: ContainerRegistry, account: Account, now: float) -> Standing:
    if not account.object_id:
        return Standing(found.roles, _give(found, account))
    roles = RoleAssignments(way.management)
    given = roles.of(found.id, account.object_id)[:_MAX_ASSIGNMENTS]
    held = [(each, roles.definition_of(_seen_from(found, each))) for each in given]
    pulling = [(each, role) for each, role in held if _pulls(role, found.mode)]
    if not pulling:
        names = ", ".join(dict.fromkeys(printable(role.name, 60) for _, role in held))
        return Standing(
            f"{found.roles}; the account has {f'only {names}' if names else 'no role here'}", _give(found, account), explains=True
        )
    assignment, role = pulling[0]
    said = f"{found.roles}; the account has {printable(role.name, 60)}"
    if (seconds := _age(assignment, now)) is not None and seconds < PROPAGATION:
        minutes = max(1, round(seconds / 60))
        left = max(1, round((PROPAGATION - seconds) / 60))
        return Standing(
            f"{said}, since {minutes} minute{'s' if minutes > 1 else ''}",
            f"a registry may take 10 minutes to hear of a role: try again in {left} minute{'s' if left > 1 else ''}",
            explains=True,
        )
    conditions = [printable(each.condition, 200) for each, _ in pulling if each.condition]
    if len(conditions) == len(pulling):
        hint = f"does the condition let {account.repository} in? az role assignment list --scope {found.id}"
        return Standing(f"{said}, under the condition {conditions[0]}", hint, explains=True)
    return Standing(f"{said}, so a role is not what is lacking")


def _seen_from(found: ContainerRegistry, assignment: RoleAssignment) -> RoleAssignment:
    """*assignment*, its role named at the registry: who may read that may not be able to read the whole subscription's."""
    role = assignment.role_id.rstrip("/").rpartition("/")[2]
    return assignment.replace(role_id=f"{found.id}/providers/Microsoft.Authorization/roleDefinitions/{role}")


def _pulls(role: RoleDefinition, mode: str) -> bool:
    allowed, excepted = (role.data_actions, role.not_data_actions) if mode == "abac" else (role.actions, role.not_actions)

    def among(patterns: tuple[str, ...]) -> bool:
        return any(fnmatchcase(_PULL[mode].lower(), pattern.lower()) for pattern in patterns)

    return among(allowed) and not among(excepted)


def _give(found: ContainerRegistry, account: Account) -> str:
    who = account.object_id or "ID"
    return f"az role assignment create --role '{_ROLE[found.mode]}' --assignee {who} --scope {found.id}"


def _age(assignment: RoleAssignment, now: float) -> float | None:
    """Seconds since the assignment was made, None where that is not said."""
    try:
        # Azure writes seven digits of a second; Python reads six.
        return now - datetime.fromisoformat(re.sub(r"(\.[0-9]{6})[0-9]+", r"\1", assignment.created)).timestamp()
    except (ValueError, OverflowError):
        return None
