"""A registered principal, asked about again: whether it is still taken, and its rights are no wider than it needs."""

from __future__ import annotations

import time

from registryauth._value import Value
from registryauth.auth.scope import parse_scopes
from registryauth.azure.acr_errors import what_lets_pull
from registryauth.errors import Conflict, Error, RegistryError, TokenRefused, TooManyRequests, TransportError, Unauthorized
from registryauth.principals.rights import DEFAULT_NEED, PULL_ROLES, Rights, probe, spoken
from registryauth.principals.verify import asks_nobody, what_is_asked
from registryauth.reference import Repository
from registryauth.stores.commands import command
from registryauth.stores.expiry import outlook, too_early
from registryauth.stores.principal import Check
from registryauth.stores.revisions import insist

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Literal, TypeAlias

    from registryauth.auth.challenge import Challenge
    from registryauth.client import Client
    from registryauth.principals.verify import OpenClient
    from registryauth.reference import Registry
    from registryauth.stores import Store
    from registryauth.stores.principal import Principal, Slot

    Clock: TypeAlias = Callable[[], float]
    #: ``ok``: what is needed was granted, and nothing that changes more. ``accepted``: taken, and what it may do could not be
    #: told. ``wider``, ``lacking``: more or less than needed. ``refused``: the secret. ``unverified``: nobody was asked, or the
    #: registry asks nobody. ``unreachable``: no answer, or one that may be another in an hour. ``failed``: anything else.
    Verdict = Literal["ok", "accepted", "wider", "lacking", "refused", "unverified", "unreachable", "failed"]

#: Repositories of which a record keeps what was seen, the newest.
MAX_CHECKS = 16
_EXIT_CODES = {"wider": 7, "lacking": 4, "refused": 4, "unreachable": 6}


class Finding(Value):
    """What came of asking about *principal* in *repository*, a path, or where that is empty in its registry as a whole.

    *accepted* is None where that could not be told; *checked_at* is in seconds since the epoch. *notes* are about its other
    secret and its dates. *failure* is the exit code of what went wrong; *silent* says that the registry gave no answer to anybody.
    """

    principal: Principal
    repository: str
    verdict: Verdict
    detail: str
    hint: str = ""
    accepted: bool | None = None
    rights: Rights = Rights()
    notes: tuple[str, ...] = ()
    checked_at: int = 0
    failure: int = 0
    silent: bool = False

    @property
    def needed(self) -> tuple[str, ...]:
        """The rights it was registered for: to pull, where nobody said."""
        return self.principal.needed or DEFAULT_NEED

    @property
    def exit_code(self) -> int:
        """0, 4 for a secret refused or a right that is lacking, 7 for rights wider than needed, 6 for no answer; another error's own."""
        return self.failure or _EXIT_CODES.get(self.verdict, 0)


def review(
    principal: Principal,
    open_client: OpenClient,
    *,
    repository: Repository | None = None,
    registry: Registry | None = None,
    clock: Clock = time.time,
) -> list[Finding]:
    """Ask *principal*'s registry about its current secret, and what it may do in *repository*; one finding, or one for each repository.

    Without a *repository* those that were looked at before are looked at again. A wildcard's record is asked about at
    *registry*. Nothing is written, neither there nor into a store, and what goes wrong is a finding, too: nothing is raised
    but what is nobody's answer (a store that is locked). Each secret is presented once to be refused.
    """
    now = clock()
    registry = registry or principal.address.registry
    start = Finding(principal, repository.path if repository else "", "unverified", "", checked_at=int(now))
    if registry.host.startswith("*."):
        return [start.replace(detail=f"it is for every host that is {registry}, so nobody was asked: name one of them")]
    found: list[Finding] = []
    try:
        with open_client(lambda _: (principal.pinned(now),)) as client:
            asked = _asked(client, registry)
            if asked is None:
                return [start.replace(detail=asks_nobody(registry))]
            _present(client, Repository(registry, principal.address.path), asked)
            for place in [repository] if repository else _known(principal, registry):
                rights = probe(client, place, asked)
                found.append(_judged(principal, place, rights, now, guessed=repository is None))
    except _Silent as error:
        return [_failed(start, error.cause, now).replace(silent=True)]
    except Error as error:
        # What was seen before stands; what would have come after it meets the same trouble.
        found.append(_failed(start, error, now, accepted=bool(found) or None))
    notes = _notes(principal, registry, open_client, now)
    return [found[0].replace(notes=notes), *found[1:]]


