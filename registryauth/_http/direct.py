"""HTTP/1.1 straight over the standard library: the lean way to the wire.

Importing `http.client` costs a third of importing httpx, and reading with ``readinto`` spares a copy of
every byte (docs/decisions/0001-requests-of-our-own.md has the figures). Proxies are httpx's business: see `through_httpx`.
"""

from __future__ import annotations

import contextlib
import http.client
import selectors
import socket
import ssl
import threading
from collections.abc import Iterable, Mapping

from registryauth._http.answer import Answer
from registryauth._http.messages import Body, Request, Response
from registryauth._http.outgoing import refuse_malformed
from registryauth._http.tls import Trusting, attempts, explain, trusting
from registryauth._origin import Origin
from registryauth._redact import printable
from registryauth.errors import ContentError, TransportError

#: Seconds. A registry that has not accepted a connection by then is not there.
CONNECT_TIMEOUT = 10.0
#: Seconds between two pieces of an answer. Registries that must fetch from storage first may take a while.
READ_TIMEOUT = 60.0
#: Idle connections kept for each origin.
_MAX_IDLE = 8
#: For one look at one socket: epoll, which is the default on Linux, takes four calls of the system for it, poll one.
_Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)
#: The rest of an answer that is read rather than the connection dropped, in bytes.
_DRAIN = 16 * 1024

#: Bytes of a file from which on it pays not to read it ourselves, and bytes sent between two looks whether to go on.
_LARGE = 256 * 1024
_AT_ONCE = 1024 * 1024

_CUT = (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError, ConnectionAbortedError, ssl.SSLEOFError)


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
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._idle: dict[Origin, list[http.client.HTTPConnection]] = {}
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
        except (OSError, http.client.HTTPException, ValueError) as error:
            hint = "is the address right, and is the network up?"
            # A server that was there and refuses is being restarted; one that was never there is told of at once.
            passing = isinstance(error, _CUT) or (isinstance(error, ConnectionRefusedError) and origin in self._reached)
            raise TransportError(f"cannot reach {origin}: {_reason(error)}", hint=hint, transient=passing) from error
        self._reached.add(origin)
        if not isinstance(answer, Answer):
            raise AssertionError("connections are opened with this kind of answer")  # noqa: TRY004 - nobody gave a wrong type
        return Response(answer.status, answer.fields, request.url, *self._body(connection, answer, origin))

    def _exchange(self, request: Request, origin: Origin) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        kept = self._take(origin)
        if kept is not None:
            try:
                return kept, _ask(kept, request)
            except _CUT:
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
            return fresh, _ask(fresh, request)
        except BaseException:
            fresh.close()
            raise

    def _connect(self, origin: Origin) -> http.client.HTTPConnection:
        if origin.scheme != "https":
            return self._open(http.client.HTTPConnection(origin.hostname, origin.port, timeout=self._connect_timeout))
        unknown: ssl.SSLCertVerificationError | None = None
        for context in self._contexts(origin.netloc):
            try:
                timeout = self._connect_timeout
                return self._open(http.client.HTTPSConnection(origin.hostname, origin.port, timeout=timeout, context=context))
            except ssl.SSLCertVerificationError as error:
                unknown = error
        raise unknown or AssertionError("there is a context to try")

    def _open(self, connection: http.client.HTTPConnection) -> http.client.HTTPConnection:
        connection.response_class = Answer
        connection.connect()
        connection.sock.settimeout(self._read_timeout)
        return connection

    def _body(self, connection: http.client.HTTPConnection, answer: http.client.HTTPResponse, origin: Origin) -> tuple[_Reader, _Releaser]:
        def read_into(buffer: memoryview) -> int:
            try:
                count = answer.readinto(buffer)
            except TimeoutError as error:
                raise TransportError(f"{origin} stopped sending in the middle of an answer") from error
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise TransportError(f"the connection to {origin} broke in the middle of an answer: {_reason(error)}") from error
            if not count and answer.length:
                raise TransportError(f"the connection to {origin} was cut {answer.length} bytes before the end of an answer")
            return count

        def release() -> None:
            # An unread 401 of a few hundred bytes is cheaper to read than a connection is to open.
            if not answer.isclosed() and answer.length is not None and answer.length <= _DRAIN:
                with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
                    answer.read()
            done = answer.isclosed() and not answer.will_close and not answer.length
            answer.close()
            if done:
                self._keep(origin, connection)
            else:
                connection.close()

        return read_into, release

    def _take(self, origin: Origin) -> http.client.HTTPConnection | None:
        while True:
            with self._lock:
                idle = self._idle.get(origin)
                kept = idle.pop() if idle else None
            if kept is None or _is_quiet(kept):
                return kept
            kept.close()

    def _keep(self, origin: Origin, connection: http.client.HTTPConnection) -> None:
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
            idle: Iterable[http.client.HTTPConnection] = [c for connections in self._idle.values() for c in connections]
            self._idle.clear()
        for connection in idle:
            connection.close()


