"""The simulator on a real socket, for clients that we did not write."""

from __future__ import annotations

import io
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from registryauth._http.messages import Request, Response
from registryauth._origin import Url
from registryauth.errors import TransportError
from registryauth.testing.answers import wire_bytes
from registryauth.testing.uploads import arrived

#: Bodies are held in memory: 64 MiB each. A longer one is answered with 413, and the connection is closed.
MAX_BODY = 64 * 1024 * 1024

#: How often the accept loop looks whether it should end, in seconds: what closing a server costs at most.
_POLL = 0.02

_Connection = socket.socket | tuple[bytes, socket.socket]


@contextmanager
def serve(handle: Callable[[Request], Response], tls: ssl.SSLContext | None = None, address: str = "127.0.0.1") -> Iterator[str]:
    """Answer HTTP/1.1 on a free port of the loopback *address* with *handle*; gives ``127.0.0.1:PORT`` or ``[::1]:PORT``."""

    class Handler(_Handler):
        pass

    Handler.handle_one = staticmethod(handle)
    Handler.scheme = "https" if tls else "http"
    server = _Server(Handler, address)
    if tls:
        # The handshake belongs to the connection's thread: a silent client must not block the accept loop.
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    accepting = threading.Thread(target=server.serve_forever, args=(_POLL,), daemon=True)
    accepting.start()
    try:
        yield f"[{address}]:{server.server_port}" if ":" in address else f"{address}:{server.server_port}"
    finally:
        server.shutdown()
        accepting.join()
        server.server_close()
        server.hang_up()


#: The first byte of a TLS record that opens a connection (RFC 8446 §5.1).
_TLS_HANDSHAKE = b"\x16"


class _Server(ThreadingHTTPServer):
    """Knows its connections, so that none outlives it: a client that keeps one alive would leave its thread reading forever."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, handler: type[_Handler], address: str) -> None:
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._open: dict[socket.socket, threading.Thread] = {}
        self._guard = threading.Lock()
        super().__init__((address, 0), handler)

    def process_request(self, request: _Connection, client_address: object) -> None:
        thread = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        if isinstance(request, socket.socket):
            with self._guard:
                self._open[request] = thread
        thread.start()

    def shutdown_request(self, request: _Connection) -> None:
        super().shutdown_request(request)
        if isinstance(request, socket.socket):
            with self._guard:
                self._open.pop(request, None)

    def hang_up(self) -> None:
        """Close what is still open and wait for its threads."""
        with self._guard:
            still = list(self._open.items())
        for connection, thread in still:
            # The plain socket's shutdown: TLS's own would drop its state under the thread that reads.
            with suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
            thread.join(timeout=5)

    def handle_error(self, request: _Connection, client_address: object) -> None:
        # A client that goes away or does not trust our certificate is no fault of ours.
        if not isinstance(sys.exception(), (ConnectionError, TimeoutError, ssl.SSLError)):
            super().handle_error(request, client_address)


class _TooLong(Exception):
    """A body longer than `MAX_BODY`."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    handle_one: Callable[[Request], Response]
    scheme: str

    def __getattr__(self, name: str) -> Callable[[], None]:
        # http.server looks for do_GET, do_PATCH and so on.
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def handle_one_request(self) -> None:
        # A TLS client hello may hold no line end to wait for. Go's servers answer it in plain http, and docker, told to be
        # insecure, takes that for the sign to try http.
        if isinstance(self.rfile, io.BufferedReader) and self.rfile.peek(1)[:1] == _TLS_HANDSHAKE:
            self.wfile.write(b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTPS request to an HTTP server.\n")
            self.close_connection = True
            return
        super().handle_one_request()

    def log_message(self, *_: object) -> None:
        """Say nothing: the simulator records requests itself."""

    def version_string(self) -> str:
        return "registryauth-simulator"

    def _answer(self) -> None:
        try:
            host = self.headers.get("host", "127.0.0.1")
            fields = tuple((name.lower(), value) for name, value in self.headers.items())
            head = Request(self.command, Url.parse(f"{self.scheme}://{host}{self.path}"), fields)
            body, whole = self._body()
        except _TooLong:
            self._refuse(413)
            return
        except (ValueError, TransportError):
            self._refuse(400)
            return
        try:
            if whole:
                self._send(type(self).handle_one(head.replace(body=body)))
            elif kept := arrived(head, body):
                type(self).handle_one(kept)
        except TransportError:
            whole = False
        self.close_connection = self.close_connection or not whole

    def _refuse(self, status: int) -> None:
        self.send_error(status)
        self.close_connection = True

    def _body(self) -> tuple[bytes, bool]:
        """The body as far as it came, and whether that is all of it."""
        if "chunked" in self.headers.get("transfer-encoding", "").lower():
            return self._chunked()
        length = int(self.headers.get("content-length") or 0)
        if length < 0:
            raise ValueError("a length is not negative")
        if length > MAX_BODY:
            raise _TooLong
        return self._some(length)

    def _some(self, count: int) -> tuple[bytes, bool]:
        """Up to *count* bytes, fewer only if the client went away."""
        body = bytearray()
        with suppress(OSError):
            while part := self.rfile.read1(min(count - len(body), 1 << 20)):
                body += part
        return bytes(body), len(body) == count

    def _chunked(self) -> tuple[bytes, bool]:
        """A chunked body (RFC 9112 §7.1), its trailers read and dropped."""
        body = bytearray()
        while line := self.rfile.readline(1024):
            size = int(line.partition(b";")[0], 16)
            if size < 0:
                raise ValueError("a length is not negative")
            if len(body) + size > MAX_BODY:
                raise _TooLong
            part, whole = self._some(size)
            body += part
            if not whole:
                break
            if not size:
                while self.rfile.readline(8192).strip():
                    pass
                return bytes(body), True
            self.rfile.readline(3)
        return bytes(body), False

    def _send(self, response: Response) -> None:
        bodyless = self.command == "HEAD" or response.status in (204, 304)
        chunked = not bodyless and "content-length" not in response.headers
        self.send_response(response.status)
        for name, value in response.headers:
            self.send_header(name, value)
        if chunked:
            self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        if bodyless:
            response.close()
            return
        for part in wire_bytes(response):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part) if chunked else part)
        if chunked:
            self.wfile.write(b"0\r\n\r\n")
