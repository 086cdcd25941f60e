"""HTTP/1.1 straight over sockets: the lean way to the wire.

The standard library's client costs a tenth of a short command's start-up, for a parser of mail that no registry needs, and httpx
three times that (docs/decisions/0001-requests-of-our-own.md). Proxies are httpx's business: see `through_httpx`.
"""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import Iterable, Mapping

from registryauth._http.answer import Answer
from registryauth._http.connection import CUT, Connection
from registryauth._http.messages import Request, Response
from registryauth._http.outgoing import refuse_malformed
from registryauth._http.tls import Trusting, attempts, explain, trusting
from registryauth._origin import Origin
from registryauth._redact import printable
from registryauth.errors import TransportError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    _Reader = Callable[[memoryview], int]
    _Releaser = Callable[[], None]

#: Seconds. A registry that has not accepted a connection by then is not there.
CONNECT_TIMEOUT = 10.0
#: Seconds between two pieces of an answer. Registries that must fetch from storage first may take a while.
READ_TIMEOUT = 60.0
#: Idle connections kept for each origin: no more than were in use at once, and those are as many as a transfer has jobs at most.
_MAX_IDLE = 64
#: The rest of an answer that is read rather than the connection dropped, in bytes.
_DRAIN = 16 * 1024


class DirectTransport:
    """Sends requests over pooled keep-alive connections; safe to share between threads.

    *trust* says what counts for a ``host[:port]`` over TLS (`tls.trusting`); *ca_files* is short for that of one which names
    nothing but authorities.
    """

    def __init__(
        self,
        *,
        trust: Trusting | None = None,
        ca_files: Mapping[str, str] | None = None,
        connect_timeout: float = CONNECT_TIMEOUT,
        read_timeout: float = READ_TIMEOUT,
    ) -> None:
        self._contexts = attempts(trust or trusting(ca_files))
        self._timeouts = connect_timeout, read_timeout
        self._idle: dict[Origin, list[Connection]] = {}
        self._lock = threading.Lock()
        self._closed = False
        self._reached: set[Origin] = set()

    def send(self, request: Request) -> Response:
        """Send *request* and return the head of the answer; the connection is free again when the body was read or closed."""
        origin = request.url.origin
        refuse_malformed(request)
        try:
            connection, answer = self._exchange(request, origin)
        except ssl.SSLError as error:
            raise explain(error, origin) from error
        except TimeoutError as error:
            raise TransportError(
                f"{origin} did not answer in time", hint="is the address right, and is a firewall or proxy in between?"
            ) from error
        except (OSError, ValueError) as error:
            hint = "is the address right, and is the network up?"
            # A server that was there and refuses is being restarted; one that was never there is told of at once.
            passing = isinstance(error, CUT) or (isinstance(error, ConnectionRefusedError) and origin in self._reached)
            raise TransportError(f"cannot reach {origin}: {_reason(error)}", hint=hint, transient=passing) from error
        self._reached.add(origin)
        return Response(answer.status, answer.fields, request.url, *self._body(connection, answer, origin))

    def _exchange(self, request: Request, origin: Origin) -> tuple[Connection, Answer]:
        kept = self._take(origin)
        if kept is not None:
            try:
                return kept, kept.ask(request)
            except CUT:
                # The server closed an idle connection just as we used it: it has not seen the request (RFC 9112 §9.3.1).
                kept.close()
                # Of a long body it may have: an upload that holds a part of it must not get all of it once more.
                if request.upload:
                    raise
            except BaseException:
                kept.close()
                raise
        fresh = self._connect(origin)
        try:
            return fresh, fresh.ask(request)
        except BaseException:
            fresh.close()
            raise

    def _connect(self, origin: Origin) -> Connection:
        if origin.scheme != "https":
            return Connection(origin, None, *self._timeouts)
        unknown: ssl.SSLCertVerificationError | None = None
        for context in self._contexts(origin.netloc):
            try:
                return Connection(origin, context, *self._timeouts)
            except ssl.SSLCertVerificationError as error:
                unknown = error
        raise unknown or AssertionError("there is a context to try")

    def _body(self, connection: Connection, answer: Answer, origin: Origin) -> tuple[_Reader, _Releaser]:
        def read_into(buffer: memoryview) -> int:
            try:
                count = answer.readinto(buffer)
            except TimeoutError as error:
                raise TransportError(f"{origin} stopped sending in the middle of an answer") from error
            except (OSError, ValueError) as error:
                raise TransportError(f"the connection to {origin} broke in the middle of an answer: {_reason(error)}") from error
            if not count and answer.length:
                raise TransportError(f"the connection to {origin} was cut {answer.length} bytes before the end of an answer")
            return count

        def release() -> None:
            # An unread 401 of a few hundred bytes is cheaper to read than a connection is to open.
            if not answer.ended and answer.length is not None and answer.length <= _DRAIN:
                with contextlib.suppress(OSError, ValueError):
                    answer.readinto(memoryview(bytearray(answer.length)))
            if answer.ended and not answer.will_close:
                self._keep(origin, connection)
            else:
                connection.close()

        return read_into, release

    def _take(self, origin: Origin) -> Connection | None:
        while True:
            with self._lock:
                idle = self._idle.get(origin)
                kept = idle.pop() if idle else None
            if kept is None or kept.is_quiet():
                return kept
            kept.close()

    def _keep(self, origin: Origin, connection: Connection) -> None:
        with self._lock:
            idle = self._idle.setdefault(origin, [])
            if not self._closed and len(idle) < _MAX_IDLE and connection not in idle:
                idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        """Close every idle connection; one in use is closed when its body is."""
        with self._lock:
            self._closed = True
            idle: Iterable[Connection] = [c for connections in self._idle.values() for c in connections]
            self._idle.clear()
        for connection in idle:
            connection.close()


def _reason(error: Exception) -> str:
    """What the library says went wrong, for a person; a host that cannot be found reads as such."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return printable(text)
