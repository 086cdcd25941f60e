"""A proxy that leads every name to one address, so that a client that we did not write speaks to its own host names."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

#: Bytes of a CONNECT request's head, and of a piece that is passed on.
_MAX_HEAD = 16 * 1024
_PIECE = 64 * 1024
#: Seconds without a byte after which a connection is dropped.
_PATIENCE = 60.0


@contextmanager
def tunnel(target: str) -> Iterator[str]:
    """Connect every ``CONNECT host:port`` (RFC 9110 §9.3.6) to *target*, ``127.0.0.1:PORT``; gives ``http://127.0.0.1:PORT``."""
    listener = socket.create_server(("127.0.0.1", 0))
    open_: list[socket.socket] = []
    guard = threading.Lock()

    def held(one: socket.socket) -> socket.socket:
        one.settimeout(_PATIENCE)
        with guard:
            open_.append(one)
        return one

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=_serve, args=(held(client), target, held), daemon=True).start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        # On Linux closing alone does not wake the thread in accept().
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join(timeout=5)
        with guard:
            still = list(open_)
        for one in still:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


def _serve(client: socket.socket, target: str, held: Callable[[socket.socket], socket.socket]) -> None:
    head = b""
    with client, suppress(OSError):
        while b"\r\n\r\n" not in head and len(head) < _MAX_HEAD:
            piece = client.recv(_MAX_HEAD)
            if not piece:
                return
            head += piece
        if not head.startswith(b"CONNECT "):
            client.sendall(b"HTTP/1.1 405 Method Not Allowed\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            return
        host, _, port = target.rpartition(":")
        with held(socket.create_connection((host, int(port)))) as server:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            server.sendall(head.partition(b"\r\n\r\n")[2])
            back = threading.Thread(target=_pass_on, args=(server, client), daemon=True)
            back.start()
            _pass_on(client, server)
            back.join()


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(_PIECE):
            sink.sendall(piece)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
