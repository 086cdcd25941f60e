"""Making service principals for registries, and giving them roles there: the steps, each of which says what it takes.

Sources: Microsoft Graph REST API v1.0 (application, servicePrincipal); azure-cli ``role/custom.py``, whose ``create-for-rbac`` removes
the secrets of an application that has the name already (azure-cli#28589): here such a one is never touched.
"""

from __future__ import annotations

from registryauth._redact import printable
from registryauth._value import Value
from registryauth.azure.graph import APPLICATIONS, SERVICE_PRINCIPALS
from registryauth.azure.registry_places import Place
from registryauth.azure.registry_roles import KNOWN, ROLES, RegistryRole, condition_for, covers, repositories_of, role_for
from registryauth.azure.role_assignments import RoleDefinition
from registryauth.errors import AzureError, ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from registryauth.azure.container_registries import ContainerRegistry
    from registryauth.azure.graph import DirectoryObject, Graph
    from registryauth.azure.role_assignments import RoleAssignment, RoleAssignments


#: Characters. Microsoft Graph, application: ``displayName``, maximum length 256; the portal takes 120.
_MAX_NAME = 120


class Gift(Value):
    """A role to be given at a place."""

    place: Place
    role: RegistryRole
    definition: RoleDefinition

    @property
    def condition(self) -> str:
        """What keeps it to the place's repositories; empty for the whole registry."""
        return condition_for(self.role, self.place.repositories)

    def __str__(self) -> str:
        return f"{self.role.name} at {self.place}"


def plan(roles: RoleAssignments, places: Iterable[Place], words: Collection[str]) -> tuple[Gift, ...]:
    """Which roles *words* (pull, push, delete) are in each of *places*; one that another includes is left out."""
    gifts: list[Gift] = []
    for place in places:
        wanted = list(dict.fromkeys(role_for(word, place.registry.mode) for word in words))
        needed = [role for role in wanted if not any(set(role.actions) < set(other.actions) for other in wanted)]
        gifts += [Gift(place, role, roles.definition(place.registry.id, role.name)) for role in needed]
    return tuple(gifts)


def refuse_taken(graph: Graph, name: str) -> None:
    """Raise `ConfigurationError` where an application is called *name*: its secrets and roles are somebody's."""
    if not name.strip() or not name.isprintable() or len(name) > _MAX_NAME:
        raise ConfigurationError("a name is one line of at most 120 characters", hint="for example registry-pull-team-a")
    if there := graph.named(name):
        ids = ", ".join(each.app_id for each in there[:5])
        raise ConfigurationError(
            f"there is an application called {printable(name, 80)} already ({ids}); it was not touched",
            hint=f"to give it a role: registryauth azure principal grant {there[0].app_id} --registry REGISTRY; a further secret:"
            " registryauth principal rotate REGISTRY --source entra; or choose another name",
        )


def principal_of(graph: Graph, app_id: str) -> DirectoryObject:
    """The service principal with that client id; raise `AzureError` (404) where there is none."""
    found = graph.find(SERVICE_PRINCIPALS, app_id)
    if found is not None:
        return found
    app_id = app_id.strip().lower()
    if graph.find(APPLICATIONS, app_id) is not None:
        message, hint = f"the application {app_id} has no service principal here", f"az ad sp create --id {app_id}"
    else:
        message, hint = f"the tenant has no application {app_id}", "a client id, not an object id; of this tenant? (--tenant)"
    raise AzureError(message, status=404, hint=hint)


class Grant(Value):
    """What came of a gift: *state* is ``given``, ``widened`` (more repositories in its condition), ``already``, or ``wider``.

    That is ``already``, too: repositories were asked for, and the role is there for the whole registry.
    """

    gift: Gift
    state: str


def give(roles: RoleAssignments, gift: Gift, principal_id: str, *, new: bool = False) -> Grant:
    """Give it; harmless to repeat. A *new* principal has no roles, and is not asked for them.

    Raise `AzureError`; also where it has the role under a condition that is not of the documented form, which is left alone.
    """
    at = gift.place.registry.id
    there = None if new else _held(roles, gift, principal_id)
    if there is None:
        try:
            roles.assign(at, gift.definition, principal_id, gift.condition)
        except AzureError as error:
            if error.code != "RoleAssignmentExists":
                raise
            # Somebody else was quicker, or the first answer was lost on its way.
            there = _held(roles, gift, principal_id)
            if there is None:
                raise
        else:
            return Grant(gift, "given")
    wanted = gift.place.repositories
    if not there.condition:
        return Grant(gift, "wider" if wanted else "already")
    held = _understood(there, gift)
    if wanted and all(covers(held, each) for each in wanted):
        return Grant(gift, "already")
    together = [each for each in {*held, *wanted} if not covers({*held, *wanted} - {each}, each)]
    roles.change(at, there, condition_for(gift.role, together) if wanted else "")
    return Grant(gift, "widened")


