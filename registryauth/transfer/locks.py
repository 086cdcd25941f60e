"""Locks on files that their holder may rename or remove; a process that dies lets go of them."""

from __future__ import annotations

import fcntl
import os

from registryauth.errors import ContentError


def try_lock(path: str, flags: int) -> int | None:
    """A handle of *path*, opened with *flags* and locked; None if somebody else holds it, or took it away just now.

    Raise `ContentError` if it cannot be opened or locked. Closing the handle lets go.
    """
    try:
        handle = os.open(path, flags | os.O_NOFOLLOW, 0o666)
    except OSError as error:
        raise ContentError(f"cannot write {path}: {error.strerror}") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # The one who held it until now may have given it its final name: then this is not ours to write.
        if os.path.samestat(os.fstat(handle), os.lstat(path)):
            return handle
    except (BlockingIOError, FileNotFoundError):
        pass
    except OSError as error:
        os.close(handle)
        raise ContentError(f"cannot lock {path}: {error.strerror}", hint="choose a file system that has locks (flock)") from error
    except BaseException:
        os.close(handle)
        raise
    os.close(handle)
    return None
