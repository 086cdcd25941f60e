"""``docker-credential-registryauth``: Docker's credential helper protocol, to the letter.

https://github.com/docker/docker-credential-helpers (credentials/credentials.go, credentials/error.go). What clients
do with an answer decides its form: "not found" is one exact text on stdout; every other failure is swallowed by
docker, so its reason also goes to stderr, which docker and skopeo pass through; ``erase`` of nothing is no failure,
because clients of 2022 loop until their stack overflows when it is.

Answers come from our store, and for a configured workspace's registry from Azure, never from docker's or containers' own files,
so there is no loop. What an admin registered is neither overwritten nor erased.
"""

from __future__ import annotations

import json
import re
import sys
import time

from registryauth import __version__
from registryauth._grammar import CONTROL
from registryauth._lookup import Lookup
from registryauth._program import brief, serve
from registryauth._redact import printable
from registryauth.credentials import TOKEN_USERNAME, to_login
from registryauth.errors import Error, InvalidReference
from registryauth.reference import DOCKER_HUB, DOCKER_HUB_KEY, Address
from registryauth.stores.choice import Choice
from registryauth.stores.principal import Principal, Slot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, BinaryIO, TextIO

    from registryauth.credentials import Credential
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
    return serve(run)


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
    if action not in ("get", *_ACTIONS):
        print(f"{NAME}: unknown action: {printable(action, 40)}", file=stdout)
        return 1
    try:
        # A person who types "list" is not kept waiting for a standard input that it has no use for.
        request = b"" if action == "list" else _read(stdin)
        lookup = Lookup(environ, f"docker helper {action}", lambda text: _say(stderr, text), store)
        now = clock()
        answer, reason = _get(lookup, request, now) if action == "get" else _ACTIONS[action](lookup.store, request, now)
    except _Refused as refused:
        _say(stderr, refused.reason)
        print(refused, file=stdout)
        return 1
    except Error as error:
        _say(stderr, brief(error))
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


def _get(lookup: Lookup, request: bytes, now: float) -> tuple[str, str]:
    server = _server(request)
    try:
        address = _address(server)
    except InvalidReference as error:
        raise _Refused(NOT_FOUND, brief(error)) from None
    held = _held(lookup, address)
    if held.record is None:
        credential = None if held.disabled else lookup.of_workspace(address)
        if credential is None:
            raise _Refused(NOT_FOUND, lookup.reason(held, address))
        return _answer(server, credential), ""
    record = lookup.renewed(held.record, now)
    return _answer(server, record.credential(now)), _about_its_dates(record, now, lookup)


def _answer(server: str, credential: Credential) -> str:
    username, secret = to_login(credential)
    return json.dumps({"ServerURL": server, "Username": username, "Secret": secret}, ensure_ascii=False)


def _about_its_dates(record: Principal, now: float, lookup: Lookup) -> str:
    """What there is to say of when the secret was, is or will be good; empty where it is, and will be for a while."""
    slot = record.slot(now)
    if slot.expires_at and slot.expires_at <= now:
        return f"the credential of {record.account} for {record.address} has expired: log in again"
    # A token that renews itself in hours needs no word about its end.
    if (not slot.expires_at or record.renews_by) and slot.not_before <= now:
        return ""
    from registryauth.stores.expiry import too_early, warning, warning_span

    said = too_early(record.account, record.address, slot, now)
    said = said or warning(record.account, record.address, slot.expires_at, now, warning_span(lookup.config))
    return f"warning: {said}" if said else ""


def _held(lookup: Lookup, address: Address) -> Choice:
    """The record that answers for *address*: never a deeper one, and for a sub-key of Docker Hub only its own.

    Raise `AmbiguousCredential` where several accounts would do.
    """
    choice = lookup.choice(address)
    if choice.record is not None and _is_sub_key(address) and choice.record.address != address:
        return Choice(None)
    return choice


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
    from registryauth.stores.revisions import insist

    return insist(write)


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
    slot = Slot(secret, added_at=int(now), expires_at=_expiry_of(secret), serial=1)
    said: dict[str, Any] = {
        "slots": before.renewed(slot, now) if before else (slot,),
        "kind": "identity-token" if username == TOKEN_USERNAME else "user",
        "preferred_at": int(now * 1e6),
        "updated_at": int(now),
    }
    if before:
        return before.replace(**said, verified_at=0)
    return Principal(address, username, made_by="docker", created_at=int(now), **said)


def _expiry_of(secret: str) -> int:
    """When a token that is a JWT says that it dies, 0 for everything else."""
    if secret.count(".") != 2:
        return 0
    from registryauth.auth.exchange import expiry_of

    return expiry_of(secret)


def _erase(store: Store, request: bytes, _: float) -> tuple[str, str]:
    try:
        address = _address(_server(request))
    except InvalidReference as error:
        # Nothing can be there; clients of 2022 would not survive hearing that as a failure.
        return "", brief(error)
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
        if not record.disabled_at and (not record.address.path or _is_sub_key(record.address)):
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


_ACTIONS: Mapping[str, Callable[[Store, bytes, float], tuple[str, str]]] = {"store": _store, "erase": _erase, "list": _list}

if __name__ == "__main__":
    sys.exit(main())
