"""The source that is our own store."""

from __future__ import annotations

from registryauth._redact import printable
from registryauth.reference import Address
from registryauth.resolver.answer import Absent, Found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from registryauth.reference import Repository
    from registryauth.stores import Store


class Stored:
    """Records by whole path segments, the most specific first.

    *open_store* is called when the first question comes and gives None where no store was made yet.
    """

    name = "store"

    def __init__(self, open_store: Callable[[], Store | None], *, account: str | None = None, clock: Callable[[], float]) -> None:
        self._open = open_store
        self._account = account
        self._clock = clock

    def ask(self, repository: Repository) -> Found | Absent:
        """The record at or above *repository*; raise `StoreError` if the store cannot say."""
        store = self._open()
        if store is None:
            return Absent(self.name, "nothing was stored yet")
        record = store.get(Address(repository.registry, repository.path), self._account)
        if record is None:
            of = f" of account {printable(self._account)}" if self._account else ""
            above = f" or a path above {repository.path}" if repository.path else ""
            return Absent(self.name, f"no entry{of} for {repository.registry}{above}")
        if not record.address.covers(repository):
            # A store is another room, perhaps another machine: what it hands out is checked here once more.
            return Absent(self.name, f"the store offered the entry for {record.address}, which does not cover it")
        now = self._clock()
        slot = record.slot(now)
        dates = ", expired" if slot.expires_at and slot.expires_at <= now else ""
        # A registry as a whole has no path.
        what = repository.path or repository.registry
        detail = f"{what} is covered by the entry for {record.address}, account {printable(record.account, 80)}{dates}"
        return Found(self.name, detail, lambda: record.pinned(now), slot.expires_at)
