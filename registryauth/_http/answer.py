"""An answer as it comes over the wire: its head (RFC 9112 §4, §5) and its body, however that ends (§6, §7)."""

from __future__ import annotations

import re

from registryauth._http.messages import Headers
from registryauth._http.stream import Malformed, Stream

#: Bytes of a line, of a head, and lines of a head. Real ones have a tenth; storage services sign with a kilobyte or two.
_MAX_LINE = 64 * 1024
_MAX_HEAD = 256 * 1024
_MAX_LINES = 100
#: Bytes of a chunk's size with what may stand behind it (RFC 9112 §7.1.1), and of a trailer's line.
_MAX_CHUNK_LINE = 1024

_STATUS = re.compile(r"HTTP/(1\.[0-9]) +([1-9][0-9]{2})(?:[ \t].*)?")
#: RFC 9110 §5.6.2: what a field's name is made of.
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_SIZE = re.compile(rb"[0-9A-Fa-f]{1,15}")
_BLANK = " \t"
_LENGTH = re.compile(r"[0-9]{1,18}", re.ASCII)
_CONTINUE = 100


class Answer:
    """The answer to a request by *method* that *stream* begins with: its head, read; its body, to be read.

    *length* is how many bytes of the body are still to come, None where nobody said: then it is *chunked*, or ends with the connection.
    Raise `Malformed` for what is no head, `HungUp` where nothing came at all.
    """

    __slots__ = ("_chunk", "_stream", "chunked", "ended", "fields", "length", "status", "will_close")

    def __init__(self, stream: Stream, method: str) -> None:
        self._stream = stream
        version, self.status, self.fields = _head(stream)
        while self.status == _CONTINUE:
            version, self.status, self.fields = _head(stream)
        self.chunked = self.fields.get("transfer-encoding").lower() == "chunked"
        self.length = self._announced(method)
        self.ended = self.length == 0
        # Bytes left of the chunk under way.
        self._chunk = 0
        options = [option.strip().lower() for line in self.fields.all("connection") for option in line.split(",")]
        kept = version != "1.0" or "keep-alive" in options
        # A body without a length ends with the connection (RFC 9112 §6.3).
        self.will_close = "close" in options or not kept or (self.length is None and not self.chunked)

    def _announced(self, method: str) -> int | None:
        if self.status in (204, 304) or self.status < 200 or method == "HEAD":
            self.chunked = False
            return 0
        lengths = self.fields.all("content-length")
        if len({*lengths}) > 1:
            # Whichever counts, the rest would be taken for another answer (RFC 9112 §6.3).
            raise Malformed("it announced more than one length")
        length = lengths[0] if lengths else ""
        return int(length) if not self.chunked and _LENGTH.fullmatch(length) else None

    def readinto(self, buffer: memoryview) -> int:
        """Fill *buffer* with what comes next of the body; give how many bytes that took, 0 at its end, and where it breaks off."""
        if self.ended or not len(buffer):
            return 0
        if self.chunked:
            return self._chunks_into(buffer)
        if self.length is None:
            count = self._stream.into(buffer)
            self.ended = not count
            return count
        count = self._stream.into(buffer[: self.length])
        self.length -= count
        self.ended = not self.length
        return count

    def _chunks_into(self, buffer: memoryview) -> int:
        filled = 0
        while filled < len(buffer) and not self.ended:
            if not self._chunk:
                if filled and not self._stream.is_ahead:
                    break
                self._next_chunk()
                continue
            wanted = min(self._chunk, len(buffer) - filled)
            count = self._stream.into(buffer[filled : filled + wanted])
            if not count:
                if filled:
                    break
                raise Malformed("it was cut in the middle of a chunk")
            filled += count
            self._chunk -= count
            if self._chunk and count < wanted:
                # Slow to come, or cut: the next call tells.
                break
            if not self._chunk and self._stream.line(_MAX_CHUNK_LINE):
                raise Malformed("a chunk is longer than it says")
        return filled

    def _next_chunk(self) -> None:
        size = self._stream.line(_MAX_CHUNK_LINE).partition(b";")[0].strip(b" \t")
        if not _SIZE.fullmatch(size):
            raise Malformed("a chunk of no size")
        self._chunk = int(size, 16)
        if not self._chunk:
            for _ in range(_MAX_LINES):
                if not self._stream.line(_MAX_CHUNK_LINE):
                    self.ended = True
                    return
            raise Malformed(f"it sent more than {_MAX_LINES} trailers")


def _head(stream: Stream) -> tuple[str, int, Headers]:
    # What is no text is no header either; its bytes are kept as they are.
    first, *lines = stream.head(_MAX_HEAD).decode("latin-1").split("\n")
    match = _STATUS.fullmatch(first.removesuffix("\r"))
    if not match or len(first) > _MAX_LINE:
        raise Malformed(first[:100])
    return match[1], int(match[2]), Headers(_fields(lines))


def _fields(lines: list[str]) -> list[tuple[str, str]]:
    # The last two are the empty line and what stands behind it: nothing.
    if len(lines) - 2 > _MAX_LINES:
        raise Malformed(f"it sent more than {_MAX_LINES} header fields")
    fields: list[tuple[str, str]] = []
    for line in lines[:-2]:
        # Cut and stripped, not matched: a pattern that looks for the blanks at an end takes an hour over 64 KiB of them.
        content = line.removesuffix("\r")
        name, colon, value = content.partition(":")
        if "\r" in content or len(line) > _MAX_LINE:
            raise Malformed("the head of its answer is cut or malformed")
        if colon and _NAME.fullmatch(name):
            fields.append((name, value.strip(_BLANK)))
        elif fields and content[:1] in (" ", "\t"):
            # RFC 9112 §5.2: obsolete, and to be read as a space.
            last, so_far = fields[-1]
            fields[-1] = (last, f"{so_far} {content.strip(_BLANK)}")
        else:
            raise Malformed("the head of its answer is cut or malformed")
    return fields
