"""A server that says byte for byte what a test wants it to say."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

#: Gives the whole of one request, empty when the client has gone; then what the test makes of it.
Talk = Callable[["Line"], None]

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Line:
    """One accepted connection; *number* counts from 0."""

    def __init__(self, connection: socket.socket, number: int, server: RawServer) -> None:
        self.socket = connection
        self.number = number
        self._server = server

    def request(self) -> bytes:
        """The next request, head and body; empty at the end."""
        seen = b""
        while b"\r\n\r\n" not in seen:
            if not (piece := self.socket.recv(65536)):
                return b""
            seen += piece
        head, _, body = seen.partition(b"\r\n\r\n")
        length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
        while len(body) < length:
            body += self.socket.recv(65536)
        self._server.requests.append(head + b"\r\n\r\n" + body)
        return self._server.requests[-1]

    def say(self, data: bytes) -> None:
        """Send *data*; a client that hung up already is no failure."""
        with suppress(OSError):
            self.socket.sendall(data)


class RawServer:
    """What was accepted and received."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.accepted = 0
        self.requests: list[bytes] = []
        self.failures: list[BaseException] = []

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"


@contextmanager
def raw_server(talk: Talk, tls: ssl.SSLContext | None = None) -> Iterator[RawServer]:
    """Accept on a free loopback port and let *talk* have each connection, on a thread of its own, until the block ends."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    server = RawServer(listener.getsockname()[1])
    lines: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def hold(connection: socket.socket, number: int) -> None:
        try:
            if tls:
                connection = tls.wrap_socket(connection, server_side=True)
                lines.append(connection)
            with connection:
                talk(Line(connection, number, server))
        except (OSError, ValueError):
            connection.close()
        except BaseException as error:  # noqa: BLE001
            server.failures.append(error)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            lines.append(connection)
            threads.append(threading.Thread(target=hold, args=(connection, server.accepted), daemon=True))
            server.accepted += 1
            threads[-1].start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield server
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join(5)
        for line in list(lines):
            with suppress(OSError):
                socket.socket.shutdown(line, socket.SHUT_RDWR)
        for thread in threads:
            thread.join(5)
        assert server.failures == []


def saying(*answers: bytes, close: bool = True) -> Talk:
    """Each connection answers each of its requests with the next of *answers*, and closes after the last."""

    def talk(line: Line) -> None:
        for answer in answers:
            if not line.request():
                return
            line.say(answer)
        if not close:
            line.request()

    return talk


def forever(answer: bytes = OK) -> Talk:
    """Every request on every connection gets *answer*."""

    def talk(line: Line) -> None:
        while line.request():
            line.say(answer)

    return talk
