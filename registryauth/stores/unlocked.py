"""A store's key kept for a while by ``registryauth unlock``: a file of this account's alone under ``$XDG_RUNTIME_DIR``.

That directory is in memory and ends with the session (XDG Base Directory Specification), so it is the only
place: no key is written to a disk. What is kept is the key-encryption key, never the passphrase.
"""

from __future__ import annotations

import json
import os
import re
from binascii import b2a_base64

from registryauth import _paths
from registryauth._value import Value
from registryauth.errors import StoreUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

#: Seconds.
DEFAULT = 3600
MAX = 24 * 3600
#: Bytes; we write about 300.
_MAX_FILE = 4096
_PREFIX = "unlocked-"


class Place(Value, hidden=("environ",)):
    """Where the key of the store *store_id* would be kept, and the derivation *kdf* that it must have come from."""

    environ: Mapping[str, str]
    store_id: str
    kdf: Mapping[str, Any]
    clock: Callable[[], float]

    @property
    def path(self) -> str:
        """The file; empty where there is no directory for it."""
        # A header is not authenticated yet when its store id is read.
        return _path(self.environ, self.store_id) if re.fullmatch("[0-9a-f]{32}", self.store_id) else ""


def require_place(environ: Mapping[str, str]) -> None:
    """Raise `StoreUnavailable` unless ``$XDG_RUNTIME_DIR`` is a directory that only we can write."""
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    if not os.path.isabs(runtime):
        raise StoreUnavailable(
            "XDG_RUNTIME_DIR is not set, and an unlocked key is kept nowhere else",
            hint="log in to a session that has one (loginctl enable-linger makes one for a service's user), or set REGISTRYAUTH_PASSPHRASE",
        )
    _paths.require_own_dir(runtime)


def keep(place: Place, key: bytes, seconds: int) -> int:
    """Keep *key* for *seconds*; until when, in seconds since the epoch. Raise `StoreUnavailable` where it cannot be kept."""
    require_place(place.environ)
    path = place.path
    if not path:
        raise StoreUnavailable("the store's id was damaged or tampered with", hint="run: registryauth store check")
    _paths.private_dir(os.path.dirname(path))
    now = int(place.clock())
    content = {"kdf": dict(place.kdf), "key": b2a_base64(key, newline=False).decode(), "from": now, "until": now + min(seconds, MAX)}
    _paths.write_private(path, json.dumps(content).encode())
    return now + min(seconds, MAX)


def kept(place: Place) -> bytes | None:
    """The key that is kept, None if there is none; what has expired or belongs to another passphrase is deleted.

    Raise `StoreUnavailable` for a file that is not ours alone.
    """
    from registryauth.stores.keys import from_base64

    found = _read(place)
    return from_base64(str(found.get("key")).encode()) if found else None


def until(place: Place) -> int:
    """When what is kept expires, in seconds since the epoch; 0 if nothing is."""
    found = _read(place)
    return int(found["until"]) if found else 0


def _read(place: Place) -> dict[str, Any] | None:
    path = place.path
    text = _paths.read_private(path, _MAX_FILE) if path else None
    if text is None:
        return None
    try:
        found = json.loads(text)
        # A clock that was set back would make an hour a year: before its beginning the key is not valid either.
        if found["kdf"] == place.kdf and found["from"] <= place.clock() < found["until"] <= found["from"] + MAX:
            return dict(found)
    except (ValueError, KeyError, TypeError, RecursionError):
        # Not as we wrote it: of no use to anybody.
        pass
    _remove(path)
    return None


def forget(environ: Mapping[str, str], store_id: str = "") -> int:
    """Delete the kept key of the store *store_id*, by default of every store; how many there were.

    Raise `StoreUnavailable` where one cannot be deleted.
    """
    mine = there(environ, store_id)
    for path in mine:
        try:
            os.unlink(path)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise StoreUnavailable(f"{path} cannot be deleted: {error.strerror}", hint="delete it yourself") from error
    return len(mine)


def there(environ: Mapping[str, str], store_id: str = "") -> list[str]:
    """The files of the store *store_id*, by default of every store, expired or not."""
    directory = os.path.dirname(_path(environ, "x"))
    try:
        names = os.listdir(directory) if directory else []
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [os.path.join(directory, name) for name in names if name.startswith(f"{_PREFIX}{store_id}")]


def _remove(path: str) -> None:
    from contextlib import suppress

    # Another process may have been quicker, or the directory be read-only: it is not used in any case.
    with suppress(OSError):
        os.unlink(path)


def _path(environ: Mapping[str, str], store_id: str) -> str:
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    return os.path.join(runtime, "registryauth", f"{_PREFIX}{store_id}") if os.path.isabs(runtime) else ""
