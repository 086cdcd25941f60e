"""The last events of a log, chosen by what they are about."""

from __future__ import annotations

import os
from collections import deque

from registryauth._value import Value
from registryauth.audit.log import fields_of, open_to_read, settled_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

#: Bytes that are read from a log's end: some hundred thousand events.
MAX_READ = 64 * 1024 * 1024

#: The fields of a line that are shown, and what each is; anything else in its place is dropped.
_TEXTS = ("time", "event", "result", "error", "address", "account", "purpose", "detail", "user", "program", "parent")
_NUMBERS = ("sequence", "serial", "count", "uid", "pid")


class Wanted(Value):
    """Which events: since *since* (RFC 3339, in UTC as the log writes it), at *address* or below it, of *account*, of one kind.

    What is empty does not narrow.
    """

    since: str = ""
    address: str = ""
    account: str = ""
    event: str = ""

    def matches(self, said: Mapping[str, Any]) -> bool:
        """Whether the line that says *said* is one of them."""
        address = str(said["address"])
        return (
            str(said["time"]) >= self.since
            and (not self.address or address == self.address or address.startswith(f"{self.address}/"))
            and self.account in ("", said["account"])
            and self.event in ("", said["event"])
        )


def recent(path: str, wanted: Wanted, limit: int, *, max_read: int = MAX_READ) -> tuple[list[dict[str, Any]], bool]:
    """The last *limit* events that are *wanted* in the log at *path*, the newest last, and whether those are all of that file.

    At most *max_read* bytes are read from its end. Nothing is checked. Raise `StoreUnavailable` for a file that is not ours alone.
    """
    handle = open_to_read(path)
    if handle is None:
        return [], True
    with os.fdopen(handle, "rb") as stream:
        size = settled_size(handle)
        stream.seek(max(0, size - max_read))
        found: deque[dict[str, Any]] = deque(maxlen=limit)
        matching = 0
        for said in _events(stream.read(min(size, max_read))):
            if wanted.matches(said):
                matching += 1
                found.append(said)
    return list(found), size <= max_read and matching <= limit


def _events(data: bytes) -> Iterator[dict[str, Any]]:
    for line in data.split(b"\n"):
        said = fields_of(line)
        if isinstance(said.get("event"), str):
            texts = {name: value if isinstance(value := said.get(name), str) else "" for name in _TEXTS}
            numbers = {name: value if type(value := said.get(name)) is int else 0 for name in _NUMBERS}
            yield texts | numbers | {"has_mac": said.get("mac") is not None}
