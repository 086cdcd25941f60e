"""A layer's tar from what it was packed in: gzip, zstd or nothing, with bounds.

Which of them it is, the content says, not the media type: so do docker, containerd and podman, and what they unpack is what runs.
"""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from registryauth.errors import ContentError, UnsafeArchive, UnsupportedMediaType
from registryauth.inspection.limits import ALWAYS_ALLOWED, MAX_RATIO, MAX_UNPACKED

_PIECE = 256 * 1024
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
#: RFC 8878 §3.1.2: a frame that is skipped has one of sixteen magic numbers; zstd:chunked layers end with some.
_SKIPPED = tuple(bytes((0x50 + number, 0x2A, 0x4D, 0x18)) for number in range(16))
#: What docker also unpacks, and hardly anybody has made for ten years.
_FOREIGN = {b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz"}


class _Unpacker(Protocol):
    eof: bool
    needs_input: bool
    unused_data: bytes

    def decompress(self, data: bytes | memoryview, max_length: int, /) -> bytes: ...


class Meter:
    """Bytes that an image's layers unpack to, bounded."""

    def __init__(self) -> None:
        self._all = 0

    def count(self, unpacked: int, new: int, packed: int) -> None:
        """Note *new* bytes of a layer, *unpacked* of them by now, from *packed*; raise `UnsafeArchive` where that is too many."""
        self._all += new
        if unpacked > max(ALWAYS_ALLOWED, packed * MAX_RATIO) or self._all > MAX_UNPACKED:
            raise UnsafeArchive(
                f"a little becomes very much: {packed} bytes became more than {unpacked - new}", hint="the image may be made to do harm"
            )


def unpacked(pieces: Iterable[memoryview], size: int, meter: Meter) -> Iterator[bytes | memoryview]:
    """What is packed in *pieces*, *size* bytes in all; raise `ContentError` for what is damaged or cut short."""
    head, source = _head(iter(pieces))
    seen = 0
    for piece in _opened(head, source):
        seen += len(piece)
        meter.count(seen, len(piece), size)
        yield piece


def _opened(head: bytes, source: Iterator[bytes | memoryview]) -> Iterator[bytes | memoryview]:
    for magic, name in _FOREIGN.items():
        if head.startswith(magic):
            raise UnsupportedMediaType(f"it is packed with {name}, which we do not read", hint="build the image again, with gzip or zstd")
    if head.startswith(_GZIP):
        return _inflated(source)
    if head.startswith((_ZSTD, *_SKIPPED)):
        return _decompressed(source)
    return source


def _head(source: Iterator[memoryview]) -> tuple[bytes, Iterator[bytes | memoryview]]:
    """The first bytes of *source*, and all of it."""
    held = b""
    for piece in source:
        held += bytes(piece)
        if len(held) >= 8:
            break

    def whole() -> Iterator[bytes | memoryview]:
        if held:
            yield held
        yield from source

    return held[:8], whole()


def _inflated(source: Iterator[bytes | memoryview]) -> Iterator[bytes]:
    """What gzip holds: one member or several, one after the other (RFC 1952 §2.2)."""
    inflater = zlib.decompressobj(wbits=31)
    for piece in source:
        data: bytes | memoryview = piece
        while len(data):
            if inflater.eof:
                inflater = zlib.decompressobj(wbits=31)
            try:
                out = inflater.decompress(data, _PIECE)
            except zlib.error:
                raise ContentError("its gzip is damaged") from None
            if out:
                yield out
            data = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
    while not inflater.eof:
        # What still is in the inflater once all input is consumed.
        out = inflater.decompress(b"", _PIECE)
        if not out:
            raise ContentError("its gzip is cut short")
        yield out


def _decompressed(source: Iterator[bytes | memoryview]) -> Iterator[bytes]:
    """What zstd holds: one frame or several, some of them to be skipped (RFC 8878 §3.1)."""
    zstd = _zstd()
    unpacker: _Unpacker = zstd.ZstdDecompressor()
    for piece in source:
        data: bytes | memoryview = piece
        # It keeps what it was given until there is room for what becomes of it.
        while len(data) or not (unpacker.eof or unpacker.needs_input):
            if unpacker.eof:
                unpacker = zstd.ZstdDecompressor()
            try:
                out = unpacker.decompress(data, _PIECE)
            except zstd.ZstdError:
                raise ContentError("its zstd is damaged, or needs more than 128 MiB of memory") from None
            if out:
                yield out
            data = unpacker.unused_data if unpacker.eof else b""
    if not unpacker.eof:
        raise ContentError("its zstd is cut short")


def _zstd() -> Any:  # noqa: ANN401 - one of two modules, neither of which every Python has
    for name in ("compression.zstd", "backports.zstd"):
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    raise UnsupportedMediaType("it is packed with zstd, which this Python does not read", hint="pip install 'registryauth[zstd]'")
