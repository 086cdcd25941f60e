"""Records in Azure Key Vault: one secret for each, as the REST API, version 7.4, has it.

https://learn.microsoft.com/rest/api/keyvault/secrets/operation-groups?view=rest-keyvault-secrets-7.4

Key Vault has no conditional write: two writers at the same moment lose one of the two writes, and what must not be lost (a rotation)
is refused by its caller, who reads `conditional`. A removed secret keeps its name for as long as the vault retains it; its last
version is made to say that it was removed, so that nothing old comes back when a new record recovers the name.
"""

from __future__ import annotations

import json
import re
import time
from functools import cache

from registryauth._json import Node, load_json
from registryauth._redact import printable
from registryauth.errors import ConfigurationError, StoreCorrupt, StoreError, StoreLocked, StoreUnavailable
from registryauth.stores import limits
from registryauth.stores.principal import Key, Principal, places
from registryauth.stores.remote import said_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any

    from registryauth.reference import Address
    from registryauth.stores.remote import Answer, Remote, Token

API = "api-version=7.4"
#: The version of the documents that we read and write.
FORMAT = 1
#: https://learn.microsoft.com/azure/key-vault/secrets/about-secrets: "a maximum size of 25k bytes each".
MAX_VALUE = 25 * 1024
#: Bytes of UTF-8: what is sure to fit with its metadata, in JSON.
MAX_SECRET = 8 * 1024
#: 127 characters, less two hyphens and two hashes of 24 digits each.
_MAX_PREFIX = 127 - 2 * 25
#: Pages of 25 secrets each.
_MAX_PAGES = 2000
#: Seconds that a recovery, or a removal, may take; the service says "usually seconds".
_PATIENCE = 30.0
_PAUSE = 1.0
#: Why a name cannot be written just now (``innererror`` of a 409).
_PASSING = ("ObjectIsDeletedButRecoverable", "ObjectIsBeingDeleted", "ObjectIsBeingRecovered")
_TYPE = "application/vnd.registryauth.record+json"


