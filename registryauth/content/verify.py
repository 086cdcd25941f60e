"""Verified or nothing: size first, then digest, before the last byte is believed."""

from __future__ import annotations

import contextlib
import os
import secrets

from registryauth.digest import Digest
from registryauth.errors import ContentError, DigestMismatch, SizeMismatch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import BinaryIO


def save(
    chunks: Iterable[memoryview], to: str, digest: Digest, size: int | None, limit: int, progress: Callable[[int], None] = lambda _: None
) -> int:
    """Write *chunks* to the file *to* if they are *digest*'s content, and give their count of bytes.

    The file appears only when all was verified and is on the disk; whatever fails leaves nothing behind. *size* is
    what the descriptor says, *limit* what is written at most.
    """
    with _replacing(to) as file:
        return _copy(chunks, file.write, digest, size, limit, progress)


def write(to: str, content: bytes) -> None:
    """Write *content*, verified already, to the file *to*: all of it or nothing."""
    with _replacing(to) as file:
        file.write(content)


@contextlib.contextmanager
def _replacing(to: str) -> Iterator[BinaryIO]:
    """A temporary file beside *to* that takes its name at the end, and is gone if anything failed."""
    directory, name = os.path.split(os.path.abspath(to))
    temporary = os.path.join(directory, f".{name[:100]}.{secrets.token_hex(6)}.partial")
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o666)
    except OSError as error:
        raise ContentError(f"cannot write to {directory}: {error.strerror}") from error
    try:
        with os.fdopen(handle, "wb", buffering=0) as file:
            yield file
            os.fsync(file.fileno())
        os.replace(temporary, to)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        if isinstance(error, OSError):
            raise ContentError(f"cannot write {to}: {error.strerror}", hint="is the disk full?") from error
        raise


def _copy(
    chunks: Iterable[memoryview],
    write: Callable[[memoryview], int | None],
    digest: Digest,
    size: int | None,
    limit: int,
    progress: Callable[[int], None],
) -> int:
    hasher = digest.hasher()
    bound = limit if size is None else size
    seen = 0
    for chunk in chunks:
        seen += len(chunk)
        if seen > bound:
            raise SizeMismatch(f"{digest} is larger than the {bound} bytes {'allowed' if size is None else 'described'}")
        hasher.update(chunk)
        rest = chunk
        while len(rest):
            rest = rest[write(rest) or 0 :]
        progress(seen)
    if size is not None and seen != size:
        raise SizeMismatch(f"{digest} has {size} bytes by its description, {seen} came")
    if hasher.hexdigest() != digest.encoded:
        raise DigestMismatch(
            f"what came is not {digest}, but {digest.algorithm}:{hasher.hexdigest()}",
            hint="the registry or a proxy before it is damaged or lies",
        )
    return seen
