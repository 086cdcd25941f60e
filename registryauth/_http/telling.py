"""Each request and its answer, told in one line each, without what could be a secret.

Of a query only parameters that the protocols themselves use are shown, of headers only the scheme of an ``Authorization``,
and of bodies only their length: what is not known to be harmless is not shown.
"""

from __future__ import annotations

import itertools
import re
import time
from urllib.parse import unquote

from registryauth._redact import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from registryauth._http.messages import Request, Response, Transport

#: Query parameters of the Distribution API, of token servers and of Azure's management API whose values are no secret.
_HARMLESS = frozenset(
    {
        "account", "api-version", "artifacttype", "client_id", "digest", "from", "grant_type", "last", "mount", "n", "ns", "offline_token",
        "scope", "service", "$filter", "$top",
    }
)  # fmt: skip
#: A part of a path that is longer than this is a token until something proves otherwise; names are shorter, UUIDs have 36 characters.
_LONGEST_NAME = 48
_DIGEST = re.compile(r"sha\d+[:-][0-9a-f]+")
_LEFT_OUT = "…"


class Telling:
    """Sends through *inner*, and tells *tell* of each request, and of each answer or failure. *clock* gives seconds."""

    # One count for all: with requests under way at once, it says which answer is whose.
    _numbers = itertools.count(1)

    def __init__(self, inner: Transport, tell: Callable[[str], None], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._inner, self._tell, self._clock = inner, tell, clock

    def send(self, request: Request) -> Response:
        """The answer of *inner*."""
        number = next(self._numbers)
        self._tell(f"> {number} {request.method} {shown(request.url)}{_sent(request)}")
        begun = self._clock()
        try:
            response = self._inner.send(request)
        except Exception as error:
            # Its message is shown where it ends; it may repeat what a server said.
            self._tell(f"< {number} {type(error).__name__} after {self._since(begun)}")
            raise
        length = response.headers.get("content-length")
        size = f"{length} bytes" if length.isdecimal() and len(length) < 19 else "length not announced"
        self._tell(f"< {number} {response.status}, {self._since(begun)}, {size}")
        return response

    def close(self) -> None:
        """Close *inner*."""
        self._inner.close()

    def _since(self, begun: float) -> str:
        return f"{(self._clock() - begun) * 1000:.0f} ms"


def shown(url: object) -> str:
    """*url* with nothing in it that is not known to be harmless."""
    whole, question, query = str(url).partition("?")
    scheme, _, rest = whole.partition("://")
    host, slash, path = rest.partition("/")
    # Userinfo is refused where URLs are read; here it would be seen.
    parts = [part if len(part) <= _LONGEST_NAME or _DIGEST.fullmatch(part) else _LEFT_OUT for part in path.split("/")]
    text = f"{scheme}://{host.rpartition('@')[2]}{slash}{'/'.join(parts)}"
    return printable(text + (f"?{'&'.join(map(_parameter, query.split('&')))}" if question else ""), 1000)


def _parameter(parameter: str) -> str:
    name, equals, value = parameter.partition("=")
    if unquote(name).lower() in _HARMLESS:
        return f"{name}={unquote(value)}" if equals else name
    # A name that is long is none.
    return f"{name if len(name) <= _LONGEST_NAME and equals else _LEFT_OUT}{'=' + _LEFT_OUT if equals else ''}"


def _sent(request: Request) -> str:
    scheme = request.header("authorization").partition(" ")[0].lower()
    who = f", {scheme.capitalize()}" if scheme in ("basic", "bearer") else ", authorised" if scheme else ""
    size = len(request.upload) if request.upload else len(request.body)
    return f"{who}, {size} bytes" if size else who
