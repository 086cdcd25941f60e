"""What a list of principals may say of each: the columns of a CSV file, the keys of a TOML table.

No complaint repeats what stands in the file: where columns are exchanged, any of them may hold the secret.
"""

from __future__ import annotations

import re

from registryauth._value import Value
from registryauth.credentials import NULL_GUID, TOKEN_USERNAME
from registryauth.errors import ConfigurationError, InvalidReference, StoreError
from registryauth.principals import refusals
from registryauth.principals.candidate import Candidate
from registryauth.principals.dates import parse_moment
from registryauth.reference import Address
from registryauth.registries.providers import CLOUDS
from registryauth.stores.limits import MAX_SECRET, refuse_unstorable
from registryauth.stores.principal import KINDS, Slot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from registryauth.principals.candidate import Rules

#: Each column, and what it holds: text, words, pairs of name and value, or yes and no.
COLUMNS: Mapping[str, type] = {
    "registry": str,
    "account": str,
    "secret": str,
    "kind": str,
    "tenant": str,
    "cloud": str,
    "owner": str,
    "purpose": str,
    "expires": str,
    "not_before": str,
    "labels": dict,
    "needed": list,
    "realm": str,
    "insecure": bool,
}
#: Other names for a column.
ALIASES = {"client_id": "account", "username": "account", "password": "secret"}

#: What no protocol, and no list of one principal a line, can carry.
CONTROL = r"[\x00-\x1f\x7f-\x9f]"

#: Characters of a row that is within a store's limits whatever they are, its secret apart.
_SHORT = 256

_NOTES = ("tenant", "cloud", "owner", "purpose")
_TOKEN_ACCOUNTS = (TOKEN_USERNAME, NULL_GUID)


class Said(Value, hidden=("values",)):
    """One row or table: *values* by column, each of the type in `COLUMNS`; *client* says that the account is a client ID."""

    place: str
    values: Mapping[str, object]
    client: bool
    #: Takes the column and what is wrong with it.
    complain: Callable[[str, str], None]

    def text(self, column: str) -> str:
        """The text in *column*, empty where there is none."""
        return str(self.values.get(column, ""))


def column_named(name: str) -> str | None:
    """The column that *name* means, None if there is no such one."""
    name = ALIASES.get(_plain(name), _plain(name))
    return name if name in COLUMNS else None


def is_client(name: str) -> bool:
    """Whether the column *name* holds client IDs, as Entra calls the names of service principals."""
    return _plain(name) == "client_id"


def _plain(name: str) -> str:
    return name.strip().lower().replace("-", "_").replace(" ", "_")


def guess(name: str) -> str:
    """What to answer to a *name* that is no column: the likeliest one, or all of them. Does not repeat the name."""
    from difflib import get_close_matches

    names = (*COLUMNS, *ALIASES)
    near = get_close_matches(name.strip().lower()[:40], names, 1)
    return f"there is no such column; did you mean {near[0]}?" if near else f"there is no such column; there are {', '.join(names)}"


def missing(columns: Iterable[str]) -> list[str]:
    """The columns that a list cannot do without and that are not among *columns*."""
    return [name for name in ("registry", "account", "secret") if name not in columns]


def candidate(said: Said, rules: Rules) -> Candidate | None:
    """The principal that *said* describes; None, having complained, where it describes none."""
    faults: list[str] = []

    def complain(column: str, complaint: str) -> None:
        faults.append(column)
        said.complain(column, complaint)

    for column, value in said.values.items():
        if isinstance(value, str) and (control := re.search(CONTROL, value)):
            where = f"its character {control.start() + 1}"
            complain(column, f"holds a line break or control character ({where}), which no registry can be sent")
    if faults:
        # One cause, one complaint.
        return None
    insecure = bool(said.values.get("insecure", False))
    address = _address(said, rules, complain, insecure=insecure)
    account, kind = _account(said, complain), _kind(said, complain)
    expires_at, not_before = _dates(said, rules, complain)
    realm = _realm(said, complain)
    if said.text("cloud") and said.text("cloud") not in CLOUDS:
        complain("cloud", f"is none of {', '.join(CLOUDS)}")
    labels, needed = _labels(said, complain), _needed(said, complain)
    secret = _secret(said, complain)
    if faults or address is None:
        return None
    slot = Slot(secret, int(rules.now), expires_at, not_before)
    notes = {name: said.text(name) for name in _NOTES}
    asked = {"needed": needed} if needed else {}
    principal = rules.principal(address, account, slot, kind=kind, realm=realm, insecure=insecure, labels=labels, **notes, **asked)
    try:
        if sum(len(str(value)) for column, value in said.values.items() if column != "secret") > _SHORT:
            refuse_unstorable(principal)
    except StoreError:
        complain("account", "the account, or all that is said of it, is longer than a store takes")
        return None
    names = ("kind", *_NOTES, "realm", "insecure", "labels", "needed")
    return Candidate(said.place, principal, tuple(name for name in names if said.values.get(name)))


