"""The names that records have in a key-value engine: readable, one for one, and unable to leave their folder.

A folder for each registry, and in it ``ACCOUNT@PATH`` for each record, the slashes of the path written ``~``. In all three, what is
not a letter, a digit, ``.``, ``_`` or ``-`` is written ``=XX``, the hexadecimal digits of a byte of its UTF-8, and so is the second
of two dots, so that no server can take a part of a name for the way up. docs/backends.md has examples.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.stores.principal import Key

_KEPT = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")


def folder_of(host: str) -> str:
    """The folder of the registry at *host*, ``host[:port]`` or a wildcard."""
    return _escaped(host)


def entry_of(key: Key) -> str:
    """The name of *key*'s record in its registry's folder."""
    return f"{_escaped(key.account)}@{'~'.join(map(_escaped, key.address.path.split('/')))}"


def read_folder(name: str) -> str | None:
    """The host whose folder *name* is; None if it is no name that `folder_of` gives."""
    return _plain(name)


def read_entry(name: str) -> tuple[str, str] | None:
    """Path and account of the record called *name*; None if it is no name that `entry_of` gives."""
    account, at, path = name.partition("@")
    parts = [_plain(account), *map(_plain, path.split("~"))]
    texts = [part for part in parts if part is not None]
    return ("/".join(texts[1:]), texts[0]) if at and len(texts) == len(parts) else None


def _escaped(text: str) -> str:
    # A lone surrogate is in no record's name, but may well be asked for.
    written = "".join(chr(byte) if byte in _KEPT else f"={byte:02X}" for byte in text.encode("utf-8", "surrogatepass"))
    return written.replace("..", ".=2E")


def _plain(name: str) -> str | None:
    try:
        text = re.sub(rb"=([0-9A-F]{2})", lambda found: bytes.fromhex(found[1].decode()), name.encode()).decode()
    except UnicodeError:
        return None
    return text if _escaped(text) == name else None
