"""What there is to mend about a principal, and the command that mends it. Pure: records in, words out."""

from __future__ import annotations

import shlex

from registryauth._value import Value
from registryauth.principals.consumers import behind
from registryauth.principals.rights import DEFAULT_NEED, PULL_ROLES, Rights, spoken
from registryauth.stores.expiry import ends_within, outlook, too_early
from registryauth.stores.principal import ENTRA_LABEL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from registryauth.principals import Finding
    from registryauth.stores.principal import Check, Principal

#: What may be wrong, what is looked at first first.
KINDS = (
    "expired",
    "refused",
    "over-privileged",
    "never-used",
    "lacking",
    "expiring",
    "early",
    "kept-secret",
    "consumers-behind",
    "unanswered",
    "never-verified",
)
#: Seconds for which one that was just registered may wait for its first use without a word.
NEW = 7 * 86400
#: Repositories that are named in one line.
_NAMED = 2


class Issue(Value):
    """One thing to mend about *principal*: what *kind* of thing, in words, and what to do *next*, which *command* does or checks.

    *rank* orders issues of a kind, the smallest first. *command* is empty where an account's name cannot be typed.
    """

    kind: str
    principal: Principal
    detail: str
    next: str
    command: str = ""
    rank: float = 0


class Circumstances(Value):
    """What a principal is judged by: *now* and *within* in seconds, when it was last used here (0: never), what was asked just now.

    *shared* says that its address has several accounts, so that a command has to name one.
    """

    now: float
    within: int
    used_at: int = 0
    findings: Sequence[Finding] = ()
    shared: bool = False


def issues(record: Principal, known: Circumstances) -> list[Issue]:
    """Everything that is to be mended about *record*; of one that is disabled only the replaced secret that is still kept."""
    looks = _LOOKS if not record.disabled_at else (_kept_secret,)
    return [issue for look in looks for issue in look(record, known)]


def needed(record: Principal) -> tuple[str, ...]:
    """The rights that *record* was registered for: to pull, where nobody said."""
    return record.needed or DEFAULT_NEED


def excess(record: Principal, check: Check) -> tuple[str, ...]:
    """What *check* saw granted, changes things and is not needed."""
    return Rights(check.granted, check.refused).excess(needed(record))


def lacking(record: Principal, check: Check) -> tuple[str, ...]:
    """What *check* saw refused and is needed."""
    return Rights(check.granted, check.refused).lacking(needed(record))


def is_never_used(record: Principal, used_at: int, now: float) -> bool:
    """Whether nobody asked for it here, nothing is known to have been given its secret, and there was time enough for that."""
    return not used_at and not record.consumers and record.created_at <= now - NEW


def _dates(record: Principal, known: Circumstances) -> Iterator[Issue]:
    slot, now = record.slot(known.now), known.now
    if early := too_early(record.account, record.address, slot, now):
        detail = early.removeprefix(f"the secret of {record.account} for {record.address} ")
        yield Issue("early", record, detail, "check the date, and this machine's clock", rank=slot.not_before)
    # What signs in anew by itself is nobody's task.
    if record.renews_by or not ends_within(slot.expires_at, now, known.within):
        return
    kind = "expired" if slot.expires_at <= now else "expiring"
    yield Issue(kind, record, outlook(slot.expires_at, now), "put a new secret in place", _renewal(record, known), slot.expires_at)


def _rights(record: Principal, known: Circumstances) -> Iterator[Issue]:
    wide = {check.repository: more for check in record.checks if (more := excess(record, check))}
    if wide:
        actions = list(dict.fromkeys(action for more in wide.values() for action in more))
        detail = f"can also {spoken(actions)}{_where(wide)}"
        advice = f"narrow its role at the registry ({PULL_ROLES} lets it pull and no more), then ask again"
        yield Issue("over-privileged", record, detail, advice, _verify(record, known, next(iter(wide))), -len(actions))
    short = {check.repository: less for check in record.checks if (less := lacking(record, check))}
    if short:
        actions = list(dict.fromkeys(action for less in short.values() for action in less))
        detail = f"cannot {spoken(actions, 'or')}{_where(short)}"
        advice = f"grant it at the registry (to pull, {PULL_ROLES}), then ask again"
        yield Issue("lacking", record, detail, advice, _verify(record, known, next(iter(short))), -len(short))


