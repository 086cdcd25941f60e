"""What remote backends have in common: an address that a secret may travel to, bounded answers, and silence told apart from "no"."""

from __future__ import annotations

import json

from registryauth._http import MAX_ERROR_BODY, Request
from registryauth._json import MAX_JSON, Node, load_json
from registryauth._origin import Url, is_loopback
from registryauth._redact import printable
from registryauth._value import Value
from registryauth.errors import ConfigurationError, Error, SizeMismatch, StoreUnavailable, TransportError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from registryauth._http import Response

    #: Sends one request and gives the head of the answer; follows no redirect.
    Send = Callable[[Request], Response]
    #: The token to present. Told of a *refused* one it gives another, or the same where there is no other.
    Token = Callable[[str], str]

#: Seconds. Each lookup waits for these before a cache may answer, and docker asks several times for one image.
CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 10.0

#: Too many requests, and what a server, or a proxy for it, says when it cannot work (RFC 9110 §15.6, RFC 6585 §4).
_NOT_NOW = (429, 500, 502, 503, 504)


class Unreachable(StoreUnavailable):
    """There was no answer, or none but "not now"; the only failure in which a cache may answer instead."""


class Answer(Value, hidden=("body",)):
    """A *status* and the JSON *body* that came with it, empty where an error brought none."""

    status: int
    body: Node


def address_of(text: str, key: str) -> Url:
    """The URL that the setting *key* gives, without a slash at its end.

    Raise `ConfigurationError` for one that is no URL, has a query, or would have tokens sent in the clear to another machine.
    """
    complaint, hint = "", "for example https://vault.example.com:8200"
    try:
        url = Url.parse(text.rstrip("/"))
    except TransportError as error:
        raise ConfigurationError(f"{key} is not the URL of a server: {error}", key=key, hint=hint) from None
    if "?" in url.target:
        complaint = "has a query, which no server's address has"
    elif url.origin.scheme != "https" and not is_loopback(url.origin.host):
        complaint, hint = (
            "is plain http: a token and every secret could be read on the way",
            "use https; ca_file names an authority of your own",
        )
    if complaint:
        raise ConfigurationError(f"{key} {complaint}", key=key, hint=hint)
    return url.replace(target=url.target.rstrip("/"))


class Remote:
    """A server at *base* that speaks JSON; *name* is what to call it in messages."""

    def __init__(self, base: Url, send: Send, name: str) -> None:
        self.base = base
        self.name = f"{name} at {base}"
        self._send = send

    def ask(self, method: str, target: str, headers: tuple[tuple[str, str], ...] = (), document: object = None) -> Answer:
        """The answer to a request for *target*, which is absolute or below the base; *document* is sent as JSON.

        Raise `Unreachable` where there is none, or the server says "not now"; `StoreUnavailable` for a redirect, which is not
        followed, and for an answer that is not JSON.
        """
        body = b"" if document is None else json.dumps(document).encode()
        typed = (("content-type", "application/json"),) if body else ()
        url = self.base.replace(target=self.base.target + target)
        fields = (("accept", "application/json"), ("accept-encoding", "identity"), ("user-agent", "registryauth"), *typed, *headers)
        return self.exchange(Request(method, url, fields, body))

    def exchange(self, request: Request) -> Answer:
        """As `ask`, for a request made elsewhere."""
        try:
            with self._send(request) as response:
                status = response.status
                content = response.read(MAX_JSON if status < 300 else MAX_ERROR_BODY)
        except (TransportError, SizeMismatch) as error:
            raise Unreachable(
                f"{self.name} cannot be reached: {error}", hint=error.hint or "is it running, and the address right?"
            ) from error
        if status in _NOT_NOW:
            said = "" if request.body else said_in(self._read(content, status), tuple(value for _, value in request.headers))
            reason = f": {said}" if said else ""
            raise Unreachable(
                f"{self.name} cannot answer now (status {status}{reason})", hint="try again; look at the server if it stays so"
            )
        if 300 <= status < 400:
            raise StoreUnavailable(
                f"{self.name} sends us elsewhere (status {status}), which is not followed with a token",
                hint="name the server that answers itself: the active node, or what balances the load before it",
            )
        return Answer(status, self._read(content, status))

    def _read(self, content: bytes, status: int) -> Node:
        if not content:
            return Node(None, "its answer", error=StoreUnavailable)
        try:
            value = load_json(content, f"the answer of {self.name}", error=StoreUnavailable)
        except StoreUnavailable as error:
            if status < 300:
                raise StoreUnavailable(error.message, hint="is that the address of the server itself?") from None
            # A proxy's page: its status says enough.
            value = None
        return Node(value if isinstance(value, dict) else None, f"the answer of {self.name}", error=StoreUnavailable)


def said_in(body: Node, secrets: tuple[str, ...] = ()) -> str:
    """What an error's *body* says, cleaned for a terminal and without any of *secrets*; empty if nothing.

    Vault has a list ``errors``, Key Vault an object ``error`` with a ``message``, Entra an ``error_description``.
    """
    try:
        words = "; ".join(each.text() for each in body.field("errors").items())
        words = words or body.field("error_description").text() or body.field("error").field("message").text()
    except Error:
        return ""
    for secret in secrets:
        # Some servers repeat what they were sent.
        words = words.replace(secret, "***") if secret else words
    return printable(words)
