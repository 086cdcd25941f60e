"""A tar read from a stream, entry by entry, as strictly as Go's ``archive/tar``, which unpacks images nearly everywhere.

Python's `tarfile` reads whatever an extended header announces into memory and loops on some malformed ones (CVE-2025-8194).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from registryauth._redact import printable
from registryauth.errors import ContentError, UnsafeArchive
from registryauth.inspection.limits import MAX_FILE, MAX_HEADER, MAX_HEADERS, MAX_PATH

FILE, HARD_LINK, LINK, DIRECTORY, OTHER, GLOBAL = "file", "hard link", "link", "directory", "other", "global header"

_BLOCK = 512
_KINDS = {b"0": FILE, b"\0": FILE, b"7": FILE, b"S": FILE, b"1": HARD_LINK, b"2": LINK, b"5": DIRECTORY, b"g": GLOBAL}
#: Header-only types: whatever their size says, nothing follows (Go: ``isHeaderOnlyType``).
_HEADER_ONLY = b"123456"
#: Attributes with which overlay file systems keep what whiteouts say in a tar.
_OVERLAY = ("SCHILY.xattr.trusted.overlay.", "SCHILY.xattr.user.overlay.")
_LENGTH = re.compile(rb"([1-9][0-9]{0,6}) ")
_PAX, _PAX_GLOBAL, _LONG_NAME, _LONG_LINK = b"x", b"g", b"L", b"K"


class Entry:
    """One entry: its name and link target as they stand there, *number* in the order of the tar.

    *content* is None for what is no ordinary file, and where it was not wanted.
    """

    __slots__ = ("content", "executable", "kind", "name", "number", "size", "target")

    def __init__(self, number: int, kind: str, name: str, target: str, size: int, *, executable: bool) -> None:
        self.number = number
        self.kind = kind
        self.name = name
        self.target = target
        self.size = size
        self.executable = executable
        self.content: bytes | None = None


def entries(pieces: Iterable[bytes | memoryview], wanted: Callable[[Entry], bool]) -> Iterator[Entry]:
    """The entries of the tar in *pieces*, all of which is read to its end; those files *wanted* with their content.

    Raise `ContentError` for what is no tar or is cut short, `UnsafeArchive` for a header or wanted file that is too large.
    """
    tape = _Tape(pieces)
    number = 0
    while (header := _next(tape)) is not None:
        entry, rest, sparse = _entry(header, number)
        if not sparse and entry.kind == FILE and wanted(entry):
            if rest > MAX_FILE:
                raise UnsafeArchive(f"its {printable(entry.name)} has more than {MAX_FILE} bytes")
            entry.content = tape.take(rest)
            tape.skip(-rest % _BLOCK)
        else:
            tape.skip(rest + -rest % _BLOCK)
        yield entry
        number += 1
    tape.drain()


class _Header:
    """One entry's header with what the headers before it said of it."""

    __slots__ = ("block", "records")

    def __init__(self, block: bytes, records: dict[str, str]) -> None:
        self.block = block
        self.records = records


def _next(tape: _Tape) -> _Header | None:
    """The next entry's header; None at the end.

    An extended header replaces the one before it, and GNU's long names count before both, as Go has it.
    """
    records: dict[str, str] = {}
    long: dict[str, str] = {}
    for _ in range(MAX_HEADERS):
        block = tape.block()
        if block is None:
            if records or long:
                raise ContentError("its tar is cut short")
            return None
        if not block.strip(b"\0"):
            # Two of them end a tar; one alone is none of a tar's blocks.
            second = tape.block()
            if second is not None and second.strip(b"\0"):
                raise ContentError("its tar is damaged")
            return None
        _check(block)
        kind = block[156:157]
        if kind not in (_PAX, _PAX_GLOBAL, _LONG_NAME, _LONG_LINK):
            if kind == b"S":
                _skip_sparse_map(tape, block)
            return _Header(block, records | long)
        size = _number(block[124:136])
        if size > MAX_HEADER:
            raise UnsafeArchive(f"its tar has an extended header of more than {MAX_HEADER} bytes")
        content = tape.take(size)
        tape.skip(-size % _BLOCK)
        if kind == _PAX_GLOBAL:
            # Go gives it as an entry of its own, and applies its records to no other.
            return _Header(block, _pax(content))
        if kind == _PAX:
            records = _pax(content)
        else:
            long["path" if kind == _LONG_NAME else "linkpath"] = _text(content.partition(b"\0")[0])
    raise UnsafeArchive(f"its tar has more than {MAX_HEADERS} headers for one entry")


def _entry(header: _Header, number: int) -> tuple[Entry, int, bool]:
    """The entry that *header* describes, the bytes that follow it, and whether these are a sparse file's."""
    block, records = header.block, header.records
    kind = block[156:157]
    name = _sparse_name(records) or records.get("path") or _name(block)
    target = records.get("linkpath") or _text(block[157:257].partition(b"\0")[0])
    if len(name) > MAX_PATH or len(target) > MAX_PATH:
        raise UnsafeArchive(f"its tar has a name of more than {MAX_PATH} characters")
    for key in records:
        if key.startswith(_OVERLAY):
            # It would make a directory opaque, or another one, in a way that shows only once it is mounted.
            raise UnsafeArchive(f"its {printable(name)} has an attribute that belongs to overlay file systems, {printable(key)}")
    size = _decimal(records["size"]) if records.get("size") else _number(block[124:136])
    what = _KINDS.get(kind, OTHER)
    if kind == b"\0" and name.endswith("/"):
        # Before POSIX, this is how a directory was told.
        what = DIRECTORY
    sparse = kind == b"S" or any(key.startswith("GNU.sparse.") for key in records)
    executable = bool(_number(block[100:108]) & 0o111)
    return Entry(number, what, name, target, size, executable=executable), 0 if kind in _HEADER_ONLY or what == GLOBAL else size, sparse


