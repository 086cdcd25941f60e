"""Which of our stored secrets is which of those that Entra lists: by its key id, else by how it begins, and never by a guess."""

from __future__ import annotations

from registryauth._value import Value
from registryauth.stores.revisions import revise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from registryauth.azure.graph import ClientSecret, DirectoryObject
    from registryauth.stores import Store
    from registryauth.stores.principal import Key, Principal, Slot


class Match(Value):
    """A stored secret, and the listed ones that it may be: one where that is known, several where it is ambiguous, none.

    *by* is ``key id`` or ``hint``.
    """

    key: Key
    slot: Slot
    by: str
    found: tuple[ClientSecret, ...]

    @property
    def only(self) -> ClientSecret | None:
        """The listed secret that it is, where exactly one is possible."""
        return self.found[0] if len(self.found) == 1 else None

    @property
    def news(self) -> dict[str, int | str]:
        """What Entra knows of it and our record does not say so: ``key_id``, ``expires_at``."""
        known = self.only
        if known is None:
            return {}
        told: dict[str, int | str] = {"key_id": known.key_id, "expires_at": known.expires_at}
        return {name: value for name, value in told.items() if value and value != getattr(self.slot, name)}


def match(records: Iterable[Principal], holders: Iterable[DirectoryObject]) -> tuple[Match, ...]:
    """Each secret of *records*, those of one client id, with what it is among the secrets of *holders*."""
    listed = [known for holder in holders for known in holder.secrets]
    return tuple(
        Match(record.key, slot, "key id" if slot.key_id else "hint", tuple(known for known in listed if known.may_be(slot)))
        for record in records
        for slot in record.slots
    )


def update(store: Store, matches: Iterable[Match], now: float) -> None:
    """Write what `Match.news` says into the records; a secret that was replaced meanwhile is left alone. Raise as `revise` does."""
    for found in matches:
        if found.news:
            revise(store, found.key, lambda record, found=found: _told(record, found), now)  # type: ignore[misc]


def _told(record: Principal, found: Match) -> Principal:
    slots = (slot.replace(**found.news) if slot.secret == found.slot.secret else slot for slot in record.slots)
    return record.replace(slots=tuple(slots))
