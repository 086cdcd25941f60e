"""A proxy that leads every name to one address, so that a client that we did not write speaks to its own host names."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

#: Bytes of a CONNECT request's head, and of a piece that is passed on.
_MAX_HEAD = 16 * 1024
_PIECE = 64 * 1024
#: Seconds without a byte after which a connection is dropped.
_PATIENCE = 60.0
_NAME = "tunnel"


@contextmanager
def tunnel(target: str) -> Iterator[str]:
    """Connect every ``CONNECT host:port`` (RFC 9110 §9.3.6) to *target*, ``127.0.0.1:PORT``; gives ``http://127.0.0.1:PORT``."""
    listener = socket.create_server(("127.0.0.1", 0))
    passages = _Passages(target)
    accepting = threading.Thread(target=passages.accept, args=(listener,), name=_NAME, daemon=True)
    accepting.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        # On Linux closing alone does not wake the thread in accept().
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join(timeout=5)
        passages.close()


class _Passages:
    """The connections that are open, so that none outlives the tunnel."""

    def __init__(self, target: str) -> None:
        host, _, port = target.rpartition(":")
        self._target = host, int(port)
        self._open: set[socket.socket] = set()
        self._threads: set[threading.Thread] = set()
        self._guard = threading.Lock()

    def accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                thread = threading.Thread(target=self._serve, args=(client,), name=_NAME, daemon=True)
                with self._guard:
                    self._threads.add(thread)
                thread.start()

    def close(self) -> None:
        """Cut what is open and wait for its threads."""
        with self._guard:
            still, threads = list(self._open), list(self._threads)
        for one in still:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(timeout=5)

    @contextmanager
    def _held(self, one: socket.socket) -> Iterator[socket.socket]:
        one.settimeout(_PATIENCE)
        with self._guard:
            self._open.add(one)
        try:
            with one:
                yield one
        finally:
            with self._guard:
                self._open.discard(one)

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError), self._held(client):
            head = b""
            while b"\r\n\r\n" not in head and len(head) < _MAX_HEAD:
                piece = client.recv(_MAX_HEAD)
                if not piece:
                    return
                head += piece
            if not head.startswith(b"CONNECT "):
                client.sendall(b"HTTP/1.1 405 Method Not Allowed\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                return
            with self._held(socket.create_connection(self._target)) as server:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                server.sendall(head.partition(b"\r\n\r\n")[2])
                back = threading.Thread(target=_pass_on, args=(server, client), name=_NAME, daemon=True)
                back.start()
                _pass_on(client, server)
                back.join()
        with self._guard:
            self._threads.discard(threading.current_thread())


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(_PIECE):
            sink.sendall(piece)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
