"""Paths that somebody else chose, below a directory of ours: no step of the way leads out of it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence

from registryauth._redact import printable
from registryauth.errors import UnsafeArchive

#: Bytes of one name and of a whole path, as Linux has them.
_MAX_NAME, _MAX_PATH = 255, 4096


def steps(name: str, what: str) -> tuple[str, ...]:
    """The parts of the relative path *name*; raise `UnsafeArchive`, naming *what* holds it, for one that leads elsewhere."""
    parts = tuple(name.split("/"))
    encoded = name.encode("utf-8", "surrogateescape")
    if (
        len(encoded) > _MAX_PATH
        or "\\" in name
        or not name.isprintable()
        or any(part in ("", ".", "..") or len(os.fsencode(part)) > _MAX_NAME for part in parts)
    ):
        raise UnsafeArchive(
            f"{what} names a file {printable(name, 100)!a}, which is no path below its directory",
            hint="whoever made it means harm or used a strange program; fetch it in the form oci and look",
        )
    return parts


@contextlib.contextmanager
def directory(root: str, parts: Sequence[str]) -> Iterator[int]:
    """A handle of the directory *parts* below *root*, made if need be; no symbolic link below *root* is followed."""
    flags = os.O_RDONLY | os.O_DIRECTORY
    handle = os.open(root, flags)
    try:
        for part in parts:
            with contextlib.suppress(FileExistsError):
                os.mkdir(part, dir_fd=handle)
            try:
                inner = os.open(part, flags | os.O_NOFOLLOW, dir_fd=handle)
            except NotADirectoryError as error:
                raise UnsafeArchive(f"{'/'.join(parts)} leads through {part}, which is no directory", hint="remove it first") from error
            os.close(handle)
            handle = inner
        yield handle
    finally:
        os.close(handle)
