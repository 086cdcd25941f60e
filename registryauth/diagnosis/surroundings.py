"""What an examination of the installation is given."""

from __future__ import annotations

from functools import cached_property

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from registryauth.config import Config
    from registryauth.diagnosis.redaction import Blotter
    from registryauth.stores import Principal
    from registryauth.stores.audited import AuditedStore


class Surroundings:
    """One installation: *load* reads its settings, *open_store* opens its store, which the caller closes.

    *clock* is in seconds since the epoch, *timer* in seconds since any moment. Each is asked once.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        load: Callable[[], Config],
        open_store: Callable[[Config], AuditedStore],
        clock: Callable[[], float],
        timer: Callable[[], float],
        blotter: Blotter,
    ) -> None:
        self.environ = environ
        self.clock = clock
        self.timer = timer
        self.blotter = blotter
        self._load = load
        self._open = open_store

    @cached_property
    def config(self) -> Config:
        """The settings; raise `ConfigurationError`."""
        return self._load()

    @cached_property
    def store(self) -> AuditedStore:
        """The configured store; raise `ConfigurationError`."""
        return self._open(self.config)

    @cached_property
    def records(self) -> tuple[Principal, ...]:
        """Every record, without a line in the audit log: no secret is handed out. Raise `StoreError`."""
        from registryauth.stores.audited import behind

        found = tuple(behind(self.store).list()) if self.store.status().get("exists", True) else ()
        self.blotter.add(*(slot.secret for record in found for slot in record.slots))
        return found

    def close(self) -> None:
        """Close the store, if it was opened."""
        if "store" in self.__dict__:
            self.store.close()
