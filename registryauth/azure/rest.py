"""One small client for Azure's JSON services: resource management and Microsoft Graph.

Sources: Microsoft Learn "Asynchronous operations in Azure Resource Manager" and "Microsoft Graph error responses"; both word
errors as ``{"error": {"code", "message"}}``. No redirect is followed, and a link is followed only to the same origin: the token
in our hands opens a subscription.
"""

from __future__ import annotations

import json
import re
import time

from registryauth._http.messages import Request
from registryauth._http.retrying import MAX_PAUSE, retry_after
from registryauth._json import Node, load_json
from registryauth._origin import Origin, Url
from registryauth._redact import MAX_SHOWN, printable
from registryauth._value import Value
from registryauth.errors import AzureError, RealmRefused, SizeMismatch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from registryauth._http.messages import Headers, Response, Transport

#: Bytes of an answer: a page of resources has some hundred KiB.
MAX_ANSWER = 4 * 1024 * 1024
#: Sends of one request that is throttled or meets a busy server.
ATTEMPTS = 4
#: Pages of a list; each has up to a thousand entries.
MAX_PAGES = 100
_BUSY = (429, 500, 502, 503, 504)
_THROTTLED = 429
#: Methods that may be sent twice (RFC 9110 §9.2.2). A POST that was answered 502 may have made its secret: only a throttled one,
#: which was not looked at, goes again.
_REPEATABLE = ("GET", "HEAD", "PUT", "DELETE")
#: Statuses of a redirect, which a token must not follow.
_REDIRECT = range(300, 400)
#: A signed token (RFC 7515 §7.1), in whichever Base64: some errors quote what they were sent.
_SIGNED = r"eyJ[\w+/=-]{16,}(?:\.[\w+/=-]*){0,2}"
_NOT_AZURE = "a captive portal or a proxy answers in its place: open a web page, or look at the proxy's settings"


class Answer(Value, hidden=("document",)):
    """What came back: *document* is an absent node where the body is empty."""

    status: int
    headers: Headers
    document: Node


