"""Principals in one file under a passphrase, to carry them to another store. The format is in docs/import-export.md.

A bundle is a line that says what it is, a header line of JSON, and one JSON document sealed with AES-256-GCM under a key that
Argon2id makes of the passphrase. Both lines are bound to what is sealed: nothing in the file can be changed unseen.
"""

from __future__ import annotations

from registryauth._json import Node, load_json
from registryauth._value import Value
from registryauth.errors import ConfigurationError, InvalidReference, StoreCorrupt, StoreLocked, StoreUnavailable
from registryauth.principals.candidate import MAX_PRINCIPALS
from registryauth.reference import Address, Registry
from registryauth.stores import kdf, sealing
from registryauth.stores.header import fingerprint
from registryauth.stores.limits import canonical
from registryauth.stores.principal import Check, Consumer, Key, Principal, Slot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

#: What a bundle begins with; the number of its format follows, and a line end.
MAGIC = b"registryauth-bundle "
FORMAT = 1
#: Bytes of a whole bundle; 100,000 principals with secrets of the usual length have some 60 MiB.
MAX_BUNDLE = 64 * 1024 * 1024
#: Bytes of the header line; ours has about 250.
_MAX_HEADER = 4096
_CIPHER = "AES-256-GCM"
#: Characters of a new passphrase. A bundle can be guessed at for years by whoever has a copy of it.
MIN_PASSPHRASE = 12


def write_bundle(principals: Iterable[Principal], passphrase: str, now: float, *, described: Mapping[str, Any] | None = None) -> bytes:
    """A bundle of *principals*, made at *now*; *described* is how its key is derived, by default `kdf.describe_new`.

    Raise `ConfigurationError` for a passphrase that is too short, and for more than a bundle takes.
    """
    if len(passphrase) < MIN_PASSPHRASE:
        raise ConfigurationError(
            f"a bundle's passphrase has at least {MIN_PASSPHRASE} characters", hint="for example five words that nobody would put together"
        )
    described = dict(described or kdf.describe_new())
    key = kdf.derive(passphrase, described)
    document = canonical({"principals": [_plain(principal) for principal in principals]})
    header = canonical({"cipher": _CIPHER, "created_at": int(now), "kdf": described, "key_id": fingerprint(key)})
    head = MAGIC + b"%d\n%s\n" % (FORMAT, header)
    written = head + sealing.seal(key, document, head)
    if len(written) > MAX_BUNDLE:
        raise ConfigurationError(f"that is more than the {MAX_BUNDLE} bytes of a bundle", hint="name some of the registries at a time")
    return written


def read_bundle(data: bytes, passphrase: str, what: str = "the bundle") -> list[Principal]:
    """The principals in a bundle, without revisions; *what* names it.

    Raise `StoreLocked` for the wrong passphrase, `StoreCorrupt` for anything that is not as it was written, `StoreUnavailable`
    for what a later version wrote.
    """
    header, head, sealed = _opened(data, what)
    described = header.field("kdf").value
    key = kdf.derive(passphrase, described if isinstance(described, dict) else {})
    if fingerprint(key) != header.field("key_id").text():
        raise StoreLocked(f"that is not the passphrase of {what}, or its first lines were changed", hint="try again; nothing was imported")
    plain = sealing.unseal(key, sealed, head)
    if plain is None:
        raise _damaged(what, "what is sealed in it is not what was written")
    document = Node(load_json(plain, what, MAX_BUNDLE, error=StoreCorrupt), what, error=StoreCorrupt)
    found = [_principal(node) for node in document.field("principals").items()]
    if len(found) > MAX_PRINCIPALS:
        raise StoreUnavailable(f"{what} holds more than {MAX_PRINCIPALS} principals", hint="export fewer at a time")
    return found


def _opened(data: bytes, what: str) -> tuple[Node, bytes, bytes]:
    """The header, the two lines that are bound, and what is sealed."""
    if len(data) > MAX_BUNDLE:
        raise _damaged(what, f"it is larger than {MAX_BUNDLE} bytes")
    first, newline, rest = data.partition(b"\n") if data.startswith(MAGIC) else (b"", b"", b"")
    version = first.removeprefix(MAGIC)
    if not newline or not (version.isdigit() and len(version) < 9 and not version.startswith(b"0")):
        raise _damaged(what, "it does not begin as one")
    if int(version) > FORMAT:
        raise StoreUnavailable(f"{what} was written by a newer registryauth (format {int(version)})", hint="update registryauth")
    line, newline, sealed = rest.partition(b"\n")
    if not newline:
        raise _damaged(what, "its header has no end")
    header = Node(load_json(line, f"the header of {what}", _MAX_HEADER, error=StoreCorrupt), what, error=StoreCorrupt)
    if header.field("cipher").text() != _CIPHER:
        raise StoreUnavailable(f"{what} is sealed in a way that this registryauth does not know", hint="update registryauth")
    return header, data[: len(data) - len(sealed)], sealed


def _damaged(what: str, why: str) -> StoreCorrupt:
    return StoreCorrupt(
        f"{what} is not a bundle of registryauth, or it was cut short, damaged or tampered with: {why}",
        hint="nothing was imported; copy it again, or export it anew",
    )


def _plain(principal: Principal) -> dict[str, Any]:
    address = principal.address
    return {
        "registry": address.registry.host,
        "path": address.path,
        "account": principal.account,
        "metadata": principal.metadata(),
        "secrets": [slot.secret for slot in principal.slots],
    }


def _principal(node: Node) -> Principal:
    """The record in *node*; sealed by whoever has the passphrase, but perhaps by another program than ours."""
    registry, path, account = (node.field(name).text() for name in ("registry", "path", "account"))
    secrets = tuple(secret.text() for secret in node.field("secrets").items())
    metadata = node.field("metadata").value
    try:
        principal = Principal.restore(Key(_address(registry, path), account), _object(metadata), secrets, 0)
        _refuse_odd_types(principal)
    except (InvalidReference, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreCorrupt(
            f"{node.what}: {node.path} is no principal that this registryauth can keep", hint="nothing was imported; export it anew"
        ) from error
    return principal


def _address(registry: str, path: str) -> Address:
    """The address of parts that are canonical already; raise `ValueError` where they are not."""
    # It was registered under a name that looks mistyped, or it would not be here.
    known = (registry, registry.removeprefix("*."))
    address = Address.parse(f"{registry}/{path}" if path else registry, known=known, wildcard=True)
    if address != Address(Registry(registry), path):
        raise ValueError("not canonical")
    return address


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("no object")
    return value


def _refuse_odd_types(value: Value) -> None:
    """Raise `TypeError` unless every field of a record, and of what it is made of, has the type that it has in an empty one."""
    model, names = _MODELS[type(value)], value.__match_args__
    name: str
    for name in names:
        given, expected = getattr(value, name), getattr(model, name)
        if type(given) is not type(expected):
            raise TypeError(name)
        for part in given if isinstance(given, tuple) else ():
            if type(part) in _MODELS:
                _refuse_odd_types(part)
            elif not all(isinstance(text, str) for text in (part if isinstance(part, tuple) else (part,))):
                raise TypeError(name)


_MODELS: Mapping[type, Value] = {
    Principal: Principal(Address(Registry("")), "", ()),
    Slot: Slot(""),
    Check: Check("", (), (), "", 0),
    Consumer: Consumer("", "", 0, 0),
}
