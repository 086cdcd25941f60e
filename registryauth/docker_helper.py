"""``docker-credential-registryauth``: Docker's credential helper protocol, to the letter.

https://github.com/docker/docker-credential-helpers (credentials/credentials.go, credentials/error.go). What clients
do with an answer decides its form: "not found" is one exact text on stdout; every other failure is swallowed by
docker, so its reason also goes to stderr, which docker and skopeo pass through; ``erase`` of nothing is no failure,
because clients of 2022 loop until their stack overflows when it is.

Answers come from our store alone, never from docker's or containers' own files, so there is no loop. What an admin
registered is neither overwritten nor erased.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time

from registryauth import __version__
from registryauth._grammar import CONTROL
from registryauth.credentials import TOKEN_USERNAME, to_login
from registryauth.errors import ConfigurationError, Error
from registryauth.reference import DOCKER_HUB, DOCKER_HUB_KEY, Address
from registryauth.stores.principal import Principal, Slot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import BinaryIO, TextIO

    from registryauth.stores import Store

NAME = "docker-credential-registryauth"
#: The text by which every client recognises "not found" (credentials/error.go).
NOT_FOUND = "credentials not found in native keychain"
#: Bytes of a request: docker's own reader takes lines of 64 KiB; a secret of that size and its address fit.
MAX_REQUEST = 128 * 1024
_USAGE = f"Usage: {NAME} <store|get|erase|list|version>"


class _Refused(Exception):
    """The text that goes to stdout with exit status 1, and a reason for stderr."""

    def __init__(self, text: str, reason: str = "") -> None:
        super().__init__(text)
        self.reason = reason


def main() -> int:
    """Answer the request on the command line and stdin; the exit status."""
    import gc

    # The process ends before the first collection would pay.
    gc.disable()
    return run(sys.argv[1:], sys.stdin.buffer, sys.stdout, sys.stderr, os.environ)


def run(
    argv: list[str],
    stdin: BinaryIO,
    stdout: TextIO,
    stderr: TextIO,
    environ: Mapping[str, str],
    *,
    store: Store | None = None,
    clock: Callable[[], float] = time.time,
) -> int:
    """Answer one request; *store* is the configured one unless given."""
    if len(argv) != 1:
        print(_USAGE, file=stdout)
        return 1
    action = argv[0]
    if action in ("--help", "-h"):
        print(_USAGE, file=stdout)
        return 0
    if action in ("version", "--version", "-v"):
        print(f"{NAME} (registryauth) {__version__}", file=stdout)
        return 0
    if action not in _ACTIONS:
        print(f"{NAME}: unknown action: {action[:40]!a}", file=stdout)
        return 1
    try:
        answer, reason = _ACTIONS[action](store if store is not None else _open(environ), _read(stdin), clock())
    except _Refused as refused:
        _say(stderr, refused.reason)
        print(refused, file=stdout)
        return 1
    except Error as error:
        _say(stderr, f"{error}; {error.hint}" if error.hint else str(error))
        print(str(error).partition("\n")[0], file=stdout)
        return 1
    except OSError as error:
        _say(stderr, f"{type(error).__name__}: {error.strerror}")
        print("the credential store cannot be used", file=stdout)
        return 1
    _say(stderr, reason)
    if answer:
        print(answer, file=stdout)
    return 0


def _read(stdin: BinaryIO) -> bytes:
    request = stdin.read(MAX_REQUEST + 1)
    if len(request) > MAX_REQUEST:
        raise _Refused(f"the request is longer than {MAX_REQUEST} bytes")
    return request


def _say(stderr: TextIO, reason: str) -> None:
    if reason:
        print(f"{NAME}: {' '.join(reason.split())}", file=stderr)


def _open(environ: Mapping[str, str]) -> Store:
    from registryauth.config import load
    from registryauth.stores import open_store

    config = load(environ)
    if not config.store_path:
        raise ConfigurationError("no home directory is known, so there is no credential store", hint="set HOME, or REGISTRYAUTH_STORE_PATH")
    return open_store(config.store_path, key=config.store_key, key_file=config.store_key_file, environ=environ)


def _get(store: Store, request: bytes, now: float) -> tuple[str, str]:
    server, address = _server(request)
    record = _held(store, address)
    if record is None:
        # docker asks for hosts only, and a credential for a path must not open the whole registry.
        raise _Refused(NOT_FOUND, f"nothing is stored for {address} as a whole; log in with 'registryauth login {address}'")
    username, secret = to_login(record.credential(now))
    slot = record.slot(now)
    late = slot.expires_at and slot.expires_at <= now
    reason = f"the credential of {record.account} for {record.address} has expired: log in again" if late else ""
    return json.dumps({"ServerURL": server, "Username": username, "Secret": secret}, ensure_ascii=False), reason


def _held(store: Store, address: Address) -> Principal | None:
    """The record that answers for *address*: never a deeper one, and for a sub-key of Docker Hub only its own."""
    record = store.get(address)
    if record is not None and _is_sub_key(address) and record.address != address:
        return None
    return record


def _is_sub_key(address: Address) -> bool:
    """Whether this is where docker keeps the tokens of its web login (``…/v1/access-token``), which are no pull credentials."""
    return address.registry.host == DOCKER_HUB and address.path.startswith("v1/")


def _store(store: Store, request: bytes, now: float) -> tuple[str, str]:
    try:
        given = json.loads(request)
    except (ValueError, RecursionError):
        raise _Refused("the request is not JSON") from None
    if not isinstance(given, dict):
        raise _Refused("the request is not a JSON object")
    server, username, secret = (_clean(given.get(name, ""), name) for name in ("ServerURL", "Username", "Secret"))
    if not server:
        raise _Refused("no credentials server URL")
    if not username:
        raise _Refused("no credentials username")
    if not secret:
        raise _Refused("no credentials secret")
    address = Address.parse(server)
    there = store.at(address)
    if admin := next((record for record in there if record.made_by == "admin"), None):
        return "", f"{admin.key} was registered by an admin and stays; it is changed with 'registryauth login' or 'registryauth principal'"
    seconds = int(now)
    before = next((record for record in there if record.account == username), None)
    kind = "identity-token" if username == TOKEN_USERNAME else "user"
    slots = (Slot(secret, added_at=seconds),)
    fresh = Principal(address, username, slots, kind=kind, made_by="docker", created_at=seconds, preferred_at=int(now * 1e6))
    store.put(before.replace(slots=slots, kind=kind, verified_at=0, preferred_at=int(now * 1e6)) if before else fresh)
    for other in there:
        if other.account != username and other.made_by == "docker":
            store.delete(other.key)
    return "", ""


def _erase(store: Store, request: bytes, _: float) -> tuple[str, str]:
    address = _server(request)[1]
    kept = ""
    for record in store.at(address):
        if record.made_by == "admin":
            kept = f"{record.key} was registered by an admin and stays"
        else:
            store.delete(record.key)
    return "", kept


def _list(store: Store, _request: bytes, _now: float) -> tuple[str, str]:
    names: dict[str, str] = {}
    for record in sorted(store.list(), key=lambda record: record.preferred_at):
        if not record.address.path or _is_sub_key(record.address):
            names[server_key(record.address)] = record.account
    return json.dumps(names, ensure_ascii=False, sort_keys=True), ""


def server_key(address: Address) -> str:
    """The key under which docker knows *address*."""
    if address.registry.host == DOCKER_HUB:
        return DOCKER_HUB_KEY + address.path.removeprefix("v1/")
    return str(address)


def _server(request: bytes) -> tuple[str, Address]:
    """The server that a ``get`` or ``erase`` names, as written, and what it means."""
    try:
        text = request.decode("utf-8").strip(" \t\r\n")
    except UnicodeDecodeError:
        raise _Refused("the server URL is not UTF-8") from None
    if not text:
        raise _Refused("no credentials server URL")
    # Docker's own reader joins lines, so that "good.example\nevil" becomes one name; CVE-2020-5260 is what comes of that.
    server = _clean(text, "ServerURL")
    return server, Address.parse(server)


def _clean(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise _Refused(f"{name} is not a string")
    if re.search(CONTROL, value):
        raise _Refused(f"{name} holds a control character")
    return value


_ACTIONS: Mapping[str, Callable[[Store, bytes, float], tuple[str, str]]] = {"get": _get, "store": _store, "erase": _erase, "list": _list}

if __name__ == "__main__":
    sys.exit(main())
