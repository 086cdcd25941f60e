"""What a file holds that could become a principal, and what is wrong with the rest of it."""

from __future__ import annotations

from registryauth._redact import printable
from registryauth._value import Value
from registryauth.errors import ConfigurationError
from registryauth.stores.principal import Key, Principal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import Any

    from registryauth.reference import Address
    from registryauth.stores.principal import Slot

#: Principals in one file; more than any registry has, and few enough to be held in memory.
MAX_PRINCIPALS = 100_000
#: Faults, records or reasons that one message lists: as many as a screen shows.
MAX_SHOWN = 20


class Rules(Value):
    """How a file is to be read: at *now*, for *made_by*, an empty one being what the file says or ``admin``.

    *known* are hosts that are right though they look mistyped, because the configuration names them; *realms* are the token
    servers that it names, by host, and *insecure* the hosts that it allows plain http.
    """

    now: float
    made_by: str = ""
    known: Collection[str] = ()
    realms: Mapping[str, str] = {}
    insecure: Collection[str] = ()

    def principal(self, address: Address, account: str, slot: Slot, **said: Any) -> Principal:  # noqa: ANN401 - `Principal`'s fields
        """A new record, as `register` makes it: what is not said of its registry is what the configuration says, and an admin's
        needs the right to pull.
        """
        made_by, now, host = self.made_by or "admin", int(self.now), address.registry.host
        said["realm"] = said.get("realm") or self.realms.get(host, "")
        said["insecure"] = said.get("insecure") or host in self.insecure
        default: dict[str, Any] = {"needed": ("pull",)} if made_by == "admin" else {}
        stamped: dict[str, Any] = {"made_by": made_by, "created_at": now, "updated_at": now}
        return Principal(address, account, (slot.replace(serial=1),), **stamped | default | said)


class Candidate(Value):
    """A *principal* that stands at *place* in a file; *said* are the fields of it that the file speaks of, key and secrets apart.

    *kept* says that it comes from a store, so that it is to be what it was there.
    """

    place: str
    principal: Principal
    said: tuple[str, ...] = ()
    kept: bool = False


class Skipped(Value):
    """Something in a file that names a credential and holds none for us."""

    place: str
    reason: str


class Faults:
    """Everything that is wrong with the file *what*: collected, and then said in one go. Holds no value from the file."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._found: list[str] = []
        self._count = 0
        self._line = 0
        self._places: dict[Key, str] = {}

    def add(self, place: str, complaint: str, line: int = 0) -> None:
        """Note that *complaint* is wrong at *place*."""
        self._count += 1
        self._line = self._line or line
        if len(self._found) < MAX_SHOWN:
            self._found.append(f"{printable(place)}: {printable(complaint)}")

    def refuse_repeated(self, candidate: Candidate, line: int = 0) -> None:
        """Note a candidate for a registry and an account that an earlier one was for."""
        first = self._places.setdefault(candidate.principal.key, candidate.place)
        if first != candidate.place:
            self.add(candidate.place, f"the same registry and account as {first}", line)

    def refuse_any(self, hint: str = "correct the file, and import it again") -> None:
        """Raise `ConfigurationError` if there is any."""
        if not self._found:
            return
        what = "1 fault" if self._count == 1 else f"{self._count} faults"
        raise ConfigurationError(
            f"{self._what} has {what}; nothing was imported\n{listed(self._found, self._count)}",
            file=self._what,
            line=self._line,
            hint=hint,
        )


def listed(lines: Collection[str], count: int) -> str:
    """*lines*, at most `MAX_SHOWN` of them, indented, and how many of *count* are not shown."""
    shown = list(lines)[:MAX_SHOWN]
    more = [f"and {count - len(shown)} more"] if count > len(shown) else []
    return "\n".join(f"  {line}" for line in (*shown, *more))
