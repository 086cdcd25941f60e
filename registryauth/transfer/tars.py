"""Tar files from elsewhere, read with bounds."""

from __future__ import annotations

import io
import os
import tarfile
import zlib
from collections.abc import Iterator

from registryauth.content.layout import Region
from registryauth.content.verify import replacing
from registryauth.digest import Digest
from registryauth.errors import ContentError, UnsafeArchive, UnsupportedMediaType

_BUFFER = 256 * 1024
GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
#: Bytes of one header: names and attributes of a real member have some thousand.
_MAX_HEADER = 1024 * 1024
#: Members of one archive: the largest images have some hundred thousand files.
_MAX_MEMBERS = 2_000_000
#: How much larger content may be than its gzip. Zeros shrink to a thousandth, anything that is worth keeping to a tenth.
_MAX_RATIO = 200
_ALWAYS_ALLOWED = 1024**3


class _Bounded(io.FileIO):
    """A file of which `tarfile` cannot be made to read a gigabyte of header into memory."""

    def read(self, size: int | None = -1) -> bytes:
        if size is None or not 0 <= size <= _MAX_HEADER:
            raise UnsafeArchive(f"{self.name} has a header of more than {_MAX_HEADER} bytes")
        return super().read(size)


def members(path: str) -> Iterator[tarfile.TarInfo]:
    """The members of the tar file *path*, which is not compressed; raise `ContentError` for what is no tar file."""
    try:
        with _Bounded(path) as file, tarfile.open(fileobj=file, mode="r:") as tar:
            for number, member in enumerate(tar):
                # tarfile would keep every one of them.
                tar.members = []  # type: ignore[attr-defined]
                if number == _MAX_MEMBERS:
                    raise UnsafeArchive(f"{path} has more than {_MAX_MEMBERS} members")
                yield member
    except (tarfile.TarError, ValueError, EOFError) as error:
        raise ContentError(f"{path} is no tar file that we can read", hint="was all of it copied?") from error
    except OSError as error:
        raise ContentError(f"cannot read {path}: {error.strerror}") from error


def content_of(path: str, member: tarfile.TarInfo) -> Region:
    """Where the content of the ordinary file *member* lies in the tar file *path*."""
    if member.sparse is not None:
        raise UnsupportedMediaType(f"{path} holds a sparse file", hint="make the archive without --sparse")
    if member.size < 0 or member.offset_data + member.size > os.path.getsize(path):
        raise ContentError(f"{path} ends in the middle of a file", hint="was all of it copied?")
    return Region(path, member.offset_data, member.size)


def starts_with(region: Region, *magic: bytes) -> bool:
    """Whether the content of *region* begins with one of *magic*."""
    head = region.replace(size=min(region.size, max(map(len, magic)))).read(64)
    return head.startswith(magic)


def gunzip(region: Region, to: str, expected: Digest | None = None) -> None:
    """Write what the gzip in *region* holds to the file *to*; with *expected*, only if it is that.

    Raise `UnsafeArchive` where a little would become very much, `ContentError` for what is no gzip or is damaged.
    """
    limit = max(_ALWAYS_ALLOWED, region.size * _MAX_RATIO)
    hasher = (expected or Digest("sha256", "")).hasher()
    seen = 0
    with replacing(to) as file:
        for piece in _inflated(region):
            seen += len(piece)
            if seen > limit:
                raise UnsafeArchive(f"{region.size} compressed bytes become more than {limit}", hint="unpack it yourself if you trust it")
            hasher.update(piece)
            rest = memoryview(piece)
            while rest:
                rest = rest[file.write(rest) or 0 :]
        if expected and hasher.hexdigest() != expected.encoded:
            raise ContentError(f"the unpacked content is not {expected}", hint="whoever made it did so wrongly")


def _inflated(region: Region) -> Iterator[bytes]:
    inflater = zlib.decompressobj(wbits=31)
    for piece in region.pieces():
        data: bytes | memoryview = piece
        while len(data):
            if inflater.eof:
                # A gzip may be several, one after the other (RFC 1952 §2.2).
                inflater = zlib.decompressobj(wbits=31)
            try:
                out = inflater.decompress(data, _BUFFER)
            except zlib.error as error:
                raise ContentError("the content is no gzip, or damaged") from error
            if out:
                yield out
            data = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
    # What still is in the inflater once all input is consumed.
    while not inflater.eof:
        out = inflater.decompress(inflater.unconsumed_tail, _BUFFER)
        if not out:
            raise ContentError("the content is a gzip cut short")
        yield out
