"""A socket as HTTP/1.1 reads it: heads, lines, and bytes into a buffer; what came with one of them is kept for the next."""

from __future__ import annotations

import re
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

#: Bytes asked for where it is not known how many there are: a head, and with it a small body.
_AT_ONCE = 16 * 1024
#: Seconds after which a piece of a body is handed on before it is full: what trickles in is to be written down, and shown.
PATIENCE = 0.25
#: An empty line, whichever way lines end (RFC 9112 §2.2).
_END = re.compile(rb"\n\r?\n")


class Malformed(ValueError):
    """What came is not HTTP/1.1, or not all of it came."""


class HungUp(ConnectionResetError):
    """The connection ended before a byte of an answer."""


class Stream:
    """What comes over *sock*."""

    __slots__ = ("_at", "_broken", "_read", "_sock")

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        # What was read ahead, from *_at* on; not cut shorter each time, which would copy it each time.
        self._read = b""
        self._at = 0
        self._broken: OSError | None = None

    @property
    def is_ahead(self) -> bool:
        """Whether more was read than was asked for."""
        return self._at < len(self._read)

    def head(self, limit: int) -> bytes:
        """All up to an empty line and with it; raise `Malformed` if that is not among the next *limit* bytes, `HungUp` at the end."""
        seen = bytearray(self._read[self._at :])
        looked = 0
        while not (end := _END.search(seen, looked)):
            if len(seen) > limit:
                raise Malformed(f"the head of its answer has more than {limit} bytes")
            # The first two of its three bytes may have come already.
            looked = max(0, len(seen) - 2)
            piece = self._sock.recv(_AT_ONCE)
            if not piece:
                raise (
                    Malformed("the head of its answer is cut or malformed")
                    if seen
                    else HungUp("it closed the connection without an answer")
                )
            seen += piece
        self._read, self._at = bytes(seen), end.end()
        return self._read[: self._at]

    def line(self, limit: int) -> bytes:
        """All up to the end of a line, without it; raise `Malformed` if that is not among the next *limit* bytes."""
        while (end := self._read.find(b"\n", self._at, self._at + limit)) < 0:
            rest = self._read[self._at :]
            piece = self._sock.recv(_AT_ONCE) if len(rest) < limit else b""
            if not piece:
                raise Malformed("a chunk of its answer is cut or malformed")
            self._read, self._at = rest + piece, 0
        found = self._read[self._at : end]
        self._at = end + 1
        return found.removesuffix(b"\r")

    def into(self, buffer: memoryview) -> int:
        """Fill *buffer*; give how many bytes that took: fewer where they are slow to come, and where the connection ends or breaks.

        Whether it does, the next call tells: what came before was paid for, and may be many megabytes.
        """
        if self._broken:
            raise self._broken
        filled = min(len(self._read) - self._at, len(buffer))
        if filled:
            buffer[:filled] = self._read[self._at : self._at + filled]
            self._at += filled
        begun = time.monotonic()
        try:
            while filled < len(buffer) and (count := self._sock.recv_into(buffer[filled:])):
                filled += count
                if time.monotonic() - begun > PATIENCE:
                    break
        except OSError as error:
            if not filled:
                raise
            self._broken = error
        return filled