def _ask(connection: http.client.HTTPConnection, request: Request) -> http.client.HTTPResponse:
    connection.putrequest(request.method, request.url.target, skip_host=True, skip_accept_encoding=True)
    connection.putheader("host", request.url.origin.netloc)
    for name, value in request.headers:
        connection.putheader(name, value)
    body: bytes | Body = request.upload or request.body
    if body or request.method in ("POST", "PUT", "PATCH"):
        connection.putheader("content-length", str(len(body)))
    connection.endheaders(request.body or None)
    answer = _send(connection, request.upload) if request.upload else connection.getresponse()
    if answer.status < 200:
        # http.client reads on after 100 alone; what follows another one must not be taken for the next request's answer.
        answer.close()
        raise http.client.HTTPException(f"it sent an interim answer ({answer.status}) that was not asked for")
    return answer


def _send(connection: http.client.HTTPConnection, body: Body) -> http.client.HTTPResponse:
    """Send *body*. A registry that has seen enough answers and stops reading: then its answer says more than the broken pipe."""
    if body.path and body.size >= _LARGE and not isinstance(connection.sock, ssl.SSLSocket):
        try:
            _send_file(connection.sock, body)
        except _CUT as cut:
            return _early(connection, cut)
        return connection.getresponse()
    with contextlib.closing(body.pieces()) as pieces:
        for piece in pieces:
            try:
                connection.send(piece)
            except _CUT as cut:
                return _early(connection, cut)
    return connection.getresponse()


def _send_file(sock: socket.socket, body: Body) -> None:
    """Let the system send *body* from its file."""
    try:
        file = open(body.path, "rb", buffering=0)  # noqa: SIM115 - what goes wrong from here on is the connection's
    except OSError as error:
        raise ContentError(f"cannot read {body.path}: {error.strerror}") from error
    with file:
        at, end = body.start, body.start + body.size
        while at < end:
            sent = sock.sendfile(file, at, min(_AT_ONCE, end - at))
            if not sent:
                raise ContentError("the content shrank while it was being sent", hint="let nothing write to it meanwhile")
            at += sent
            body.tick(at)


def _early(connection: http.client.HTTPConnection, cut: Exception) -> http.client.HTTPResponse:
    """The answer to a request that was not read to its end; *cut* where there is none."""
    try:
        answer = connection.getresponse()
    except (OSError, http.client.HTTPException):
        raise cut from None
    # What stands on this connection is half a request: no other may follow.
    answer.will_close = True
    return answer


def _is_quiet(connection: http.client.HTTPConnection) -> bool:
    """Whether nothing arrived on an idle connection: what did is its end, or an answer to no request of ours."""
    if isinstance(connection.sock, ssl.SSLSocket) and connection.sock.pending():
        return False
    with _Selector() as selector:
        selector.register(connection.sock, selectors.EVENT_READ)
        return not selector.select(0)


def _reason(error: Exception) -> str:
    """What the library says went wrong, for a person; a host that cannot be found reads as such."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return printable(text)


TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    _Reader = Callable[[memoryview], int]
    _Releaser = Callable[[], None]