def _address(said: Said, rules: Rules, complain: Callable[[str, str], None], *, insecure: bool) -> Address | None:
    text = said.text("registry")
    if not text:
        complain("registry", "is empty")
        return None
    address = _parsed(text, rules.known)
    if address is None:
        slip = _parsed(text, (text.rpartition("://")[2].partition("/")[0].partition(":")[0].lower().removeprefix("*."),))
        why = "is one slip away from a well-known registry; if it is right, name it in config.toml" if slip else "is no registry address"
        complain("registry", why)
        return None
    try:
        refusals.refuse_shared_wildcard(address, insecure=insecure)
    except ConfigurationError:
        complain("registry", "is a wildcard that would cover registries of others, or plain http; name each registry")
    return address


def _parsed(text: str, known: Collection[str]) -> Address | None:
    try:
        return Address.parse(text, known=known, wildcard=True)
    except InvalidReference:
        return None


def _account(said: Said, complain: Callable[[str, str], None]) -> str:
    account = said.text("account") or (TOKEN_USERNAME if said.text("kind") == "identity-token" else "")
    _unless(lambda: refusals.refuse_unusable(account, "x"), "account", complain)
    return account


def _secret(said: Said, complain: Callable[[str, str], None]) -> str:
    secret = said.text("secret")
    if _unless(lambda: refusals.refuse_unusable("x", secret), "secret", complain) and len(secret.encode()) > MAX_SECRET:
        complain("secret", f"is longer than {MAX_SECRET} bytes")
    return secret


def _unless(check: Callable[[], None], column: str, complain: Callable[[str, str], None]) -> bool:
    """Whether *check*, whose messages repeat nothing, lets *column* pass."""
    try:
        check()
    except ConfigurationError as error:
        complain(column, error.message)
        return False
    return True


def _kind(said: Said, complain: Callable[[str, str], None]) -> str:
    kind = said.text("kind")
    if kind and kind not in KINDS:
        complain("kind", f"is none of {', '.join(KINDS)}")
    if said.text("account") in _TOKEN_ACCOUNTS:
        return "identity-token"
    return kind or ("service-principal" if said.client or said.text("tenant") else "user")


def _dates(said: Said, rules: Rules, complain: Callable[[str, str], None]) -> tuple[int, int]:
    expires_at = _moment(said.text("expires"), rules.now)
    not_before = _moment(said.text("not_before"), rules.now)
    for column, moment in (("expires", expires_at), ("not_before", not_before)):
        if moment is None:
            complain(column, "is no date: write 2027-05-01, 2027-05-01T12:00:00Z or 90d")
    if expires_at and expires_at <= rules.now:
        complain("expires", "is over already: a dead secret cannot be registered")
    elif expires_at and not_before and expires_at <= not_before:
        complain("expires", "is before the day from which it may be used")
    return expires_at or 0, not_before or 0


def _moment(text: str, now: float) -> int | None:
    """*text* in seconds since the epoch, whether it is past or not; None if it is no date."""
    try:
        return parse_moment(text, now, past=True)
    except ConfigurationError:
        return None


def _realm(said: Said, complain: Callable[[str, str], None]) -> str:
    realm = said.text("realm")
    if realm:
        try:
            refusals.refuse_no_url(realm)
        except ConfigurationError:
            complain("realm", "is not the URL of a token server")
    return realm


def _labels(said: Said, complain: Callable[[str, str], None]) -> tuple[tuple[str, str], ...]:
    labels = said.values.get("labels", {})
    if not isinstance(labels, dict):
        return ()
    try:
        refusals.refuse_odd_labels(labels)
    except ConfigurationError:
        complain("labels", "are name=value, the names of letters and digits with . _ - between them, the values of one line")
    return tuple(sorted(labels.items()))


def _needed(said: Said, complain: Callable[[str, str], None]) -> tuple[str, ...]:
    needed = said.values.get("needed", [])
    words: Sequence[str] = needed if isinstance(needed, list) else []
    try:
        refusals.refuse_unknown_actions(words)
    except ConfigurationError:
        complain("needed", f"are words of {', '.join(refusals.ACTIONS)}")
    return tuple(dict.fromkeys(words))
