"""The least that a pull can be in Python: one connection, one file, SHA-256 beside it; nothing else is looked at.

``bare.py HOST PATH TARGET SIZE DIGEST``: a bound for the clients, as ``curl`` is one for a pull that verifies nothing.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import socket
import sys
import threading
from queue import SimpleQueue

_PIECE = 4 * 1024 * 1024


def main(host: str, path: str, target: str, size: int, digest: str) -> bool:
    """Write the *size* bytes at *path* of *host* to the new file *target*; whether their SHA-256 is *digest*."""
    name, _, port = host.rpartition(":")
    connection = socket.create_connection((name, int(port)))
    connection.sendall(f"GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += connection.recv(1)
    hasher = hashlib.sha256()
    full: SimpleQueue[tuple[mmap.mmap, int] | None] = SimpleQueue()
    free: SimpleQueue[mmap.mmap] = SimpleQueue()
    for _ in range(2):
        free.put(mmap.mmap(-1, _PIECE))

    def hash_all() -> None:
        while (piece := full.get()) is not None:
            hasher.update(memoryview(piece[0])[: piece[1]])
            free.put(piece[0])

    beside = threading.Thread(target=hash_all)
    beside.start()
    with open(target, "xb", buffering=0) as file:
        while size:
            buffer = free.get()
            count = connection.recv_into(memoryview(buffer)[:size], 0, socket.MSG_WAITALL)
            if not count:
                break
            full.put((buffer, count))
            file.write(memoryview(buffer)[:count])
            size -= count
    full.put(None)
    beside.join()
    return hasher.hexdigest() == digest


if __name__ == "__main__":
    os.makedirs(os.path.dirname(sys.argv[3]))
    sys.exit(not main(*sys.argv[1:4], int(sys.argv[4]), sys.argv[5]))
