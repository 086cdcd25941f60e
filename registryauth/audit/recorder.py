"""What it means that an event cannot be written down: nothing, a line on stderr, or that it must not happen."""

from __future__ import annotations

import sys
import time

from registryauth._redact import printable
from registryauth.audit.event import Event
from registryauth.audit.log import Log
from registryauth.errors import StoreError, StoreUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

OFF, BEST_EFFORT, REQUIRED = "off", "best-effort", "required"

#: The logs of which this process has said already that they cannot be written.
_complained: set[str] = set()


class Recorder:
    """Writes events to the log at *path*, empty where none is known, as *mode* (``off``, ``best-effort``, ``required``) has it.

    *syslog*, if given, is handed each line as text, too. *warn* is told, once for each log in a process, what could not be
    written in the mode ``best-effort``. *purpose* is said of every event that has none of its own.
    """

    def __init__(
        self,
        path: str,
        mode: str,
        *,
        purpose: str = "",
        syslog: Callable[[str], None] | None = None,
        warn: Callable[[str], None] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.mode = mode
        self.purpose = purpose
        self.path = path
        self._log = Log(path, clock=clock) if path else None
        self._syslog = syslog
        self._warn = warn or _to_stderr

    @property
    def is_required(self) -> bool:
        """Whether what cannot be written down must not happen."""
        return self.mode == REQUIRED

    def record(self, events: Sequence[Event], key: Callable[[], bytes | None]) -> None:
        """Write *events* down under *key*, which gives None where none is at hand; raise `StoreUnavailable` only where it is required."""
        if self.mode == OFF or not events:
            return
        try:
            if self._log is None:
                raise StoreUnavailable("no home directory is known, so there is no audit log", hint="set HOME, or REGISTRYAUTH_AUDIT_FILE")
            named = [event if event.purpose else event.replace(purpose=self.purpose) for event in events]
            lines = self._log.append(named, key())
        except StoreError as error:
            if self.is_required:
                raise StoreUnavailable(
                    f"{error.message}; audit.mode is required, and what cannot be written down is not done", hint=error.hint
                ) from error
            self._complain(error)
            return
        if self._syslog:
            for line in lines:
                self._syslog(line.decode())

    def _complain(self, error: StoreError) -> None:
        if self.path not in _complained:
            _complained.add(self.path)
            self._warn(f"{printable(error.message)}; this goes on unrecorded (audit.mode = off would be silent)")


def to_syslog(line: str) -> None:
    """Hand *line* to the system's log, facility authpriv; whether somebody keeps it is not told (syslog(3))."""
    import syslog

    syslog.openlog("registryauth", syslog.LOG_PID, syslog.LOG_AUTHPRIV)
    # A percent sign is a directive to syslog(3) only in C: Python passes "%s".
    syslog.syslog(syslog.LOG_INFO, line)


def _to_stderr(text: str) -> None:
    if sys.stderr:
        sys.stderr.write(f"registryauth: {text}\n")
