"""Other programs' credential files: read within bounds, never written, never quoted."""

from __future__ import annotations

import os
import stat

from registryauth._json import MAX_JSON, Node, load_json
from registryauth._redact import printable
from registryauth.errors import SourceFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.errors import Error


def read_document(path: str, *, error: type[Error] = SourceFailed) -> Node | None:
    """The JSON object in *path*; None if there is no such file, and an empty object if the file is empty.

    Raise *error* for what cannot be read or is no JSON object.
    """
    data = read_file(path, error=error)
    if data is None:
        return None
    what = printable(path)
    # The empty file stands for "no entries" in docker and containers alike.
    node = Node(load_json(data, what, error=error) if data.strip() else {}, what, error=error)
    next(node.fields(), None)
    return node


def read_file(path: str, *, error: type[Error] = SourceFailed) -> bytes | None:
    """The bytes of *path*, at most `MAX_JSON` and one; None if there is no such file. Raise *error* if it cannot be read."""
    try:
        # A FIFO would otherwise hold us for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as broken:
        raise _unreadable(path, broken, error) from None
    try:
        kind = os.fstat(descriptor).st_mode
        if stat.S_ISCHR(kind) and os.path.realpath(path) == os.devnull:
            return b""
        if not stat.S_ISREG(kind):
            raise error(f"{printable(path)} is not a file", hint="correct the variable or the link that leads there")
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(MAX_JSON + 1)
    except OSError as broken:
        raise _unreadable(path, broken, error) from None
    finally:
        os.close(descriptor)


def _unreadable(path: str, broken: OSError | ValueError, error: type[Error]) -> Error:
    reason = os.strerror(broken.errno) if isinstance(broken, OSError) and broken.errno else "that is no path"
    return error(f"{printable(path)} cannot be read: {reason}", hint="check who owns it and its mode")
