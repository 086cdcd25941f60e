"""What is written down of the secrets that ``resolve --format`` hands to a target."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable

from registryauth._redact import printable
from registryauth.cli.console import say
from registryauth.cli.session import Session
from registryauth.errors import Error
from registryauth.resolver import PullSecret
from registryauth.stores.audited import AuditedStore
from registryauth.stores.principal import Key


class Exported:
    """The secrets of *store* among *secrets*, on their way to *target* in *document*'s format; each is written down once.

    *target* is empty for standard output whose reader nobody named.
    """

    def __init__(self, store: AuditedStore | None, secrets: Iterable[PullSecret], document: str, target: str) -> None:
        self._store = store
        self._secrets = {(secret.key, secret.serial) for secret in secrets if secret.key} if store else set()
        self._document = document
        self._target = target

    def announce(self) -> None:
        """Write the audit events; raise `StoreUnavailable` where that is required and impossible, and nothing may leave then."""
        for key, serial in self._ordered():
            assert self._store is not None  # noqa: S101 - there are no secrets without it
            self._store.note("exported", key, serial=serial, detail=f"{self._document} to {self._target or 'standard output'}")

    def remember(self) -> None:
        """Note *target* as a consumer of each secret, if it has a name; a store that cannot be written only warns."""
        from registryauth.principals import note_consumer

        for key, serial in self._ordered() if self._target else ():
            assert self._store is not None  # noqa: S101 - there are no secrets without it
            try:
                note_consumer(self._store, key, self._target, self._document, serial, time.time())
            except Error as error:
                say(
                    f"warning: it is not noted that {printable(self._target, 120)} has secret {serial} of {printable(str(key), 120)}"
                    f" ({error.message}); a rotation will not name it"
                )

    def _ordered(self) -> list[tuple[Key, int]]:
        return sorted(self._secrets, key=lambda each: (str(each[0]), each[1]))


def target_of(session: Session, output_file: str, consumer: str) -> str:
    """What the export is remembered as: *consumer* as it was given, or the file, with this machine's name where others share the store."""
    if consumer or not output_file:
        return consumer
    path = os.path.abspath(output_file)
    if session.config.store_backend == "local":
        return path
    import socket

    return f"{socket.gethostname()}:{path}"