def survey(
    principals: Iterable[Principal], open_client: Callable[[Registry], OpenClient], *, clock: Clock = time.time
) -> Iterator[list[Finding]]:
    """What `review` finds of each of *principals*, as it is found; a registry that gave no answer is not waited for again."""
    silent: set[Registry] = set()
    for principal in principals:
        registry = principal.address.registry
        if registry in silent:
            detail = f"{registry} gave no answer a moment ago, so it was not asked again"
            yield [Finding(principal, "", "unreachable", detail, checked_at=int(clock()))]
            continue
        found = review(principal, open_client(registry), clock=clock)
        if found[0].silent:
            silent.add(registry)
        yield found


class _Silent(Exception):
    """The registry itself could not be reached, whoever asks."""

    def __init__(self, cause: TransportError) -> None:
        super().__init__(str(cause))
        self.cause = cause


def _asked(client: Client, registry: Registry) -> Challenge | None:
    try:
        return what_is_asked(client, registry)[1]
    except TransportError as error:
        raise _Silent(error) from error


def _known(principal: Principal, registry: Registry) -> list[Repository]:
    """The repositories that were looked at before, else the one that the record may be for, else the registry as a whole."""
    paths = [check.repository for check in principal.checks if check.repository]
    return [Repository(registry, path) for path in paths[:MAX_CHECKS] or [principal.address.path]]


def _present(client: Client, whole: Repository, asked: Challenge) -> None:
    """Show the credential once, for no right in particular: a refusal then is the secret's, and not that of a right."""
    if asked.scheme == "bearer":
        client.grant(whole, asked, *parse_scopes(asked.param("scope")))
    else:
        client.ping(whole)


def _judged(principal: Principal, repository: Repository, rights: Rights, now: float, *, guessed: bool) -> Finding:
    """The finding that *rights* are; of a *guessed* repository that gives no pull nothing is concluded: it may be a folder of them."""
    if guessed and "pull" in rights.refused and repository.path not in [check.repository for check in principal.checks]:
        catalog = [tuple(action for action in seen if action == "catalog") for seen in (rights.granted, rights.refused)]
        repository, rights = repository.replace(path=""), rights.replace(granted=catalog[0], refused=catalog[1])
    found = Finding(principal, repository.path, "ok", "", accepted=True, rights=rights, checked_at=int(now))
    needed, where = found.needed, repository if repository.path else repository.registry
    excess, lacking = rights.excess(needed), rights.lacking(needed)
    can = spoken(action for action in rights.granted if action in needed)
    if lacking:
        also = f", and can {spoken(rights.granted)}" if rights.granted else ""
        only_pull = tuple(lacking) == ("pull",)
        hint = what_lets_pull(repository.registry, principal.account) if only_pull else ""
        hint = hint or f"grant the account {spoken(lacking)} on {where} (to pull, {PULL_ROLES}), or check the repository's name"
        if repository.path and repository.path == principal.address.path:
            hint += "; if that is a folder of repositories, name one of them with --repository"
        return found.replace(verdict="lacking", detail=f"cannot {spoken(lacking, 'or')}{also}", hint=hint)
    if excess:
        also = f"can {can}, and can also {spoken(excess)}" if can else f"can {spoken(excess)}"
        hint = f"narrow the account's role ({PULL_ROLES} lets it pull and no more), or register that it needs this"
        return found.replace(verdict="wider", detail=f"{also}: wider than asked", hint=hint)
    if all(action in rights.granted for action in needed):
        return found.replace(detail=f"can {can}")
    untold = spoken((action for action in needed if action not in rights.granted), "or")
    hint = "" if repository.path else _name_one(principal, repository.registry)
    return found.replace(verdict="accepted", detail=f"the secret is taken; whether it can {untold} could not be told", hint=hint)


