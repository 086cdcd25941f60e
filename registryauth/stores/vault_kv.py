"""Vault's and OpenBao's key-value engine, version 2, over HTTP: read, write by check-and-set, list, destroy.

https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2 and https://openbao.org/api-docs/secret/kv/kv-v2/
"""

from __future__ import annotations

import re

from registryauth._http import MAX_ERROR_BODY, Response
from registryauth._json import Node
from registryauth._redact import printable
from registryauth._value import Value
from registryauth.errors import ConfigurationError, StoreCorrupt, StoreLocked, StoreUnavailable
from registryauth.stores.remote import Answer, said_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from registryauth._http import Request
    from registryauth._http.messages import Transport
    from registryauth.stores.remote import Remote, Token

#: Versions to destroy at most with a removed record, counted back from the last; the engine keeps 10 unless told otherwise.
_MAX_VERSIONS = 1000

#: What a policy must allow for what we do.
_CAPABILITY = {"GET": "read", "LIST": "list", "POST": "create and update", "PUT": "update"}


class Forbidden(StoreLocked):
    """The token is good, and its policies do not allow this."""


class Version(Value, hidden=("content",)):
    """The last version of an entry: its *number*, 0 where there never was one, and its *content*, None if that was deleted."""

    number: int
    content: Node | None = None


class Kv:
    """The engine mounted at *mount* in *namespace*; entries are named by the segments of their path.

    *label* says in messages what *token* gives, and *remedy* what to do where it is not accepted. Every method raises
    `Unreachable`, `StoreUnavailable`, and `StoreLocked` for a token that is not accepted, `Forbidden` where it is.
    """

    def __init__(
        self, remote: Remote, token: Token, *, mount: str, namespace: str = "", label: str = "the token", remedy: str = ""
    ) -> None:
        self.mount = segments(mount, "vault.mount")
        if not self.mount:
            raise ConfigurationError("vault.mount is empty", key="vault.mount", hint="name where a key-value engine is mounted: secret")
        self.namespace = namespace.strip("/")
        self.label = label
        self._remote = remote
        self._token = token
        self._remedy = remedy
        self._is_version_2 = False

    @property
    def place(self) -> str:
        """Where the engine is, for people."""
        return f"{self._remote.base}/v1/{'/'.join(self.mount)}"

    def read(self, path: Sequence[str]) -> Version:
        """The last version of the entry at *path*."""
        answer = self._ask("GET", "data", path)
        metadata = answer.body.field("data").field("metadata")
        if answer.status == 404:
            if not metadata:
                self._require_version_2()
            # A version that was deleted is there for the one that counts them.
            return Version(metadata.field("version").whole())
        if not metadata.field("version"):
            raise self._not_version_2()
        content = answer.body.field("data").field("data")
        held = Node(content.value, f"the entry {'/'.join(path)} of {self.place}", error=StoreCorrupt) if content else None
        return Version(metadata.field("version").whole(), held)

    def write(self, path: Sequence[str], document: dict[str, Any], cas: int) -> int | None:
        """Write *document* over version *cas*, 0 for none; give its number, None where *cas* is not the last version (any more).

        Only after a `read`, which finds out whether this is an engine that checks *cas* at all.
        """
        answer = self._ask("POST", "data", path, {"data": document, "options": {"cas": cas}})
        if answer.status == 400:
            return None
        written = answer.body.field("data").field("version").whole()
        if not written:
            raise self._not_version_2()
        return written

    def names(self, path: Sequence[str]) -> list[str]:
        """What is in the folder *path*: entries, and folders with a slash at their end."""
        answer = self._ask("LIST", "metadata", path)
        if answer.status == 404:
            self._require_version_2()
            return []
        return [name.text() for name in answer.body.field("data").field("keys").items()]

    def destroy(self, path: Sequence[str], last: int) -> None:
        """Make every version of an entry up to *last* unreadable for good."""
        self._ask("PUT", "destroy", path, {"versions": list(range(max(1, last - _MAX_VERSIONS + 1), last + 1))})

    def server(self) -> tuple[str, bool | None]:
        """The version of the server, and whether it is sealed; needs no token (GET sys/seal-status)."""
        answer = self._remote.ask("GET", "/v1/sys/seal-status")
        if answer.status != 200:
            raise StoreUnavailable(
                f"{self._remote.name} does not say how it is (status {answer.status})", hint="is that the server's address?"
            )
        return printable(answer.body.field("version").text(), 40), answer.body.field("sealed").value is True

    def _ask(self, method: str, api: str, path: Sequence[str], document: object = None) -> Answer:
        """The answer to an operation on *path*: a success, 404 for what is not there, 400 for a check-and-set that did not hold."""
        target = "/v1" + "".join(f"/{_quoted(part)}" for part in (*self.mount, api, *path))
        # By GET, because proxies know no LIST (https://developer.hashicorp.com/vault/api-docs#api-operations).
        verb, target = ("GET", f"{target}?list=true") if method == "LIST" else (method, target)
        token = self._token("")
        answer = self._remote.ask(verb, target, self._headers(token), document)
        if answer.status == 403 and (other := self._token(token)) != token:
            token = other
            answer = self._remote.ask(verb, target, self._headers(token), document)
        said = said_in(answer.body, (token,))
        if answer.status < 300 or (answer.status == 404 and not said) or (answer.status == 400 and "check-and-set" in said):
            return answer
        raise self._refusal(answer.status, said, token, (method, "/".join((*self.mount, api, *path))))

    def _headers(self, token: str) -> tuple[tuple[str, str], ...]:
        return (("x-vault-token", token), ("x-vault-request", "true"), *namespace_header(self.namespace))

    def _refusal(self, status: int, said: str, token: str, asked: tuple[str, str]) -> StoreLocked | StoreUnavailable:
        method, path = asked
        if status == 403:
            return self._denial(token, _CAPABILITY[method], printable(path))
        if "namespace" in said:
            where = printable(self.namespace) or "root"
            return StoreUnavailable(
                f"{self._remote.name} does not know the namespace {where} ({said})", hint="correct vault.namespace or VAULT_NAMESPACE"
            )
        if status == 404:
            there = f" in the namespace {printable(self.namespace)}" if self.namespace else ""
            return StoreUnavailable(
                f"{self._remote.name} has nothing mounted at {'/'.join(self.mount)}/{there}",
                hint="correct vault.mount, or mount an engine there: bao secrets enable -version=2 -path=MOUNT kv",
            )
        return StoreUnavailable(
            f"{self._remote.name} refused {method} {printable(path)} (status {status}): {said}", hint="look at the server's log"
        )

    def _denial(self, token: str, capability: str, path: str) -> StoreLocked:
        """Why a 403 came: an old or wrong token cannot look itself up; one that can lacks the right."""
        if self._remote.ask("GET", "/v1/auth/token/lookup-self", self._headers(token)).status == 200:
            return Forbidden(
                f"the policies of {self.label} do not allow to {capability} {path}",
                hint='grant it in a policy; docs/backends.md ("Policies") has one that suffices',
            )
        return StoreLocked(
            f"{self._remote.name} did not accept {self.label}: it is wrong, expired or revoked, which the server does not tell apart",
            hint=self._remedy or "sign in anew",
        )

    def _require_version_2(self) -> None:
        """Raise `StoreUnavailable` where an engine of version 1 is mounted: it would take "data" for a folder and check nothing.

        Asked once, as the server's own command line does before it writes (GET sys/internal/ui/mounts/MOUNT).
        """
        if self._is_version_2:
            return
        target = "/v1/sys/internal/ui/mounts/" + "/".join(map(_quoted, self.mount))
        answer = self._remote.ask("GET", target, self._headers(self._token("")))
        described = answer.body.field("data")
        if answer.status == 200 and (described.field("type").text(), described.field("options").field("version").text()) != ("kv", "2"):
            raise self._not_version_2()
        self._is_version_2 = True

    def _not_version_2(self) -> StoreUnavailable:
        return StoreUnavailable(
            f"what {self._remote.name} has mounted at {'/'.join(self.mount)}/ is no key-value engine of version 2",
            hint="name another in vault.mount, or make it one: bao kv enable-versioning MOUNT (vault kv enable-versioning MOUNT)",
        )


