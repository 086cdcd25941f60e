"""One connection to one server: requests over it, one at a time."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl

from registryauth._http.answer import Answer
from registryauth._http.messages import Body, Request
from registryauth._http.stream import Malformed, Stream
from registryauth._origin import Origin
from registryauth.errors import ContentError

#: Bytes of a file for which it pays to let the system send it. Smaller ones are quickly read. Larger ones go alone, and then a
#: processor is free to read them: from memory that was just written the registry takes them a sixth faster (benchmarks/README.md).
_BY_THE_SYSTEM = range(256 * 1024, 32 * 1024 * 1024)
#: Bytes sent between two looks whether to go on.
_AT_ONCE = 1024 * 1024
#: The other end went away.
CUT = (BrokenPipeError, ConnectionResetError, ConnectionAbortedError, ssl.SSLEOFError)


class Connection:
    """A connection to *origin*, over TLS if *context* is given; at most *connect_timeout* and *read_timeout* seconds are waited."""

    __slots__ = ("_stream", "sock")

    def __init__(self, origin: Origin, context: ssl.SSLContext | None, connect_timeout: float, read_timeout: float) -> None:
        sock = socket.create_connection((origin.hostname, origin.port), connect_timeout)
        try:
            # A request is written whole: there is nothing that the system should wait for.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.sock = context.wrap_socket(sock, server_hostname=origin.hostname) if context else sock
            self.sock.settimeout(read_timeout)
        except BaseException:
            sock.close()
            raise
        self._stream = Stream(self.sock)

    def ask(self, request: Request) -> Answer:
        """Send *request*; give the answer, its body not read yet."""
        body: bytes | Body = request.upload or request.body
        lines = [f"{request.method} {request.url.target} HTTP/1.1", f"host: {request.url.origin.netloc}"]
        lines += [f"{name}: {value}" for name, value in request.headers]
        if body or request.method in ("POST", "PUT", "PATCH"):
            lines.append(f"content-length: {len(body)}")
        head = "\r\n".join((*lines, "\r\n")).encode("latin-1")
        self.sock.sendall(head + request.body if request.body else head)
        answer = self._send(request.upload, request.method) if request.upload else Answer(self._stream, request.method)
        if answer.status < 200:
            # What follows must not be taken for the next request's answer.
            raise Malformed(f"it sent an interim answer ({answer.status}) that was not asked for")
        return answer

    def _send(self, body: Body, method: str) -> Answer:
        """Send *body*. A registry that has seen enough answers and stops reading: then its answer says more than the broken pipe."""
        if body.path and body.size in _BY_THE_SYSTEM and not isinstance(self.sock, ssl.SSLSocket):
            try:
                _send_file(self.sock, body)
            except CUT as cut:
                return self._early(method, cut)
            return Answer(self._stream, method)
        with contextlib.closing(body.pieces()) as pieces:
            for piece in pieces:
                try:
                    self.sock.sendall(piece)
                except CUT as cut:
                    return self._early(method, cut)
        return Answer(self._stream, method)

    def _early(self, method: str, cut: Exception) -> Answer:
        """The answer to a request that was not read to its end; *cut* where there is none."""
        try:
            answer = Answer(self._stream, method)
        except (OSError, Malformed):
            raise cut from None
        # What stands on this connection is half a request: no other may follow.
        answer.will_close = True
        return answer

    def is_quiet(self) -> bool:
        """Whether nothing arrived while nothing was asked: what did is the connection's end, or an answer to no request of ours."""
        if self._stream.is_ahead or (isinstance(self.sock, ssl.SSLSocket) and self.sock.pending()):
            return False
        look = select.poll()
        look.register(self.sock, select.POLLIN)
        return not look.poll(0)

    def close(self) -> None:
        """Close it."""
        self.sock.close()


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
