"""The record that a store keeps: who may enter which registry, with which secret, until when."""

from __future__ import annotations

from registryauth._origin import Url
from registryauth._value import Value
from registryauth.credentials import Credential, IdentityToken, Pinned, from_login
from registryauth.reference import Address, Registry, wildcard_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

#: What a principal is (DESIGN §4): the words that `--kind` takes.
KINDS = ("service-principal", "acr-token", "admin-user", "robot", "user", "identity-token")

#: Who made a record: a record of an admin is never touched by docker (`store`, `erase`).
ORIGINS = ("admin", "login", "docker")

#: The label that says which way of signing in to Entra gave an identity token, so that the same way may give the next.
ENTRA_LABEL = "registryauth/entra"
#: Those that need a person there.
_BY_A_PERSON = ("device-code",)
#: Seconds before its end from which on such a token is renewed: what begins now, a long push for one, should also end with it.
RENEW_BEFORE = 1800


class Slot(Value, hidden=("secret",)):
    """One secret of a principal and its dates, in seconds since the epoch; 0 means "not said".

    *remove_after* is when a replaced secret may be retired. *serial* counts the secrets that the principal had, so that
    what was exported can be told from what is current. *key_id* is the issuer's own name for it (Entra's keyId).
    """

    secret: str
    added_at: int = 0
    expires_at: int = 0
    not_before: int = 0
    remove_after: int = 0
    serial: int = 0
    key_id: str = ""

    def is_due(self, now: float) -> bool:
        """Whether its dates allow its use at *now*."""
        return self.not_before <= now and (not self.expires_at or now < self.expires_at)


class Check(Value):
    """What a registry was seen to let a principal do in one *repository*, empty for the registry as a whole.

    *granted* and *refused* are actions (``pull``, ``push``, ``delete``, ``metadata_read``, ``catalog``); what is in neither
    could not be told without writing. *evidence* says in words whose word it is.
    """

    repository: str
    granted: tuple[str, ...]
    refused: tuple[str, ...]
    evidence: str
    checked_at: int


class Consumer(Value):
    """Somebody who was given the secret with *serial*: *target* is where it was written to, *format* in which shape."""

    target: str
    format: str
    serial: int
    written_at: int