class Revocation(Value):
    """What came of it: *state* is ``revoked``, ``narrowed`` (fewer repositories in its condition) or ``absent``."""

    place: Place
    role: str
    state: str


def take(roles: RoleAssignments, gift: Gift, principal_id: str) -> Revocation:
    """Take the role at that very registry, or of a conditional one these repositories; nothing above it is touched.

    Raise `AzureError`; also where the role is for more than was named and cannot be narrowed.
    """
    at, wanted = gift.place.registry.id, gift.place.repositories
    there = _held(roles, gift, principal_id)
    if there is None:
        return Revocation(gift.place, gift.role.name, "absent")
    if not wanted:
        roles.end(at, there)
        return Revocation(gift.place, gift.role.name, "revoked")
    if not there.condition:
        raise _too_wide(gift, "it is for the whole registry")
    held = _understood(there, gift)
    left = [each for each in held if not covers(wanted, each)]
    if wider := next((each for each in left for one in wanted if covers((each,), one)), None):
        raise _too_wide(gift, f"it is for {wider}")
    if len(left) == len(held):
        return Revocation(gift.place, gift.role.name, "absent")
    if left:
        roles.change(at, there, condition_for(gift.role, left))
    else:
        roles.end(at, there)
    return Revocation(gift.place, gift.role.name, "narrowed" if left else "revoked")


def gifts_held(roles: RoleAssignments, place: Place, words: Collection[str], principal_id: str) -> Iterator[Gift]:
    """The principal's own roles at that very registry that *words* mean, of either mode: one from before it was changed is still there."""
    known = ((word, role) for several in ROLES.values() for word, role in several.items())
    # One without conditions is for the whole registry, and in a registry with repositories of no effect.
    meant = {role.name: role for word, role in known if word in words and (role.data_actions or not place.repositories)}
    for each in roles.of(place.registry.id, principal_id):
        if each.principal_id == principal_id.lower() and each.is_at(place.registry.id):
            definition = roles.definition_of(each)
            if definition.name in meant:
                yield Gift(place, meant[definition.name], definition)


class Remaining(Value):
    """A role that still lets the principal at a registry's images, and where it comes from.

    *repositories* are those that its *condition* keeps it to; none where it has none, or one that cannot be read.
    """

    role: str
    scope: str
    through: str = ""
    condition: str = ""
    repositories: tuple[str, ...] = ()

    def concerns(self, place: Place) -> bool:
        """Whether it may let somebody at *place*."""
        pairs = [(held, wanted) for held in self.repositories for wanted in place.repositories]
        return not pairs or any(covers((held,), wanted) or covers((wanted,), held) for held, wanted in pairs)


def remaining(roles: RoleAssignments, registry: ContainerRegistry, principal_id: str) -> tuple[Remaining, ...]:
    """What still lets the principal at the registry's images: inherited, through a group, or by a role that is none of a registry's own."""
    found: list[Remaining] = []
    for each in roles.of(registry.id, principal_id):
        role = roles.definition_of(each)
        if role.gives_access(registry.mode):
            group = "" if each.principal_id == principal_id.lower() else each.principal_id
            known = ROLES["abac"].get(KNOWN.get(role.name, ""))
            kept_to = repositories_of(each.condition, known) if known else None
            found.append(Remaining(role.name, each.scope, group, each.condition, kept_to or ()))
    return tuple(found)


def _held(roles: RoleAssignments, gift: Gift, principal_id: str) -> RoleAssignment | None:
    """The principal's own assignment of that role at that very registry."""
    wanted = gift.definition.id.rpartition("/")[2].lower()
    for each in roles.of(gift.place.registry.id, principal_id):
        own = each.principal_id == principal_id.lower() and each.is_at(gift.place.registry.id)
        if own and each.role_id.rpartition("/")[2].lower() == wanted:
            return each
    return None


def _understood(there: RoleAssignment, gift: Gift) -> tuple[str, ...]:
    held = repositories_of(there.condition, gift.role)
    if held is None:
        raise AzureError(
            f"{gift.role.name} at {gift.place.registry.login_server} has a condition that is not ours to change:"
            f" {printable(there.condition, 200)}",
            hint="change it where it was made (portal, Access control (IAM)); or revoke the role at the whole registry first",
        )
    return held


def _too_wide(gift: Gift, why: str) -> AzureError:
    return AzureError(
        f"{gift.role.name} cannot be taken away for {gift.place} alone: {why}",
        hint=f"revoke it there: --registry {gift.place.registry.id.name}, and grant what is to stay; nothing was changed",
    )
