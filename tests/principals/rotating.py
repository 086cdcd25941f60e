"""A rotation in a process of its own, which kills itself at the point that its arguments name."""

from __future__ import annotations

import os
import signal
import sys

from registryauth.client import Client
from registryauth.principals import rotate
from registryauth.reference import Address
from registryauth.stores import Key, Slot, open_store


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Dying:
    """A store in whose *at*-th write the process ends, right before it or right after."""

    conditional = True

    def __init__(self, inner, at, when):
        self._inner, self._at, self._when = inner, at, when

    def __getattr__(self, name):
        return getattr(self._inner, name)

    def put(self, principal, if_revision=None):
        self._at -= 1
        if self._at == 0 and self._when == "before":
            die()
        written = self._inner.put(principal, if_revision)
        if self._at == 0 and self._when == "after":
            die()
        return written


def main() -> None:
    host, secret, at, when = sys.argv[1:]
    store = Dying(open_store(environ=os.environ), int(at), when)

    def opened(credentials):
        if when == "asking" and credentials(None):
            die()
        return Client(credentials, environ={})

    rotate(store, Key(Address.parse(host), "me"), lambda _: Slot(secret), opened)
    sys.stdout.write("rotated\n")


if __name__ == "__main__":
    main()