class Heedful:
    """Sends through *inner*; raises `StoreLocked` for a sealed server, which no patience opens."""

    def __init__(self, inner: Transport, name: str) -> None:
        self._inner = inner
        self._name = name

    def send(self, request: Request) -> Response:
        """The answer."""
        response = self._inner.send(request)
        if response.status != 503:
            return response
        with response:
            body = response.read(MAX_ERROR_BODY)
        if re.search(rb"\bsealed\b", body):
            raise StoreLocked(
                f"{self._name} is sealed", hint="who holds its keys can unseal it: bao operator unseal (vault operator unseal)"
            )
        return Response.of(503, response.headers, response.url, body)

    def close(self) -> None:
        """Close every connection."""
        self._inner.close()


def namespace_header(namespace: str) -> tuple[tuple[str, str], ...]:
    """The header that names *namespace*, empty for the root's."""
    return (("x-vault-namespace", namespace),) if namespace else ()


def segments(path: str, key: str) -> tuple[str, ...]:
    """The segments of a mount's or folder's path; raise `ConfigurationError`, naming the setting *key*, for one that would lead astray."""
    parts = tuple(path.strip("/").split("/")) if path.strip("/") else ()
    # ".." anywhere in a name is refused by the server, too; a plus or an asterisk would be a wildcard in a policy.
    if not all(re.fullmatch(r"[A-Za-z0-9_.=@~-]+", part) and ".." not in part and part != "." for part in parts):
        raise ConfigurationError(
            f"{key} is no path that we use: {printable(path, 80)}", key=key, hint="letters, digits, . _ - and / between them"
        )
    return parts


def _quoted(part: str) -> str:
    from urllib.parse import quote

    return quote(part, safe="=@~")
