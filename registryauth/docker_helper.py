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
from registryauth._redact import printable
from registryauth.credentials import TOKEN_USERNAME, to_login
from registryauth.errors import Conflict, Error, InvalidReference
from registryauth.reference import DOCKER_HUB, DOCKER_HUB_KEY, Address
from registryauth.stores.principal import Principal, Slot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, BinaryIO, TextIO

    from registryauth.stores import Store

NAME = "docker-credential-registryauth"
#: The text by which every client recognises "not found" (credentials/error.go).
NOT_FOUND = "credentials not found in native keychain"
#: Bytes of a request: docker's own reader takes lines of 64 KiB; a secret of that size and its address fit.
MAX_REQUEST = 128 * 1024
#: Writes that may come between our read and ours before we give up.
_MAX_CONFLICTS = 8
_USAGE = f"Usage: {NAME} <store|get|erase|list|version>"


class _Refused(Exception):
    """The text that goes to stdout with exit status 1, and a reason for stderr."""

    def __init__(self, text: str, reason: str = "") -> None:
        super().__init__(text)
        self.reason = reason


def main() -> int:
    """Answer the request on the command line and stdin; the exit status."""
    import gc
    import io

    # The process ends before the first collection would pay.
    gc.disable()
    # Python has None for a stream that the caller closed.
    stdin, stderr = sys.stdin.buffer if sys.stdin else io.BytesIO(), sys.stderr or io.StringIO()
    answer = io.StringIO()
    try:
        status = run(sys.argv[1:], stdin, answer, stderr, os.environ)
        # UTF-8 whatever the locale: JSON that programs exchange has no other encoding (RFC 8259 §8.1).
        return status if sys.stdout and _written_to(sys.stdout.fileno(), answer.getvalue().encode()) else 1
    except KeyboardInterrupt:
        return 130
    finally:
        # The interpreter sweeps at its end, whatever was disabled; what is frozen it leaves alone, a tenth of the run.
        gc.freeze()


def _written_to(descriptor: int, text: bytes) -> bool:
    """Write all of *text*; whether somebody took it."""
    try:
        while text:
            text = text[os.write(descriptor, text) :]
    except OSError:
        return False
    return True


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
        print(f"{NAME}: unknown action: {printable(action, 40)}", file=stdout)
        return 1
    try:
        # A person who types "list" is not kept waiting for a standard input that it has no use for.
        request = b"" if action == "list" else _read(stdin)
        answer, reason = _ACTIONS[action](store if store is not None else _open(environ), request, clock())
    except _Refused as refused:
        _say(stderr, refused.reason)
        print(refused, file=stdout)
        return 1
    except Error as error:
        _say(stderr, _brief(error))
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
        print(f"{NAME}: {printable(reason, 1000)}", file=stderr)


def _brief(error: Error) -> str:
    """What went wrong and what to do, without the lines that underline a place: docker shows ours in the middle of its own."""
    message = str(error).partition("\n")[0]
    return f"{message}; {error.hint}" if error.hint else message


def _open(environ: Mapping[str, str]) -> Store:
    from registryauth.config import load
    from registryauth.stores import from_config

    return from_config(load(environ), environ)


def _get(store: Store, request: bytes, now: float) -> tuple[str, str]:
    server = _server(request)
    try:
        address = _address(server)
    except InvalidReference as error:
        raise _Refused(NOT_FOUND, _brief(error)) from None
    record = _held(store, address)
    if record is None:
        # docker asks for hosts only, and a credential for a path must not open the whole registry.
        what = "or a path above it" if address.path else "as a whole"
        raise _Refused(NOT_FOUND, f"nothing is stored for {address} {what}; log in with 'registryauth login {address.registry}'")
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
    address = _address(server)
    return _insisting(lambda: _put(store, address, username, secret, now))


def _insisting(write: Callable[[], tuple[str, str]]) -> tuple[str, str]:
    """What *write* gives, begun anew where somebody else wrote between its look and its write."""
    for _ in range(_MAX_CONFLICTS):
        try:
            return write()
        except Conflict:
            continue
    raise Conflict("the record is being written by others all the time", hint="try again")


def _put(store: Store, address: Address, username: str, secret: str, now: float) -> tuple[str, str]:
    there = store.at(address)
    if admin := next((record for record in there if record.made_by == "admin"), None):
        return "", f"{admin.key} was registered by an admin and stays, so this login was not kept; 'registryauth principal add' changes it"
    before = next((record for record in there if record.account == username), None)
    store.put(_written(before, address, username, secret, now), before.revision if before else 0)
    for other in there:
        if other.account != username and other.made_by == "docker":
            store.delete(other.key, other.revision)
    return "", ""


def _written(before: Principal | None, address: Address, username: str, secret: str, now: float) -> Principal:
    """The record of docker's login: the one that is there with another secret, or a new one."""
    said: dict[str, Any] = {
        "slots": (Slot(secret, added_at=int(now)),),
        "kind": "identity-token" if username == TOKEN_USERNAME else "user",
        "preferred_at": int(now * 1e6),
    }
    if before:
        return before.replace(**said, verified_at=0)
    return Principal(address, username, made_by="docker", created_at=int(now), **said)


def _erase(store: Store, request: bytes, _: float) -> tuple[str, str]:
    try:
        address = _address(_server(request))
    except InvalidReference as error:
        # Nothing can be there; clients of 2022 would not survive hearing that as a failure.
        return "", _brief(error)
    return _insisting(lambda: _delete(store, address))


def _delete(store: Store, address: Address) -> tuple[str, str]:
    kept = ""
    for record in store.at(address):
        if record.made_by == "admin":
            kept = f"{record.key} was registered by an admin and stays; it is removed with 'registryauth logout {record.address}'"
        else:
            store.delete(record.key, record.revision)
    return "", kept


def _list(store: Store, _request: bytes, _now: float) -> tuple[str, str]:
    names: dict[str, str] = {}
    for record in sorted(store.list(), key=lambda record: (record.preferred_at, record.revision)):
        if not record.address.path or _is_sub_key(record.address):
            names[server_key(record.address)] = record.account
    return json.dumps(names, ensure_ascii=False, sort_keys=True), ""


def server_key(address: Address) -> str:
    """The key under which docker knows *address*."""
    if address.registry.host == DOCKER_HUB:
        return DOCKER_HUB_KEY + address.path.removeprefix("v1/")
    return str(address)


def _server(request: bytes) -> str:
    """The server that a ``get`` or ``erase`` names, as written."""
    try:
        text = request.decode("utf-8").strip(" \t\r\n")
    except UnicodeDecodeError:
        raise _Refused("the server URL is not UTF-8") from None
    if not text:
        raise _Refused("no credentials server URL")
    # Docker's own reader joins lines, so that "good.example\nevil" becomes one name; CVE-2020-5260 is what comes of that.
    return _clean(text, "ServerURL")


def _address(server: str) -> Address:
    """What *server* means. It may look mistyped: docker was there already, and we send nothing."""
    host = re.sub(r"\Ahttps?://", "", server, flags=re.IGNORECASE).partition("/")[0].lower()
    return Address.parse(server, known=(re.sub(r":[0-9]+\Z", "", host),))


def _clean(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise _Refused(f"{name} is not a string")
    if re.search(CONTROL, value):
        raise _Refused(f"{name} holds a control character")
    return value


_ACTIONS: Mapping[str, Callable[[Store, bytes, float], tuple[str, str]]] = {"get": _get, "store": _store, "erase": _erase, "list": _list}

if __name__ == "__main__":
    sys.exit(main())