def _use(record: Principal, known: Circumstances) -> Iterator[Issue]:
    if is_never_used(record, known.used_at, known.now):
        since = f"; registered {_ago(record.created_at, known.now)}" if record.created_at else ""
        advice = "switch it off if nobody misses it; 'principal enable' brings it back"
        detail = f"never asked for here{since}"
        yield Issue("never-used", record, detail, advice, _command("principal disable", record, known), record.created_at)


def _kept_secret(record: Principal, known: Circumstances) -> Iterator[Issue]:
    old = record.replaced
    if old and 0 < old.remove_after <= known.now:
        detail = f"secret {old.serial} was to be removed {_ago(old.remove_after, known.now)}, and is still kept"
        advice = "remove it at its issuer, and here"
        yield Issue("kept-secret", record, detail, advice, _command("principal prune", record, known), old.remove_after)


def _consumers(record: Principal, known: Circumstances) -> Iterator[Issue]:
    late = behind(record)
    if late:
        some = ", ".join(consumer.target for consumer in late[:_NAMED])
        more = f" and {len(late) - _NAMED} more" if len(late) > _NAMED else ""
        detail = f"an older secret is held by {len(late)} of {len(record.consumers)} targets: {some}{more}"
        advice = "hand the current secret to each, or strike out what is gone"
        yield Issue("consumers-behind", record, detail, advice, _command("principal consumers", record, known), -len(late))


def _verified(record: Principal, known: Circumstances) -> Iterator[Issue]:
    asked = bool(known.findings)
    if not record.verified_at and not asked:
        advice = "ask its registry"
        yield Issue("never-verified", record, "never verified with its registry", advice, _verify(record, known, ""))


def _answers(record: Principal, known: Circumstances) -> Iterator[Issue]:
    for found in known.findings:
        if found.verdict == "refused":
            yield Issue("refused", record, found.detail, found.hint or "put a new secret in place", _renewal(record, known))
        elif found.verdict in ("unreachable", "failed"):
            yield Issue("unanswered", record, found.detail, found.hint or "ask again later", _verify(record, known, found.repository))
        elif found.verdict == "unverified":
            yield Issue("never-verified", record, found.detail, found.hint or "nothing can be told from here")


_LOOKS: tuple[Callable[[Principal, Circumstances], Iterator[Issue]], ...] = (
    _dates,
    _rights,
    _use,
    _kept_secret,
    _consumers,
    _verified,
    _answers,
)


def ordered(found: Iterable[Issue]) -> list[Issue]:
    """*found* with what comes first first: by kind, by rank, by name."""
    return sorted(found, key=lambda issue: (KINDS.index(issue.kind), issue.rank, str(issue.principal.key)))


def _where(repositories: Iterable[str]) -> str:
    """`` in team/model, team/base and 3 more``; nothing for a registry as a whole."""
    named = [path for path in repositories if path]
    if not named:
        return ""
    more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    return f" in {', '.join(named[:_NAMED])}{more}"


def _ago(then: int, now: float) -> str:
    """``3 days ago (2027-05-01)``, as `outlook` says it."""
    return outlook(then, now).removeprefix("expired ") if then <= now else "just now"


def _renewal(record: Principal, known: Circumstances) -> str:
    """What puts a new secret in place: the way in which this one came."""
    if record.labels and dict(record.labels).get(ENTRA_LABEL):
        return f"registryauth azure acr login {shlex.quote(record.address.registry.host)}"
    if record.made_by == "admin":
        return _command("principal rotate", record, known)
    username = "" if record.kind == "identity-token" or not record.account.isprintable() else f" --username {shlex.quote(record.account)}"
    return f"registryauth login {shlex.quote(str(record.address))}{username}"


def _verify(record: Principal, known: Circumstances, repository: str) -> str:
    where = f"{record.address.registry}/{repository}" if repository else str(record.address)
    return _command("principal verify", record, known, where)


def _command(verb: str, record: Principal, known: Circumstances, where: str = "") -> str:
    account = f" --account {shlex.quote(record.account)}" if known.shared else ""
    if not (account + where).isprintable():
        return ""
    return f"registryauth {verb} {shlex.quote(where or str(record.address))}{account}"