def _sparse_name(records: dict[str, str]) -> str:
    """The name of a sparse file, where the records are of a version that Go knows; it stands in another place there."""
    version = (records.get("GNU.sparse.major", ""), records.get("GNU.sparse.minor", ""))
    known = version in (("0", "0"), ("0", "1"), ("1", "0")) or (version == ("", "") and "GNU.sparse.map" in records)
    return records.get("GNU.sparse.name", "") if known else ""


def _name(block: bytes) -> str:
    name = block[:100].partition(b"\0")[0]
    prefix = b""
    if block[257:263] == b"ustar\0":
        # Star keeps times in the last bytes of the prefix.
        prefix = block[345 : 476 if block[508:512] == b"tar\0" else 500].partition(b"\0")[0]
    elif block[257:265] == b"ustar  \0" and not all(map(_is_number, (block[345:357], block[357:369]))):
        # GNU keeps times there, but Go before 1.8 wrote prefixes all the same, and Go still reads them.
        prefix = block[345:500].partition(b"\0")[0]
        prefix = prefix if prefix.isascii() else b""
    return _text(prefix + b"/" + name if prefix else name)


def _is_number(field: bytes) -> bool:
    return bool(field[0] & 0x80) or re.fullmatch(rb"[0-7]*", _digits(field)) is not None


def _check(block: bytes) -> None:
    """Raise `ContentError` unless the header's checksum is right, its bytes read as signed or unsigned ones."""
    others = block[:148] + b" " * 8 + block[156:]
    said, unsigned = _number(block[148:156]), sum(others)
    if said != unsigned and said != unsigned - 256 * sum(byte > 127 for byte in others):
        raise ContentError("it is no tar, or damaged")


def _number(field: bytes) -> int:
    """A header's number, octal or in base 256."""
    if field[0] & 0x80:
        if field[0] & 0x40:
            raise ContentError("its tar has a negative number")
        return int.from_bytes(bytes((field[0] & 0x7F,)) + field[1:], "big")
    digits = _digits(field)
    # Tested first, because int() also reads signs, underscores and blanks.
    if digits and not (digits.isdigit() and max(digits) < ord("8")):
        raise ContentError("its tar is damaged")
    return int(digits or b"0", 8)


def _digits(field: bytes) -> bytes:
    return field.strip(b" \0").partition(b"\0")[0]


def _decimal(text: str) -> int:
    if not re.fullmatch("[0-9]{1,18}", text):
        raise ContentError("its tar is damaged")
    return int(text)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _pax(content: bytes) -> dict[str, str]:
    """The records of an extended header: ``length SP keyword=value LF`` (POSIX.1-2017, pax)."""
    records: dict[str, str] = {}
    at = 0
    while at < len(content):
        found = _LENGTH.match(content, at)
        record = content[found.end() : at + int(found[1])] if found else b""
        key, equals, value = record.removesuffix(b"\n").partition(b"=")
        if not found or not record.endswith(b"\n") or not equals or at + int(found[1]) > len(content):
            raise ContentError("its tar has a damaged extended header")
        if key in (b"path", b"linkpath", b"size") and b"\0" in value:
            raise ContentError("its tar has a name with a NUL in it")
        records[_text(key)] = _text(value)
        at += int(found[1])
    return records


def _skip_sparse_map(tape: _Tape, block: bytes) -> None:
    """GNU's old sparse files: further blocks of the map before the content."""
    more = block[482]
    for _ in range(MAX_HEADER // _BLOCK):
        if not more:
            return
        following = tape.block()
        if following is None:
            raise ContentError("its tar is cut short")
        more = following[504]
    raise UnsafeArchive("its tar has a sparse file of too many pieces")


class _Tape:
    """Bytes in the order in which they come."""

    def __init__(self, pieces: Iterable[bytes | memoryview]) -> None:
        self._pieces = iter(pieces)
        self._held = memoryview(b"")

    def block(self) -> bytes | None:
        """The next 512 bytes; None at the very end."""
        if not self._more():
            return None
        return self.take(_BLOCK)

    def take(self, count: int) -> bytes:
        """The next *count* bytes; raise `ContentError` where there are fewer."""
        parts = []
        while count:
            if not self._more():
                raise ContentError("its tar is cut short")
            part = self._held[:count]
            parts.append(bytes(part))
            self._held = self._held[len(part) :]
            count -= len(part)
        return b"".join(parts)

    def skip(self, count: int) -> None:
        """Pass over *count* bytes; raise `ContentError` where there are fewer."""
        while count:
            if not self._more():
                raise ContentError("its tar is cut short")
            step = min(count, len(self._held))
            self._held = self._held[step:]
            count -= step

    def drain(self) -> None:
        """Pass over all that is left: what follows the end of a tar belongs to the layer's digest, too."""
        self._held = memoryview(b"")
        for _ in self._pieces:
            pass

    def _more(self) -> bool:
        while not self._held:
            piece = next(self._pieces, None)
            if piece is None:
                return False
            self._held = memoryview(piece)
        return True