def _name_one(principal: Principal, registry: Registry) -> str:
    """A hint how to ask about *principal*'s rights in one repository of *registry*."""
    below = "/".join(filter(None, (str(registry), principal.address.path, "REPOSITORY")))
    return f"name a repository: {command('principal verify', principal.key, below)}"


def _failed(start: Finding, error: Error, now: float, *, accepted: bool | None = None) -> Finding:
    found = start.replace(verdict="failed", detail=str(error), hint=error.hint, accepted=accepted)
    throttled = isinstance(error, TooManyRequests) or (isinstance(error, TokenRefused) and error.status == 429)
    if throttled or isinstance(error, TransportError) or (isinstance(error, RegistryError) and error.status >= 500):
        return found.replace(verdict="unreachable")
    if isinstance(error, TokenRefused | Unauthorized):
        expires_at = start.principal.slot(now).expires_at
        late = f"; as registered, it {outlook(expires_at, now)}" if expires_at and expires_at <= now else ""
        return found.replace(verdict="refused", detail=f"{error}{late}", accepted=False)
    return found.replace(failure=error.exit_code)


def _notes(principal: Principal, registry: Registry, open_client: OpenClient, now: float) -> tuple[str, ...]:
    """What to know beside: whether the other secret is taken, and dates that cannot be right."""
    current = principal.slot(now)
    early = too_early(principal.account, principal.address, current, now)
    idle = "it is disabled, and handed to nobody" if principal.disabled_at else ""
    return tuple(
        filter(None, (idle, early, *(_other(principal, slot, registry, open_client, now) for slot in _others(principal, current))))
    )


def _others(principal: Principal, current: Slot) -> list[Slot]:
    return [slot for slot in principal.slots if slot != current][:1]


def _other(principal: Principal, slot: Slot, registry: Registry, open_client: OpenClient, now: float) -> str:
    name = "the next secret" if slot == principal.pending else "the second secret"
    alone = principal.replace(slots=(slot,))
    try:
        with open_client(lambda _: (alone.pinned(now),)) as client:
            asked = _asked(client, registry)
            if asked is None:
                return ""
            _present(client, Repository(registry, principal.address.path), asked)
    except (Error, _Silent) as error:
        refused = isinstance(error, TokenRefused | Unauthorized) and error.status != 429
        return f"{name} {'is refused' if refused else 'could not be tried'}: {error}"
    return f"{name} is taken, too"


def keep(store: Store, findings: Sequence[Finding]) -> bool:
    """Write what was found into the principal's record; whether there was anything to write.

    Nothing is written where the secret was replaced or the record removed meanwhile: what was found is then about another.
    Of other people's writes none is lost. Raise `StoreUnavailable` for a store that only reads, `Conflict` for one that has no
    conditional write.
    """
    told = [found for found in findings if found.accepted]
    if not told:
        return False
    if not store.conditional:
        raise Conflict("this store has no conditional write, so what was found is not kept", hint="another's write could be lost")
    principal, now = told[0].principal, told[0].checked_at
    secret = principal.slot(now).secret
    checks = [
        Check(found.repository, found.rights.granted, found.rights.refused, found.rights.evidence, now)
        for found in told
        if found.rights.evidence and not _may_be_a_folder(found)
    ]

    def write() -> bool:
        there = store.exact(principal.key)
        if there is None or there.slot(now).secret != secret:
            return False
        store.put(there.replace(verified_at=max(now, there.verified_at), checks=_newest(checks, there.checks)), there.revision)
        return True

    return insist(write, principal.key)


def _may_be_a_folder(found: Finding) -> bool:
    """Whether that is the path that the record is for, never seen to be a repository: nothing to look at again every night."""
    seen = any(check.repository == found.repository for check in found.principal.checks)
    return found.repository == found.principal.address.path != "" and not seen and "pull" in found.rights.refused


def _newest(fresh: Iterable[Check], before: Iterable[Check]) -> tuple[Check, ...]:
    """The newest of each repository, the newest first."""
    by_repository: dict[str, Check] = {}
    # In this order and not by their dates: a clock may have been put back.
    for check in (*fresh, *before):
        by_repository.setdefault(check.repository, check)
    return tuple(by_repository.values())[:MAX_CHECKS]