class Principal(Value):
    """A registered account: the key (registry, path, account), what is known of it, and its secrets.

    *verified_at* is when the registry last accepted the secret, 0 if it never did or could not tell.
    *realm* is the token server confirmed at registration, a URL, empty where there is none.
    *preferred_at* orders accounts of one address: the highest is the default. *needed* are the actions it was registered
    for. *disabled_at* is when it was switched off, 0 if it is in use. *revision* counts writes.
    """

    address: Address
    account: str
    slots: tuple[Slot, ...]
    kind: str = "user"
    made_by: str = "login"
    tenant: str = ""
    owner: str = ""
    purpose: str = ""
    realm: str = ""
    insecure: bool = False
    created_at: int = 0
    verified_at: int = 0
    preferred_at: int = 0
    revision: int = 0
    cloud: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    needed: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    consumers: tuple[Consumer, ...] = ()
    disabled_at: int = 0
    updated_at: int = 0

    @property
    def key(self) -> Key:
        """What identifies the record in a store."""
        return Key(self.address, self.account)

    @property
    def pending(self) -> Slot | None:
        """The next secret while a rotation verifies it: second, newer than the current one, and handed to nobody yet."""
        return self.slots[1] if len(self.slots) > 1 and self.slots[1].serial > self.slots[0].serial else None

    @property
    def replaced(self) -> Slot | None:
        """The secret that was current before, kept until its consumers have the new one."""
        return self.slots[1] if len(self.slots) > 1 and self.pending is None else None

    @property
    def next_serial(self) -> int:
        """The serial for one more secret."""
        return max((slot.serial for slot in self.slots), default=0) + 1

    def renewed(self, given: Slot, now: float) -> tuple[Slot, ...]:
        """The slots once *given* is the current secret, without a rotation: what was current is gone.

        A secret that was current already keeps its serial, its neighbour, and the dates that *given* does not say. A secret
        that a rotation replaced stays as long as it said it would.
        """
        if self.slots and self.slots[0].secret == given.secret:
            was = self.slots[0]
            said = {name: getattr(given, name) or getattr(was, name) for name in ("expires_at", "not_before")}
            return (was.replace(**said), *self.slots[1:])
        old = self.replaced
        stays = (old,) if old and old.remove_after > now and old.secret != given.secret else ()
        return (given.replace(serial=self.next_serial), *stays)

    def slot(self, now: float) -> Slot:
        """The secret to use at *now*: the first one in its dates, else the first; never `pending`."""
        return self.slots[self._current(now)]

    def credential(self, now: float) -> Credential:
        """The credential to present at *now*."""
        return self._credential(self.slot(now))

    def pinned(self, now: float) -> Pinned:
        """The credential with the token server that it was registered for."""
        return self._pinned(self._current(now))

    def candidates(self, now: float) -> tuple[Pinned, ...]:
        """What `pinned` gives, and after it the other secret, if that is within its dates (DESIGN §4.10)."""
        current = self._current(now)
        others = (at for at, slot in enumerate(self._usable) if at != current and slot.is_due(now))
        return tuple(self._pinned(at) for at in (current, *others))[:2]

    @property
    def _usable(self) -> tuple[Slot, ...]:
        return self.slots[:1] if self.pending else self.slots

    def _current(self, now: float) -> int:
        return next((at for at, slot in enumerate(self._usable) if slot.is_due(now)), 0)

    def _credential(self, slot: Slot) -> Credential:
        return IdentityToken(slot.secret) if self.kind == "identity-token" else from_login(self.account, slot.secret)

    def _pinned(self, at: int) -> Pinned:
        realms = (Url.parse(self.realm).origin,) if self.realm else ()
        identity = f"store:{self.address}:{self.account}:{at}:{self.revision}"
        return Pinned(self._credential(self.slots[at]), identity, realms, self.insecure)

    @property
    def renews_by(self) -> str:
        """The way of signing in to Entra that gives the next secret when one is due, and asks nobody; empty if there is none."""
        way = dict(self.labels).get(ENTRA_LABEL, "") if self.labels and self.kind == "identity-token" else ""
        return "" if way in _BY_A_PERSON else way

    def renewed_by(self, now: float) -> str:
        """`renews_by`, if the next secret is due at *now*; empty otherwise."""
        expires_at = self.slot(now).expires_at
        return self.renews_by if expires_at and expires_at - now < RENEW_BEFORE else ""

    def metadata(self) -> dict[str, Any]:
        """Everything but key, revision and secrets, as plain data: what a store writes beside the sealed secrets."""
        said = {name: getattr(self, name) for name in _PLAIN} | {name: list(getattr(self, name)) for name in _LISTS if getattr(self, name)}
        for name, part in _PARTS.items():
            if values := getattr(self, name):
                said[name] = [dict(zip(part.__match_args__, value._fields(), strict=True)) for value in values]
        if self.labels:
            said["labels"] = dict(self.labels)
        return said | {"slots": [{name: getattr(slot, name) for name in _DATES} for slot in self.slots]}

    @classmethod
    def restore(cls, key: Key, metadata: Mapping[str, Any], secrets: tuple[str, ...], revision: int) -> Principal:
        """The record that `metadata` was taken from; unknown entries, from a later version, are dropped.

        Raise `ValueError`, `KeyError` or `TypeError` where *metadata* is not ours.
        """
        said = {name: metadata[name] for name in _PLAIN if name in metadata}
        said |= {name: tuple(map(str, metadata[name])) for name in _LISTS if name in metadata}
        for name, part in _PARTS.items():
            if name in metadata:
                said[name] = tuple(_part(part, value) for value in metadata[name])
        if "labels" in metadata:
            said["labels"] = tuple(sorted(metadata["labels"].items()))
        slots = tuple(
            Slot(secret, **{name: dates[name] for name in _DATES if name in dates})
            for secret, dates in zip(secrets, metadata["slots"], strict=True)
        )
        return cls(key.address, key.account, slots, revision=revision, **said)


_PLAIN = (
    "kind", "made_by", "tenant", "cloud", "owner", "purpose", "realm", "insecure",
    "created_at", "updated_at", "verified_at", "preferred_at", "disabled_at",
)  # fmt: skip
_LISTS = ("needed",)
_PARTS: dict[str, type[Value]] = {"checks": Check, "consumers": Consumer}
_DATES = ("added_at", "expires_at", "not_before", "remove_after", "serial", "key_id")


def _part(part: type[Value], said: Mapping[str, Any]) -> Value:
    """A *part* of a record from plain data; what a later version added to it is dropped."""
    names: tuple[str, ...] = part.__match_args__
    values = ((name, said[name]) for name in names if name in said)
    return part(**{name: tuple(value) if isinstance(value, list) else value for name, value in values})


class Key(Value):
    """What identifies a record: (registry, path, account)."""

    address: Address
    account: str

    @classmethod
    def of(cls, registry: str, path: str, account: str) -> Key:
        """The key of already canonical parts, as a store kept them."""
        return cls(Address(Registry(registry), path), account)

    def __str__(self) -> str:
        return f"{self.account} at {self.address}"


def places(address: Address) -> list[tuple[str, str]]:
    """Where a record for *address* may stand, the nearest first: (registry, path), each path by whole segments.

    A wildcard host (`*` for exactly one leftmost label) comes after every path of the host itself.
    """
    host, paths = address.registry.host, prefixes(address.path)
    wildcard = wildcard_of(host)
    return [(name, path) for name in (host, *([wildcard] if wildcard else [])) for path in paths]


def prefixes(path: str) -> list[str]:
    """*path* and its parents by whole segments, longest first, down to the registry itself."""
    found = [path] if path else []
    while "/" in path:
        path = path.rpartition("/")[0]
        found.append(path)
    return [*found, ""]