class AzureKeyVaultStore:
    """Secrets called ``PREFIX-PLACE-ACCOUNT`` in the vault *remote*, the last two the start of a SHA-256; *token* gives what to present.

    `get` asks for the list of the vault's names, a request for 25 of them, and for the record; where the account is named, for one
    secret at each segment of the path instead. *clock* gives seconds since the epoch; *sleep* waits for a name to become free.
    """

    conditional = False
    enumerable = True
    atomic = False
    max_secret = MAX_SECRET

    def __init__(
        self,
        remote: Remote,
        token: Token,
        *,
        prefix: str = "registryauth",
        label: str = "the token",
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        if not re.fullmatch(rf"[0-9A-Za-z][0-9A-Za-z-]{{0,{_MAX_PREFIX - 1}}}", prefix):
            raise ConfigurationError(
                f"azure_key_vault.prefix is no start of a secret's name: {printable(prefix, 80)}",
                key="azure_key_vault.prefix",
                hint=f"1 to {_MAX_PREFIX} letters, digits and hyphens",
            )
        self._remote, self._token = remote, token
        # Names are the same in capitals and without.
        self._prefix, self._label = prefix.lower(), label
        self._clock, self._sleep, self._close = clock, sleep, close

    def get(self, address: Address, account: str | None = None) -> Principal | None:
        """The most specific record at or above *address*; of several accounts there, *account* or the preferred one."""
        return limits.preferred(self.nearest(address, account))

    def nearest(self, address: Address, account: str | None = None) -> Sequence[Principal]:
        """Every account's record, or *account*'s, at the nearest place at or above *address* that has one."""
        return self.nearest_all([(address, account)])[0]

    def nearest_all(self, questions: Sequence[tuple[Address, str | None]]) -> Sequence[Sequence[Principal]]:
        """What `nearest` gives for each of *questions*; the names are listed once at most, and each secret read once."""
        names, at = cache(self._names), cache(lambda start: self._records(_at(names(), start)))
        exact = cache(self.exact)
        return [self._nearest(*question, at, exact) for question in questions]

    def _nearest(
        self,
        address: Address,
        account: str | None,
        at: Callable[[str], Sequence[Principal]],
        exact: Callable[[Key], Principal | None],
    ) -> Sequence[Principal]:
        for host, path in places(address):
            if account is not None:
                single = exact(Key.of(host, path, account))
                found: Sequence[Principal] = [single] if single else ()
            else:
                found = at(f"{self._prefix}-{_hash(host, path)}-")
            if found:
                return found
        return ()

    def exact(self, key: Key) -> Principal | None:
        """The record with exactly this key."""
        record, _ = self._read(self._name(key))
        return record if record is not None and record.key == key else None

    def at(self, address: Address) -> Sequence[Principal]:
        """Every account's record at exactly *address*, ordered by account."""
        names = _at(self._names(), f"{self._prefix}-{_hash(address.registry.host, address.path)}-")
        return sorted(self._records(names), key=lambda record: record.account)

    def put(self, principal: Principal, if_revision: int | None = None) -> Principal:
        """Write a record, and return it with its new revision: microseconds of the clock, and more than the one before.

        *if_revision* is compared with what a look before the write found; a write in between is not noticed.
        """
        limits.refuse_unstorable(principal)
        for slot in principal.slots:
            if len(slot.secret.encode()) > MAX_SECRET:
                raise StoreError(
                    f"the secret of {printable(str(principal.key))} is longer than the {MAX_SECRET} bytes that Key Vault has room for",
                    hint="keep that one in another store",
                )
        for _ in self._attempts(principal.key):
            _, stored = self._look(principal.key)
            limits.refuse_conflict(principal.key, max(stored, 0), if_revision)
            written = principal.replace(revision=max(abs(stored) + 1, int(self._clock() * 1_000_000)))
            if self._write(self._name(principal.key), written):
                return written
        raise AssertionError("attempts end with an error")

    def put_all(self, records: Iterable[tuple[Principal, int | None]]) -> list[Principal]:
        """Write records as `put` does, one after the other; what was written before one that fails stays."""
        wanted = list(records)
        for principal, _ in wanted:
            limits.refuse_unstorable(principal)
        return [self.put(principal, if_revision) for principal, if_revision in wanted]

    def delete(self, key: Key, if_revision: int | None = None) -> bool:
        """Remove a record, also one that cannot be read; whether there was one. *if_revision* counts as for `put`."""
        name = self._name(key)
        for _ in self._attempts(key):
            there, stored = self._look(key)
            limits.refuse_conflict(key, max(stored, 0), if_revision)
            if not there:
                return False
            if stored < 0 or self._set(name, {"format": FORMAT, "removed": True, "revision": stored}, {}, key):
                answer = self._ask("DELETE", f"/secrets/{name}")
                if answer.status not in (200, 404):
                    raise self._refusal(answer, "remove", key)
                return stored >= 0
        raise AssertionError("attempts end with an error")

    def list(self) -> list[Principal]:
        """Every record, ordered by registry, path and account: a request for 25 names of the vault, and one for each record."""
        found = self._records(name for name in self._names() if re.fullmatch(rf"{self._prefix}-[0-9a-f]{{24}}-[0-9a-f]{{24}}", name))
        return sorted(found, key=lambda each: (each.address.registry.host, each.address.path, each.account))

    def stamp(self) -> None:
        """Nothing: to ask costs as much as to read."""

    def status(self) -> dict[str, Any]:
        """What can be said without a token: backend, path, key (how we sign in)."""
        return {"backend": "azure-key-vault", "path": f"{self._remote.base}/secrets/{self._prefix}-*", "exists": True, "key": self._label}

    def close(self) -> None:
        """Close the connections."""
        self._close()

    def _name(self, key: Key) -> str:
        return f"{self._prefix}-{_hash(key.address.registry.host, key.address.path)}-{_hash(key.account)}"

    def _names(self) -> Sequence[str]:
        """The names of the vault's secrets, page by page (Get Secrets)."""
        found: list[str] = []
        target = "/secrets"
        for _ in range(_MAX_PAGES):
            answer = self._ask("GET", target)
            if answer.status != 200:
                raise self._refusal(answer, "list", None)
            ids = [each.field("id").text() for each in answer.body.field("value").items()]
            found += [name.rpartition("/")[2].lower() for name in ids]
            link = answer.body.field("nextLink").text()
            if not link:
                return [name for name in found if name.startswith(f"{self._prefix}-")]
            target = self._below(link)
        raise StoreUnavailable(
            f"{self._remote.name} has more than {_MAX_PAGES * 25} secrets", hint="use a vault of its own for registryauth"
        )

    def _below(self, link: str) -> str:
        """What the next page's URL asks of this vault; raise `StoreUnavailable` where it is another's, and would get our token."""
        url = self._remote.base.join(link)
        if url.origin != self._remote.base.origin:
            raise StoreUnavailable(
                f"{self._remote.name} sends us elsewhere for its next page, which is not followed with a token",
                hint="is that the vault's address?",
            )
        return url.target

    def _records(self, names: Iterable[str]) -> Sequence[Principal]:
        return [record for name in names if (record := self._read(name)[0]) is not None]

    def _look(self, key: Key) -> tuple[bool, int]:
        """Whether there is a secret, and its revision: negative for a record that was removed, 0 where there is none."""
        name = self._name(key)
        try:
            record, revision = self._read(name)
        except StoreCorrupt:
            # What cannot be read can be replaced, or removed, by who asks for no revision.
            return True, int(self._clock() * 1_000_000)
        return revision != 0, revision if record else -revision

    def _read(self, name: str) -> tuple[Principal | None, int]:
        """The record in the secret *name*, None where there is none, and the revision that it has, or had when it was removed."""
        answer = self._ask("GET", f"/secrets/{name}")
        if answer.status == 404:
            return None, 0
        if answer.status != 200:
            raise self._refusal(answer, "read", None)
        text = answer.body.field("value").text()
        document = Node(load_json(text.encode(), f"the secret {name}", error=StoreCorrupt), f"the secret {name}", error=StoreCorrupt)
        if document.field("format").whole() > FORMAT:
            raise StoreUnavailable(f"the secret {name} was written by a newer registryauth", hint="update registryauth")
        revision = document.field("revision").whole()
        if document.field("removed").value is True:
            return None, revision
        return self._restored(name, document, revision), revision

    def _restored(self, name: str, document: Node, revision: int) -> Principal:
        secrets = tuple(secret.text() for secret in document.field("secrets").items())
        key = Key.of(*(document.field(part).text() for part in ("registry", "path", "account")))
        try:
            # A secret that was copied to another name would be sent to another registry.
            if self._name(key).lower() == name.lower() and all(secrets) and revision > 0:
                return Principal.restore(key, document.field("metadata").value or {}, secrets, revision)  # type: ignore[arg-type] # what is none is caught
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            pass
        # Raised out here, so that no traceback leads back to the content.
        raise StoreCorrupt(
            f"the secret {name} of {self._remote.name} is no record that registryauth wrote",
            hint="log in again to write it anew, or log out to remove it; and find out who could write there",
        )

    def _attempts(self, key: Key) -> Iterator[None]:
        """One for each time that the name may be waited for; then `StoreUnavailable`."""
        for waited in range(int(_PATIENCE / _PAUSE)):
            if waited:
                self._sleep(_PAUSE)
            yield
        raise StoreUnavailable(
            f"{self._remote.name} has been removing or recovering {printable(str(key))} for {_PATIENCE:.0f} s", hint="try again in a minute"
        )

    def _write(self, name: str, record: Principal) -> bool:
        key = record.key
        place = {"registry": key.address.registry.host, "path": key.address.path, "account": key.account}
        secrets = [slot.secret for slot in record.slots]
        document = {"format": FORMAT, **place, "revision": record.revision, "metadata": record.metadata(), "secrets": secrets}
        # What people see in the portal; 256 characters at most, and nothing is decided by it.
        return self._set(name, document, {part: printable(text, 200) for part, text in place.items()}, key)

    def _set(self, name: str, document: dict[str, Any], tags: dict[str, str], key: Key) -> bool:
        """Set Secret; False where the name is not free yet, and another look is due once it is: what it held counts."""
        value = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        if len(value.encode()) > MAX_VALUE:
            raise StoreError(
                f"the record of {printable(str(key))} has more than the {MAX_VALUE} bytes that a secret in Key Vault may have",
                hint="shorten its purpose and labels, or keep it in another store",
            )
        answer = self._ask("PUT", f"/secrets/{name}", {"value": value, "contentType": _TYPE, "tags": tags})
        if answer.status == 200:
            return True
        state = answer.body.field("error").field("innererror").field("code").text()
        if answer.status != 409 or state not in _PASSING:
            raise self._refusal(answer, "write", key)
        if state == "ObjectIsDeletedButRecoverable":
            self._recover(name, key)
        return False

    def _recover(self, name: str, key: Key) -> None:
        """Recover Deleted Secret: the name is of no use until then."""
        answer = self._ask("POST", f"/deletedsecrets/{name}/recover")
        if answer.status not in (200, 404, 409):
            said = said_in(answer.body) or f"status {answer.status}"
            raise StoreUnavailable(
                f"the name of {printable(str(key))} is taken by a removed secret that we may not recover ({said})",
                hint=f"grant the right to recover, or purge it: az keyvault secret purge --vault-name VAULT --name {name}",
            )

    def _ask(self, method: str, target: str, document: object = None) -> Answer:
        target = target if "?" in target else f"{target}?{API}"
        token = self._token("")
        answer = self._remote.ask(method, target, (("authorization", f"Bearer {token}"),), document)
        if answer.status == 401 and (other := self._token(token)) != token:
            answer = self._remote.ask(method, target, (("authorization", f"Bearer {other}"),), document)
        return answer

    def _refusal(self, answer: Answer, verb: str, key: Key | None) -> StoreLocked | StoreUnavailable:
        """Key Vault's errors: https://learn.microsoft.com/azure/key-vault/general/rest-error-codes."""
        said = said_in(answer.body)
        what = f"{verb} {printable(str(key))}" if key else f"{verb} secrets"
        reason = f": {said}" if said else ""
        match answer.status, answer.body.field("error").field("innererror").field("code").text():
            case 401, _:
                hint = "is it of the vault's tenant? AZURE_TENANT_ID, AZURE_CLIENT_ID and what goes with them say who we are"
                return StoreLocked(f"{self._remote.name} did not accept {self._label}{reason}", hint=hint)
            case 403, "ForbiddenByFirewall" | "ForbiddenByConnection":
                return StoreLocked(
                    f"the firewall of {self._remote.name} keeps us out{reason}", hint="add this network, or use the private endpoint"
                )
            case 403, _:
                hint = 'it takes the role "Key Vault Secrets Officer" to write, "Key Vault Secrets User" to read'
                return StoreLocked(f"{self._label} may not {what} in {self._remote.name}{reason}", hint=hint)
            case status, _:
                return StoreUnavailable(
                    f"{self._remote.name} refused to {what} (status {status}{reason})", hint="try again; docs/backends.md has the limits"
                )


def _at(names: Iterable[str], start: str) -> list[str]:
    return [name for name in names if name.startswith(start)]


def _hash(*parts: str) -> str:
    """96 bits of a SHA-256 over *parts*, which are told apart by their lengths."""
    import hashlib

    from registryauth.stores.sealing import joined

    return hashlib.sha256(joined(*(part.encode("utf-8", "surrogatepass") for part in parts))).hexdigest()[:24]
