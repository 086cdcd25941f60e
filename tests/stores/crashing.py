"""Eight writers and eight readers at one store, killed at random moments: ``crashing.py STORE KEY_FILE KILLS SEED``.

A child acknowledges each write on a pipe after the store's method came back. At the end the store must hold, for each writer, what
its last acknowledged write said, or the one after it, which may have been done when the writer died. Prints a JSON summary; status 1,
with what was found, where a write was lost or a reader met something that nobody wrote.
"""

from __future__ import annotations

import json
import os
import random
import select
import signal
import sys
import time
from collections.abc import Iterator

from registryauth.errors import Error
from registryauth.reference import Address
from registryauth.stores import Principal, Slot, open_store
from registryauth.stores.encrypted import EncryptedStore

WRITERS = READERS = 8
HOST = Address.parse("registry.example/team")


def record(account: str, number: int) -> Principal:
    """What the write with *number* puts; most fit one page of the file, some need several."""
    return Principal(HOST, account, (Slot(f"{account}:{number}:" + "x" * (number % 7 * 900), added_at=number),))


def number_in(found: Principal) -> int:
    """Which write *found* came from; raise `ValueError` if it is no write's."""
    number = int(found.slots[0].secret.split(":")[1])
    if found.replace(revision=0) != record(found.account, number):
        raise ValueError(f"{found.account} has what nobody wrote")
    return number


def is_deletion(number: int) -> bool:
    return number % 5 == 0


def write(store: EncryptedStore, account: str, start: int, acknowledge: int) -> None:
    number = start
    while True:
        wanted = record(account, number)
        if is_deletion(number):
            store.delete(wanted.key)
        else:
            store.put(wanted)
        os.write(acknowledge, f"{number}\n".encode())
        number += 1


def read(store: EncryptedStore, _: str, __: int, acknowledge: int) -> None:
    seen: dict[str, int] = {}
    while True:
        for found in store.at(HOST):
            number = number_in(found)
            if number < seen.get(found.account, 0):
                raise ValueError(f"{found.account} went back from {seen[found.account]} to {number}")
            seen[found.account] = number
        os.write(acknowledge, b"1\n")


class Child:
    """One writer or reader, begun again each time it was killed."""

    def __init__(self, place: tuple[str, str], account: str, *, writes: bool) -> None:
        self.place, self.account, self.writes = place, account, writes
        self.last = self.acknowledged = 0
        self.pid = 0

    def start(self) -> None:
        self.output, acknowledge = os.pipe()
        self._rest = b""
        self.pid = os.fork()
        if self.pid:
            os.close(acknowledge)
            os.set_blocking(self.output, False)
            return
        try:
            work = write if self.writes else read
            work(open_store(self.place[0], "file", self.place[1], environ={}), self.account, self.last + 1, acknowledge)
        except (Error, ValueError, OSError) as error:
            os.write(2, f"{self.account}: {type(error).__name__}: {error}\n".encode())
        os._exit(3)

    def listen(self) -> None:
        try:
            while heard := os.read(self.output, 65536):
                *lines, self._rest = (self._rest + heard).split(b"\n")
                self.acknowledged += len(lines)
                if lines:
                    self.last = int(lines[-1])
        except BlockingIOError:
            return

    def kill(self) -> int:
        """The wait status: anything but our signal is a failure of the child's own."""
        os.kill(self.pid, signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        self.listen()
        os.close(self.output)
        return status


def faults(store: EncryptedStore, writers: list[Child]) -> Iterator[str]:
    there = {found.account: number_in(found) for found in store.list()}
    for writer in writers:
        allowed = {None if is_deletion(n) else n for n in (writer.last, writer.last + 1) if n}
        if writer.last == 0:
            allowed.add(None)
        if there.get(writer.account) not in allowed:
            yield f"{writer.account} acknowledged {writer.last}, the store has {there.get(writer.account)}"


def main() -> int:
    path, key_file, kills, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    chance = random.Random(seed)
    place = (path, key_file)
    store = open_store(path, "file", key_file, environ={})
    store.put(Principal(Address.parse("registry.example"), "first", (Slot("first:1:", added_at=1),)))
    store.delete(Principal(Address.parse("registry.example"), "first", (Slot("x"),)).key)
    writers = [Child(place, f"writer{n}", writes=True) for n in range(WRITERS)]
    children = [*writers, *(Child(place, f"reader{n}", writes=False) for n in range(READERS))]
    for child in children:
        child.start()
    failed: list[str] = []
    began = time.monotonic()
    for _ in range(kills):
        deadline = time.monotonic() + chance.uniform(0, 0.05)
        while (left := deadline - time.monotonic()) > 0:
            for ready in select.select([child.output for child in children], [], [], left)[0]:
                next(child for child in children if child.output == ready).listen()
        victim = chance.choice(children)
        if (status := victim.kill()) != signal.SIGKILL:
            failed.append(f"{victim.account} ended with {status}")
            break
        victim.start()
    failed += [f"{child.account} ended by itself" for child in children if child.kill() != signal.SIGKILL]
    failed += faults(store, writers)
    written, read_ = (sum(c.acknowledged for c in children if c.writes is kind) for kind in (True, False))
    seconds = round(time.monotonic() - began, 1)
    json.dump({"kills": kills, "writes": written, "reads": read_, "seconds": seconds, "faults": failed}, sys.stdout)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
