"""A request and a response as plain values, so that what we decide needs no library and no socket."""

from __future__ import annotations

import time

from registryauth._buffers import new_buffer
from registryauth._http.stream import PATIENCE
from registryauth._origin import Url
from registryauth._value import Value
from registryauth.errors import ContentError, SizeMismatch, TransportError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from typing import Protocol, Self

    class Transport(Protocol):
        """Sends one request and returns the head of its response; follows nothing, decodes nothing, retries nothing."""

        def send(self, request: Request) -> Response:
            """Raise `TransportError` if there is no answer."""
            ...

        def close(self) -> None:
            """Close every connection."""
            ...


#: An error body is read to tell the user what the registry said; registries send a few hundred bytes.
MAX_ERROR_BODY = 64 * 1024


class Headers:
    """Header fields in order, found without regard to case."""

    __slots__ = ("_items",)

    def __init__(self, items: Iterable[tuple[str, str]] = ()) -> None:
        self._items = tuple([(name.lower(), value) for name, value in items])

    def get(self, name: str, default: str = "") -> str:
        """The first value of *name*."""
        wanted = name.lower()
        for key, value in self._items:
            if key == wanted:
                return value
        return default

    def all(self, name: str) -> list[str]:
        """Every value of *name*, one for each line."""
        wanted = name.lower()
        return [value for key, value in self._items if key == wanted]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._items)

    def __contains__(self, name: str) -> bool:
        wanted = name.lower()
        return any(key == wanted for key, _ in self._items)

    def __repr__(self) -> str:
        return f"Headers({', '.join(name for name, _ in self._items)})"


class Body:
    """Bytes to send, *size* of them, that can be read more than once: a token may run out in the middle.

    *open* gives an iterator over all of them from the start, at each call anew. *path*, if given, is the file that they are in,
    from its byte *start* on, and *tick* is to be told how far into it we are: then they need not come through this process.
    """

    __slots__ = ("open", "path", "size", "start", "tick")

    def __init__(
        self,
        size: int,
        open: Callable[[], Iterator[bytes | memoryview]],  # noqa: A002 - what it does
        path: str = "",
        start: int = 0,
        tick: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.size = size
        self.open = open
        self.path = path
        self.start = start
        self.tick = tick

    def __len__(self) -> int:
        return self.size

    def pieces(self) -> Generator[bytes | memoryview]:
        """All of it from the start; raise `ContentError`, before a byte too many, where *open* does not give *size* bytes."""
        sent = 0
        for piece in self.open():
            sent += len(piece)
            if sent > self.size:
                raise ContentError("the content grew while it was being sent", hint="let nothing write to it meanwhile")
            yield piece
        if sent < self.size:
            raise ContentError("the content shrank while it was being sent", hint="let nothing write to it meanwhile")


class Request(Value, hidden=("headers", "body", "upload")):
    """One HTTP request; *headers* are lower-case names; *upload* stands for a *body* too large to hold. Its repr shows none of them."""

    method: str
    url: Url
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    upload: Body | None = None

    def with_header(self, name: str, value: str) -> Request:
        """The same request with *name* set to *value*."""
        name = name.lower()
        return self.replace(headers=(*((k, v) for k, v in self.headers if k != name), (name, value)))

    def header(self, name: str) -> str:
        """The value of *name*, empty if it is not set."""
        return next((value for key, value in self.headers if key == name.lower()), "")


class Response:
    """The head of an answer and its body, still to be read, as the bytes that came over the wire.

    *read_into* fills a buffer and returns the count, 0 at the end; *release* frees the connection.
    """

    __slots__ = ("_read_into", "_release", "headers", "status", "url")

    def __init__(
        self,
        status: int,
        headers: Headers,
        url: Url,
        read_into: Callable[[memoryview], int],
        release: Callable[[], None] = lambda: None,
    ) -> None:
        self.status = status
        self.headers = headers
        self.url = url
        self._read_into = read_into
        self._release = release

    @classmethod
    def of(cls, status: int, headers: Iterable[tuple[str, str]], url: Url, body: bytes = b"") -> Response:
        """A response whose body is already here."""
        rest = memoryview(body)

        def read_into(buffer: memoryview) -> int:
            nonlocal rest
            count = min(len(buffer), len(rest))
            buffer[:count] = rest[:count]
            rest = rest[count:]
            return count

        return cls(status, Headers(headers), url, read_into)

    def watched(self, failed: Callable[[TransportError], None]) -> Response:
        """The same response; *failed* is told of what breaks its body off."""

        def read_into(buffer: memoryview) -> int:
            try:
                return self._read_into(buffer)
            except TransportError as error:
                failed(error)
                raise

        return Response(self.status, self.headers, self.url, read_into, self.close)

    def chunks(self, size: int = 256 * 1024) -> Iterator[memoryview]:
        """The body in pieces of *size* bytes, fewer at its end and where it is slow to come; the connection is freed at the end.

        A piece is valid until the one after the next is asked for, so that somebody may be at work on it while the next one comes.
        Raise `TransportError` where a ``Content-Encoding`` was applied: we asked for none, and a decoder is a bomb's fuse.
        """
        if any(encoding.strip().lower() not in ("", "identity") for encoding in self.headers.all("content-encoding")):
            self.close()
            raise TransportError(
                f"{self.url.origin} compressed its answer, which we did not ask for",
                hint="the registry or a proxy before it is misconfigured",
            )
        over: bool | TransportError = False
        try:
            for buffer in _alternating(size):
                count, over = self._fill(buffer)
                if count:
                    yield buffer[:count]
                if over:
                    break
            if isinstance(over, TransportError):
                raise over
        finally:
            self.close()

    def _fill(self, buffer: memoryview) -> tuple[int, bool | TransportError]:
        """Read into *buffer* until it is full or time is up; how many bytes that took, and whether the body ended, or what broke it off."""
        filled, begun = 0, time.monotonic()
        try:
            while filled < len(buffer) and time.monotonic() - begun <= PATIENCE:
                count = self._read_into(buffer[filled:])
                if not count:
                    return filled, True
                filled += count
        except TransportError as error:
            return filled, error
        return filled, False

    def read(self, limit: int) -> bytes:
        """The whole body; raise `SizeMismatch` if it is longer than *limit* bytes, having read at most 64 KiB more than that."""
        announced = self.headers.get("content-length")
        # int() refuses more than 4,300 digits with an error of its own.
        if announced.isdecimal() and (len(announced) > 18 or int(announced) > limit):
            self.close()
            raise SizeMismatch(f"{self.url.origin} announced more than the {limit} bytes allowed")
        parts: list[bytes] = []
        seen = 0
        for chunk in self.chunks(min(limit + 1, 64 * 1024)):
            seen += len(chunk)
            if seen > limit:
                self.close()
                raise SizeMismatch(f"{self.url.origin} sent more than the {limit} bytes allowed")
            parts.append(bytes(chunk))
        return b"".join(parts)

    def close(self) -> None:
        """Free the connection, once; a body not read to its end is dropped."""
        release, self._release = self._release, _released
        release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Response({self.status}, {self.url.redacted!r})"


def _alternating(size: int) -> Iterator[memoryview]:
    """Two buffers of *size* bytes in turn, each made when it is first needed."""
    one = new_buffer(size)
    yield one
    other = new_buffer(size)
    while True:
        yield other
        yield one


def _released() -> None:
    """Do nothing: the connection may already carry somebody else's request."""