class Rest:
    """Speaks to the service at *origin* with the token that *authorize* gives; *what* names it to people."""

    def __init__(
        self,
        transport: Transport,
        origin: Origin,
        authorize: Callable[[], str],
        what: str,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.origin = origin
        self._transport = transport
        self._authorize = authorize
        self._what = what
        self._sleep = sleep
        self._clock = clock

    def get(self, path: str, version: str = "") -> Node:
        """The document at *path*; raise `AzureError`, with status 404 where there is none."""
        return self.call("GET", path, version).document

    def call(self, method: str, path: str, version: str = "", body: object = None, *, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
        """What the service answers; *path* may have a query, *version* is the ``api-version``. *body* is sent as JSON.

        A busy server is asked again, as long as it wishes for no more than `MAX_PAUSE` seconds of patience; a POST or PATCH only
        where it was throttled. Raise `AzureError` for every status from 300 on and for what is no JSON or longer than `MAX_ANSWER`
        bytes, `TransportError` where no answer came.
        """
        target = f"{path}{'&' if '?' in path else '?'}api-version={version}" if version else path
        sent = b"" if body is None else json.dumps(body).encode()
        fields = (("content-type", "application/json"),) if sent else ()
        request = Request(method, Url(self.origin, target), (("accept", "application/json"), *fields, *headers), sent)
        for attempt in range(ATTEMPTS):
            token = self._authorize()
            response = self._transport.send(request.with_header("authorization", f"Bearer {token}"))
            pause = self._pause(response, attempt)
            again = response.status in _BUSY if method in _REPEATABLE else response.status == _THROTTLED
            if not again or pause > MAX_PAUSE or attempt == ATTEMPTS - 1:
                return self._read(response, method, path, token)
            response.close()
            self._sleep(pause)
        raise AssertionError("the last attempt returns")

    def pages(self, path: str, version: str = "", *, link: str = "nextLink") -> Iterator[Node]:
        """Every entry of the list at *path*, page by page; *link* is the field that names the next page (Graph: ``@odata.nextLink``)."""
        for _ in range(MAX_PAGES):
            document = self.get(path, version)
            yield from document.field("value").items()
            following = document.field(link).text()
            if not following:
                return
            url = Url.parse(following)
            if url.origin != self.origin:
                raise RealmRefused(
                    f"{self._what} sent us on to {url.origin}, which is another service", hint="nothing was sent there; report it"
                )
            path, version = url.target, ""
        raise AzureError(f"{self._what} lists more than {MAX_PAGES} pages", hint="narrow what is asked for")

    def _pause(self, response: Response, attempt: int) -> float:
        wished = retry_after(response.headers.get("retry-after"), self._clock())
        return 0.5 * 2.0**attempt if wished is None else wished

    def _read(self, response: Response, method: str, path: str, token: str) -> Answer:
        what = f"the answer of {self._what}"
        if response.status >= _REDIRECT.start:
            raise refusal(response, f"{self._what}, asked to {method} {path.partition('?')[0]},", self._clock(), token)
        try:
            body = response.read(MAX_ANSWER)
        except SizeMismatch:
            raise AzureError(f"{what} is longer than the {MAX_ANSWER} bytes allowed", hint="narrow what is asked for") from None
        if _is_page(body):
            raise AzureError(f"{what} is a web page where JSON belongs", status=response.status, hint=_NOT_AZURE)
        document = load_json(body, what, MAX_ANSWER, error=AzureError) if body.strip() else None
        return Answer(response.status, response.headers, Node(document, what, error=AzureError))


def refusal(response: Response, who: str, now: float, token: str = "") -> AzureError:
    """The error that *response*, one of status 300 and more, stands for; *who* begins its message. Reads at most 64 KiB.

    *token* is what was sent, which some answers quote: neither it nor anything like it gets into the message.
    """
    headers, status = response.headers, response.status
    correlation = printable(headers.get("x-ms-correlation-request-id") or headers.get("x-ms-request-id") or headers.get("request-id"), 60)
    if status in _REDIRECT:
        response.close()
        return AzureError(f"{who} sent us elsewhere ({status}), where no token goes", status=status, hint=_NOT_AZURE)
    body = _beginning(response)
    if _is_page(body):
        return AzureError(f"{who} answered {status} with a web page", status=status, correlation_id=correlation, hint=_NOT_AZURE)
    code, message = _said(body, token)
    words = ": ".join(filter(None, (code, message))) or "it gave no reason"
    return AzureError(
        f"{who} answered {status}: {words}", status=status, code=code, correlation_id=correlation, hint=_hint(status, headers, now)
    )


def _beginning(response: Response) -> bytes:
    """An error's body; empty where it broke off or has more than 64 KiB, which no error of Azure's has."""
    from registryauth.errors import TransportError

    try:
        return response.read(64 * 1024)
    except (SizeMismatch, TransportError):
        return b""


def _is_page(body: bytes) -> bool:
    return body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<"


def _said(body: bytes, token: str) -> tuple[str, str]:
    """Azure's own code and message, cleaned for a terminal; empty where the body is none of its own."""
    try:
        found = load_json(body, "an error", error=AzureError)
    except AzureError:
        return "", ""
    inner: Any = found.get("error", found) if isinstance(found, dict) else {}
    if not isinstance(inner, dict):
        return "", ""
    code, message = inner.get("code"), inner.get("message")
    return _shown(code, token, 80) if isinstance(code, str) else "", _shown(message, token, MAX_SHOWN) if isinstance(message, str) else ""


def _shown(text: str, token: str, limit: int) -> str:
    """*text* on one line of a terminal, without tokens."""
    if token:
        text = text.replace(token, "[token]")
    return printable(re.sub(_SIGNED, "[token]", text), limit)


def _hint(status: int, headers: Headers, now: float) -> str:
    wished = retry_after(headers.get("retry-after"), now)
    patience = f"wait {wished:.0f} s and try again" if wished else "try again later"
    match status:
        case 401:
            return "sign in again (az login), or check tenant and cloud"
        case 403:
            return "ask an owner of the resource for the right to do this"
        case 404:
            return "check names, resource group and subscription; Azure answers so for what one may not see, too"
        case 409:
            return "somebody else changes it at this moment, or its state forbids it: try again"
        case 429:
            return f"it is throttled; {patience}"
        case _ if status >= 500:
            return f"{patience}; https://status.azure.com tells of disturbances"
        case _:
            return "the correlation id helps Azure's support"
