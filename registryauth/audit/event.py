"""What is written down of one event, and what each line says beside it."""

from __future__ import annotations

import json
import os
import sys
import time

from registryauth._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Every event there is. A secret was handed out: read, listed (of a whole store, *count* says how many), exported, fetched
#: (from where it rests outside of the store, *detail* says where and how). A record
#: was written: added, changed, removed, imported, rotated, pruned, disabled, enabled. A registry was asked: verified. The
#: store as a whole: unlocked, locked, rekeyed, backed-up, restored, migrated, checked. A file of the log: begun.
EVENTS = (
    "read", "listed", "exported", "fetched",
    "added", "changed", "removed", "imported", "rotated", "pruned", "disabled", "enabled",
    "verified",
    "unlocked", "locked", "rekeyed", "backed-up", "restored", "migrated", "checked",
    "begun",
)  # fmt: skip
#: ``begun`` is written before what must not happen unseen, and is followed by one of the others unless the process died.
RESULTS = ("ok", "refused", "failed", "begun")

#: Characters of a field; what is longer ends in "…".
_LONGEST = {"address": 512, "account": 256, "error": 64, "purpose": 80, "detail": 200}
_OF_A_NAME = 64


class Event(Value):
    """One event. *serial* is the secret's (`Slot.serial`), *count* how many records, *purpose* what for.

    *error* is the class of the error that ended it; *carries* is the id of the key that vouched for the lines before it.
    """

    event: str
    address: str = ""
    account: str = ""
    serial: int = 0
    result: str = "ok"
    error: str = ""
    count: int = 0
    purpose: str = ""
    detail: str = ""
    carries: str = ""

    def _check(self) -> None:
        if self.event not in EVENTS or self.result not in RESULTS:
            raise ValueError(f"{self.event} {self.result} is no event")


def body(event: Event, sequence: int, previous: str, key: str | None, now: float) -> bytes:
    """The line of *event* without its MAC: the JSON object whose fields docs/audit.md lists, in ASCII."""
    said: dict[str, Any] = {"sequence": sequence, "time": moment(now), "event": event.event, "result": event.result}
    said |= {name: bounded(getattr(event, name), limit) for name, limit in _LONGEST.items()}
    said |= {"serial": event.serial, "count": event.count, **who()}
    if event.carries:
        said["carries"] = event.carries
    said |= {"previous": previous, "key": key}
    return json.dumps(said, separators=(",", ":")).encode()


def who() -> dict[str, Any]:
    """What this process is: its user by name and number, its own number, its program and the one that started it, if that is known."""
    return {"user": _user(), "uid": _uid(), "pid": os.getpid(), "program": _program(), "parent": _parent()}


def bounded(text: str, limit: int) -> str:
    """*text*, cut off where it is longer than *limit*, which shows."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def moment(now: float) -> str:
    """*now* as RFC 3339 in UTC with milliseconds."""
    seconds, thousandths = divmod(int(now * 1000), 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{thousandths:03d}Z"


def _uid() -> int:
    return os.getuid() if hasattr(os, "getuid") else -1


def _user() -> str:
    """What the user database says: the environment could say anything."""
    try:
        import pwd

        return bounded(pwd.getpwuid(_uid()).pw_name, _OF_A_NAME)
    except (ImportError, KeyError):
        return ""


def _program() -> str:
    called = sys.argv[0] if sys.argv else ""
    name = os.path.basename(called)
    # As Python runs a package.
    return bounded(os.path.basename(os.path.dirname(called)) if name == "__main__.py" else name, _OF_A_NAME)


def _parent() -> str:
    try:
        # proc(5): at most 16 bytes, without a path.
        descriptor = os.open(f"/proc/{os.getppid()}/comm", os.O_RDONLY)
    except OSError:
        return ""
    try:
        return bounded(os.read(descriptor, 64).decode("utf-8", "replace").rstrip("\n"), _OF_A_NAME)
    except OSError:
        return ""
    finally:
        os.close(descriptor)
