"""Verified or nothing: size first, then digest, before the last byte is believed."""

from __future__ import annotations

import contextlib
import os
import stat

from registryauth._buffers import new_buffer
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
    with replacing(to) as file:
        return _copy(chunks, file.write, digest, size, limit, progress)


def digest_of(path: str, algorithm: str = "sha256") -> Digest:
    """The digest of the file *path*; raise `ContentError` if it cannot be read."""
    hasher = Digest(algorithm, "").hasher()
    buffer = new_buffer(256 * 1024)
    try:
        with open(path, "rb", buffering=0) as file:
            while count := file.readinto(buffer):
                hasher.update(buffer[:count])
    except OSError as error:
        raise ContentError(f"cannot read {path}: {error.strerror}") from error
    return Digest(algorithm, hasher.hexdigest())


def size_of(path: str) -> int:
    """The bytes of the file *path*; raise `ContentError` if it cannot be looked at, or is no plain file: a pipe would hang."""
    try:
        found = os.stat(path)
    except OSError as error:
        raise ContentError(f"cannot read {path}: {error.strerror}") from error
    if not stat.S_ISREG(found.st_mode):
        raise ContentError(f"{path} is not a plain file", hint="what has no size cannot be pushed: write it to a file first")
    return found.st_size


def read_bounded(path: str, limit: int) -> bytes:
    """The file *path*, at most *limit* bytes; raise `ContentError` if it is longer or cannot be read."""
    try:
        with open(path, "rb") as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise ContentError(f"cannot read {path}: {error.strerror}") from error
    if len(content) > limit:
        raise SizeMismatch(f"{path} is larger than the {limit} bytes allowed")
    return content


def write(to: str, content: bytes) -> None:
    """Write *content*, verified already, to the file *to*: all of it or nothing."""
    with replacing(to) as file:
        write_all(content, file.write)


@contextlib.contextmanager
def replacing(to: str) -> Iterator[BinaryIO]:
    """A temporary file beside *to* that takes its name at the end, and is gone if anything failed."""
    directory, name = os.path.split(os.path.abspath(to))
    temporary = os.path.join(directory, f".{name[:40]}.{os.urandom(6).hex()}.partial")
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
        write_all(chunk, write)
        progress(seen)
    if size is not None and seen != size:
        raise SizeMismatch(f"{digest} has {size} bytes by its description, {seen} came")
    if hasher.hexdigest() != digest.encoded:
        raise DigestMismatch(
            f"what came is not {digest}, but {digest.algorithm}:{hasher.hexdigest()}",
            hint="the registry or a proxy before it is damaged or lies",
        )
    return seen


def write_all(content: bytes | memoryview, write: Callable[[memoryview], int | None]) -> None:
    """Give all of *content* to *write*; an unbuffered one may take less than it was given, on a disk that is nearly full, say."""
    content = memoryview(content)
    while content:
        content = content[write(content) or 0 :]
