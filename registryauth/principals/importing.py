"""Many principals at once into a store: looked at, verified if wanted, and written together."""

from __future__ import annotations

from collections import Counter

from registryauth._redact import printable
from registryauth._value import Value
from registryauth.errors import Conflict, Error
from registryauth.principals.candidate import MAX_SHOWN, listed
from registryauth.principals.verify import verify
from registryauth.stores.principal import Principal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from registryauth.principals.candidate import Candidate
    from registryauth.principals.verify import OpenClient
    from registryauth.reference import Address
    from registryauth.stores import Store

#: What to do with a record that is there already.
REFUSE, REPLACE, LEAVE = "refuse", "replace", "leave"
#: Up to so many addresses are looked up one by one; beyond, the store is read once.
_FEW = 64
#: Registries that are asked at the same time.
_AT_ONCE = 8


class Step(Value):
    """What is done with one candidate: *action* is ``add``, ``replace`` or ``leave``, *revision* that of the record in place, 0 if none."""

    action: str
    principal: Principal
    revision: int = 0


def plan(store: Store, candidates: Sequence[Candidate], *, existing: str = REFUSE, now: float) -> list[Step]:
    """What importing *candidates* into *store* would do; nothing is written.

    *existing* says what becomes of a record that is there: `REFUSE` raises `Conflict` naming up to a screenful of them; with
    `REPLACE` the secret is replaced, and of the rest what the file says; `LEAVE` leaves it alone. Raise what the store raises.
    """
    records = _there(store, dict.fromkeys(candidate.principal.address for candidate in candidates))
    there = {record.key: record for record in records}
    in_the_way = [candidate for candidate in candidates if candidate.principal.key in there]
    if in_the_way and existing == REFUSE:
        names = [f"{candidate.place}: {printable(str(candidate.principal.key))}" for candidate in in_the_way[:MAX_SHOWN]]
        which = f"{len(in_the_way)} of {len(candidates)} principals are"
        raise Conflict(
            f"{which} registered already; nothing was imported\n{listed(names, len(in_the_way))}",
            hint="--replace gives them the secrets of the file, --skip-existing leaves them as they are",
        )
    accounts = Counter(key.address for key in {*there, *(candidate.principal.key for candidate in candidates)})
    return [
        _step(there.get(candidate.principal.key), candidate, existing, now, alone=accounts[candidate.principal.address] == 1)
        for candidate in candidates
    ]


def _there(store: Store, addresses: Collection[Address]) -> list[Principal]:
    """The records that are stored for exactly these *addresses*, of every account."""
    if len(addresses) > _FEW and store.enumerable:
        return [record for record in store.list() if record.address in addresses]
    return [record for address in addresses for record in store.at(address)]


def _step(before: Principal | None, candidate: Candidate, existing: str, now: float, *, alone: bool) -> Step:
    if before is None:
        # Of several accounts none becomes the default unasked, as with `register`.
        default = int(now * 1_000_000) if alone and not candidate.kept else candidate.principal.preferred_at
        return Step("add", candidate.principal.replace(preferred_at=default))
    if existing == LEAVE:
        return Step("leave", before, before.revision)
    return Step("replace", _renewed(before, candidate, now), before.revision)


def _renewed(before: Principal, candidate: Candidate, now: float) -> Principal:
    """*before* with *candidate*'s secret and what the file says; what the file does not speak of stays, and so does an admin's mark."""
    fresh = candidate.principal
    given = fresh.slot(now)
    same = before.slots[0].secret == given.secret
    said = {name: getattr(fresh, name) for name in candidate.said}
    if "identity-token" in (before.kind, fresh.kind):
        # A password is sent to other places than a token.
        said["kind"] = fresh.kind
    return before.replace(
        slots=before.renewed(given, now),
        made_by="admin" if "admin" in (before.made_by, fresh.made_by) else fresh.made_by,
        verified_at=max(before.verified_at, fresh.verified_at) if same else fresh.verified_at,
        updated_at=int(now),
        **said,
    )


def verify_all(steps: Sequence[Step], open_client: Callable[[Principal], OpenClient], now: float) -> list[Step]:
    """*steps* with what their registries said; each that is to be written is asked, some at the same time.

    *open_client* gives a principal the clients for its registry. A wildcard names no registry that could be asked.

    Raise `Error`, naming up to a screenful that were refused, unless every one was taken or its registry asks nobody. A token
    server must be the registry's own, in the built-in table, or named in the file; nobody is asked to confirm one.
    """
    from concurrent.futures import ThreadPoolExecutor

    refused: list[tuple[Step, Error]] = []

    def asked(step: Step) -> Step:
        if step.action == "leave" or step.principal.address.is_wildcard or len(refused) >= MAX_SHOWN:
            return step
        try:
            return _verified(step, open_client, now)
        except Error as error:
            refused.append((step, error))
            return step

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        done = list(pool.map(asked, steps))
    if refused:
        lines = [f"{printable(str(step.principal.key))}: {printable(error.message)}" for step, error in refused]
        first = refused[0][1]
        what = "1 principal was" if len(lines) == 1 else f"{len(lines)} principals were"
        raise type(first)(
            f"{what} not taken by the registry; nothing was imported\n{listed(lines, len(lines))}", hint=first.hint
        ) from first
    return done


def _verified(step: Step, open_client: Callable[[Principal], OpenClient], now: float) -> Step:
    principal = step.principal
    said = verify(principal.address, principal.credential(now), open_client(principal), realm=principal.realm, insecure=principal.insecure)
    if not said.verified:
        return step
    return step.replace(principal=principal.replace(verified_at=int(now), realm=said.realm))


def carry_out(store: Store, steps: Iterable[Step]) -> list[Principal]:
    """Write what *steps* say, all of it or, where the *store* is atomic, nothing; give what was written.

    Raise `Conflict` where somebody wrote one of the records since `plan` looked. A store that is not atomic is written to one
    by one, and the error then says how many are in place.
    """
    wanted = [step for step in steps if step.action != "leave"]
    if store.atomic:
        return list(store.put_all((step.principal, step.revision) for step in wanted))
    written: list[Principal] = []
    for step in wanted:
        try:
            written.append(store.put(step.principal, step.revision if store.conditional else None))
        except Error as error:
            raise _cut_short(error, step, written, len(wanted)) from error
    return written


def _cut_short(error: Error, step: Step, written: Sequence[Principal], count: int) -> Error:
    last = f", the last of them {printable(str(written[-1].key))}" if written else ""
    return type(error)(
        f"{len(written)} of {count} principals were written{last}; then {printable(str(step.principal.key))} failed: {error.message}",
        hint=f"{error.hint}; then import the file again with --skip-existing, which goes on where this ended",
    )
