"""The record that a store keeps: who may enter which registry, with which secret, until when."""

from __future__ import annotations

from registryauth._origin import Url
from registryauth._value import Value
from registryauth.credentials import Credential, IdentityToken, Pinned, from_login
from registryauth.reference import Address, Registry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

#: What a principal is (DESIGN §4): the words that `--kind` takes.
KINDS = ("service-principal", "acr-token", "admin-user", "robot", "user", "identity-token")

#: Who made a record: a record of an admin is never touched by docker (`store`, `erase`).
ORIGINS = ("admin", "login", "docker")


class Slot(Value, hidden=("secret",)):
    """One secret of a principal and its dates, in seconds since the epoch; 0 means "not said"."""

    secret: str
    added_at: int = 0
    expires_at: int = 0
    not_before: int = 0


class Principal(Value):
    """A registered account: the key (registry, path, account), what is known of it, and its secrets.

    *verified_at* is when the registry last accepted the secret, 0 if it never did or could not tell.
    *realm* is the token server confirmed at registration, a URL, empty where there is none.
    *preferred_at* orders accounts of one address: the highest is the default. *revision* counts writes.
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

    @property
    def key(self) -> Key:
        """What identifies the record in a store."""
        return Key(self.address, self.account)

    def slot(self, now: float) -> Slot:
        """The secret to use at *now*: the first one in its dates, else the first."""
        for slot in self.slots:
            if slot.not_before <= now and (not slot.expires_at or now < slot.expires_at):
                return slot
        return self.slots[0]

    def credential(self, now: float) -> Credential:
        """The credential to present at *now*."""
        secret = self.slot(now).secret
        return IdentityToken(secret) if self.kind == "identity-token" else from_login(self.account, secret)

    def pinned(self, now: float) -> Pinned:
        """The credential with the token server that it was registered for."""
        slot = self.slots.index(self.slot(now))
        realms = (Url.parse(self.realm).origin,) if self.realm else ()
        return Pinned(self.credential(now), f"store:{self.address}:{self.account}:{slot}:{self.revision}", realms, self.insecure)

    def metadata(self) -> dict[str, Any]:
        """Everything but key, revision and secrets, as plain data: what a store writes beside the sealed secrets."""
        dates = [{"added_at": s.added_at, "expires_at": s.expires_at, "not_before": s.not_before} for s in self.slots]
        return {name: getattr(self, name) for name in _PLAIN} | {"slots": dates}

    @classmethod
    def restore(cls, key: Key, metadata: Mapping[str, Any], secrets: tuple[str, ...], revision: int) -> Principal:
        """The record that `metadata` was taken from; unknown entries, from a later version, are dropped.

        Raise `ValueError`, `KeyError` or `TypeError` where *metadata* is not ours.
        """
        plain = {name: metadata[name] for name in _PLAIN if name in metadata}
        slots = tuple(Slot(secret, **{k: int(dates[k]) for k in _DATES}) for secret, dates in zip(secrets, metadata["slots"], strict=True))
        return cls(key.address, key.account, slots, revision=revision, **plain)


_PLAIN = ("kind", "made_by", "tenant", "owner", "purpose", "realm", "insecure", "created_at", "verified_at", "preferred_at")
_DATES = ("added_at", "expires_at", "not_before")


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


def prefixes(path: str) -> list[str]:
    """*path* and its parents by whole segments, longest first, down to the registry itself."""
    found = [path] if path else []
    while "/" in path:
        path = path.rpartition("/")[0]
        found.append(path)
    return [*found, ""]
