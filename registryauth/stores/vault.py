"""Records in Vault or OpenBao: one entry of the key-value engine, version 2, for each; names as `names` has them.

Every write names the version that it was decided on, and fails if that is not the last one any more (check-and-set). The revision of
a record, microseconds of a clock and more than the one before, is in its entry. A removed record leaves an entry that says so: were
it gone, the engine would count versions from 1 again, and who still held an old one could write over a new record. The former
versions are destroyed.
"""

from __future__ import annotations

import time
from functools import cache

from registryauth._json import load_json
from registryauth._redact import printable
from registryauth.errors import Conflict, StoreCorrupt, StoreUnavailable
from registryauth.stores import limits
from registryauth.stores.names import entry_of, folder_of, read_entry, read_folder
from registryauth.stores.principal import Key, Principal, places
from registryauth.stores.remote import Unreachable
from registryauth.stores.vault_kv import Forbidden, segments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any

    from registryauth._json import Node
    from registryauth.reference import Address
    from registryauth.stores.vault_kv import Kv, Version

#: The version of the documents that we read and write.
FORMAT = 1

#: Writes of others that may come between our look and our write, where the caller wants to write in any case.
_ATTEMPTS = 64


class VaultStore:
    """Records below *prefix* in the key-value engine *kv*; nothing is asked before the first call. Safe for threads.

    `get` takes two requests, one for the names in a registry's folder and one for the record; one more where only a wildcard's
    folder has an answer, and one more for every further account at the same address. A token that may not list is enough where the
    account is named: then it takes one for each segment of the path. *notice* is told what did not work out beside what was asked.
    """

    conditional = True
    enumerable = True
    atomic = False

    def __init__(
        self,
        kv: Kv,
        *,
        prefix: str = "registryauth",
        notice: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = time.time,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        self._kv = kv
        self._close = close
        self._prefix = segments(prefix, "vault.prefix")
        self._notice = notice
        self._clock = clock

    def get(self, address: Address, account: str | None = None) -> Principal | None:
        """The most specific record at or above *address*; of several accounts there, *account* or the preferred one."""
        return limits.preferred(self.nearest(address, account))

    def nearest(self, address: Address, account: str | None = None) -> Sequence[Principal]:
        """Every account's record, or *account*'s, at the nearest place at or above *address* that has one."""
        return self.nearest_all([(address, account)])[0]

    def nearest_all(self, questions: Sequence[tuple[Address, str | None]]) -> Sequence[Sequence[Principal]]:
        """What `nearest` gives for each of *questions*, by one request for each folder and each record that it takes."""
        keys, record = cache(self._keys), cache(self.exact)
        return [self._nearest(*question, keys, record) for question in questions]

    def _nearest(
        self,
        address: Address,
        account: str | None,
        keys: Callable[[str], Sequence[Key]],
        exact: Callable[[Key], Principal | None],
    ) -> Sequence[Principal]:
        candidates = places(address)
        for host in dict.fromkeys(host for host, _ in candidates):
            paths = [path for name, path in candidates if name == host]
            try:
                there = keys(host)
            except Forbidden as error:
                if account is None:
                    raise Forbidden(error.message, hint=f"{error.hint}; where the account is named, nothing has to be listed") from error
                there = [Key.of(host, path, account) for path in paths]
            for path in paths:
                wanted = (key for key in there if key.address.path == path and account in (None, key.account))
                if found := [record for record in map(exact, wanted) if record is not None]:
                    return found
        return ()

    def exact(self, key: Key) -> Principal | None:
        """The record with exactly this key."""
        return self._record(key, self._kv.read(self._path(key)))

    def at(self, address: Address) -> Sequence[Principal]:
        """Every account's record at exactly *address*, ordered by account."""
        keys = [key for key in self._keys(address.registry.host) if key.address == address]
        return sorted(self._records(keys), key=lambda record: record.account)

    def put(self, principal: Principal, if_revision: int | None = None) -> Principal:
        """Write a record, and return it with its new revision, which its key never had before."""
        limits.refuse_unstorable(principal)
        key = principal.key
        for before in self._looks(key):
            limits.refuse_conflict(key, _revision(before), if_revision)
            written = principal.replace(revision=max(_last_revision(before) + 1, int(self._clock() * 1_000_000)))
            if self._kv.write(self._path(key), _document(written), before.number):
                return written
        raise _contended(key)

    def put_all(self, records: Iterable[tuple[Principal, int | None]]) -> list[Principal]:
        """Write records as `put` does, one after the other; what was written before one that fails stays."""
        wanted = list(records)
        for principal, _ in wanted:
            limits.refuse_unstorable(principal)
        return [self.put(principal, if_revision) for principal, if_revision in wanted]

    def delete(self, key: Key, if_revision: int | None = None) -> bool:
        """Remove a record, also one that cannot be read, and destroy its former versions; whether there was one."""
        for before in self._looks(key):
            limits.refuse_conflict(key, _revision(before), if_revision)
            if not _revision(before):
                return False
            removed = {"format": FORMAT, "removed": True, "revision": _last_revision(before)}
            if self._kv.write(self._path(key), removed, before.number):
                self._destroy(key, before.number)
                return True
        raise _contended(key)

    def list(self) -> list[Principal]:
        """Every record, ordered by registry, path and account, by a request for each folder and each record.

        Raise `Forbidden` where the token may not list.
        """
        folders = [name.removesuffix("/") for name in self._kv.names(self._prefix) if name.endswith("/")]
        hosts = sorted(host for host in map(read_folder, folders) if host is not None)
        return [
            record
            for host in hosts
            for record in sorted(self._records(self._keys(host)), key=lambda record: (record.address.path, record.account))
        ]

    def stamp(self) -> None:
        """Nothing: to ask costs as much as to read."""

    def status(self) -> dict[str, Any]:
        """What can be said without a token: backend, path, namespace, key (how we sign in), server (its version), sealed.

        The last two are empty and None where the server is `Unreachable`.
        """
        try:
            version, sealed = self._kv.server()
        except Unreachable:
            version, sealed = "", None
        path = "/".join((self._kv.place, *self._prefix))
        found = {"backend": "vault", "path": path, "exists": True, "namespace": self._kv.namespace, "key": self._kv.label}
        return found | {"server": version, "sealed": sealed}

    def close(self) -> None:
        """Close the connections."""
        self._close()

    def _path(self, key: Key) -> tuple[str, ...]:
        return (*self._prefix, folder_of(key.address.registry.host), entry_of(key))

    def _keys(self, host: str) -> Sequence[Key]:
        """The keys in *host*'s folder; what is not named as we name it is somebody else's."""
        entries = map(read_entry, self._kv.names((*self._prefix, folder_of(host))))
        return [Key.of(host, *entry) for entry in entries if entry is not None]

    def _looks(self, key: Key) -> Iterator[Version]:
        """The last version of *key*'s entry, and again for as long as others write between a look and its write."""
        for _ in range(_ATTEMPTS):
            yield self._kv.read(self._path(key))

    def _records(self, keys: Iterable[Key]) -> Sequence[Principal]:
        return [record for record in map(self.exact, keys) if record is not None]

    def _record(self, key: Key, version: Version) -> Principal | None:
        content = version.content
        if content is None or _is_removed(content):
            return None
        if content.field("format").whole() > FORMAT:
            raise StoreUnavailable(f"{printable(str(key))} was written by a newer registryauth", hint="update registryauth")
        revision = content.field("revision").whole()
        place = tuple(content.field(name).text() for name in ("registry", "path", "account"))
        secrets = tuple(secret.text() for secret in content.field("secrets").items())
        # An entry that was copied to another name would send a secret to another registry.
        mine = place == (key.address.registry.host, key.address.path, key.account)
        metadata = load_json(content.field("metadata").text().encode(), f"the record of {printable(str(key))}", error=StoreCorrupt)
        try:
            if mine and all(secrets) and revision > 0:
                return Principal.restore(key, metadata, secrets, revision)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            pass
        # Raised out here, so that no traceback leads back to the content.
        raise StoreCorrupt(
            f"the entry {'/'.join(self._path(key))} of {self._kv.place} is no record of {printable(str(key))}",
            hint="log in again to write it anew, or log out to remove it; and find out who could write there",
        )

    def _destroy(self, key: Key, last: int) -> None:
        try:
            self._kv.destroy(self._path(key), last)
        except Forbidden as error:
            self._notice(
                f"{printable(str(key))} was removed, but its former versions can still be read in the vault: {error.message};"
                f" somebody who may can destroy them: bao kv metadata delete {'/'.join((*self._kv.mount, *self._path(key)))}"
            )


def _document(record: Principal) -> dict[str, Any]:
    """What is written; the metadata as one text, because OpenBao limits how many there may be."""
    place = {"registry": record.address.registry.host, "path": record.address.path, "account": record.account}
    metadata, secrets = limits.canonical(record.metadata()).decode(), [slot.secret for slot in record.slots]
    return {"format": FORMAT, **place, "revision": record.revision, "metadata": metadata, "secrets": secrets}


def _is_removed(content: Node) -> bool:
    return isinstance(content.value, dict) and content.value.get("removed") is True


def _revision(version: Version) -> int:
    """The revision of the record in *version*; 0 where it was removed, or never was."""
    content = version.content
    # One that is there and has no revision can only be replaced, or removed, by who asks for none.
    return 0 if content is None or _is_removed(content) else _last_revision(version) or -1


def _last_revision(version: Version) -> int:
    """The revision that was given last, 0 where that cannot be told."""
    value = version.content.value if version.content else None
    revision = value.get("revision") if isinstance(value, dict) else None
    return revision if isinstance(revision, int) and 0 < revision < 2**62 else 0


def _contended(key: Key) -> Conflict:
    return Conflict(f"{printable(str(key))} is being written by others all the time; nothing was stored", hint="try again")
