"""A layout beside the place where something else is to be made of it."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator

from registryauth.content.layout import Layout
from registryauth.errors import ContentError
from registryauth.transfer.locks import try_lock

_POLL = 0.05


@contextlib.contextmanager
def staging(directory: str, pause: Callable[[float], None]) -> Iterator[Layout]:
    """A layout in *directory*, for us alone; removed if all goes well, and else kept, so that the next time less is missing.

    While another process has it, *pause* is called with seconds to wait.
    """
    while True:
        try:
            os.makedirs(directory, exist_ok=True)
        except OSError as error:
            raise ContentError(f"cannot write to {directory}: {error.strerror}") from error
        handle = _try(directory)
        if handle is not None:
            break
        pause(_POLL)
    try:
        yield Layout.create(directory)
        shutil.rmtree(directory, ignore_errors=True)
    finally:
        os.close(handle)


def _try(directory: str) -> int | None:
    try:
        return try_lock(directory, os.O_RDONLY | os.O_DIRECTORY)
    except ContentError:
        # Its holder may have removed it between our making it and our opening it.
        if os.path.lexists(directory):
            raise
        return None
