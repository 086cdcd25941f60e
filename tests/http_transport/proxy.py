"""A proxy for the tests in this directory."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

from .raw_server import Line, RawServer


class Proxy:
    """A proxy that answers absolute-form requests itself and connects CONNECT requests to *onward*."""

    def __init__(self, onward: RawServer | None = None) -> None:
        self.onward = onward

    def __call__(self, line: Line) -> None:
        while request := line.request():
            if not request.startswith(b"CONNECT "):
                line.say(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nproxied")
                continue
            if self.onward is None:
                line.say(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                continue
            with socket.create_connection(("127.0.0.1", self.onward.port)) as far:
                line.say(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=pump, args=(far, line.socket), daemon=True)
                back.start()
                pump(line.socket, far)
                back.join(5)
            return


def pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
