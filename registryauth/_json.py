"""JSON from elsewhere, read strictly and within bounds, and never quoted.

What is read here may hold secrets (docker's ``config.json``, a token response): a parser's message that
shows the place where it stumbled shows a piece of a password (CVE-2020-8564). Messages from here name
the document and the field, nothing else.
"""

from __future__ import annotations

import re

from registryauth.errors import AuthError, AzureError, ConfigurationError, ContentError, Error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

#: Docker's and containers' files with some thousand registries stay below one MiB.
MAX_JSON = 4 * 1024 * 1024

#: What complaints about a service's answer are; registries' own content may come from a file, too.
_FROM_A_SERVICE = (AuthError, AzureError, ContentError)
_FROM_ELSEWHERE = "it is not what that service answers: is the address right, and no proxy in the way?"
_PORTAL = "a captive portal or a proxy answers in its place: open a web page, or look at the proxy's settings"

#: What an address looks like; any other key might itself be a secret, or ``user:password@host``.
_SHOWN_KEY = r"[A-Za-z0-9._:/\[\]-]{1,120}"


def load_json(data: bytes, what: str, limit: int = MAX_JSON, *, error: type[Error] = ConfigurationError) -> Any:  # noqa: ANN401 - JSON
    """*data* as plain dicts, lists, strings, numbers, booleans and None.

    *what* names the document in messages; *limit* is in bytes. Raise *error* for anything that RFC 8259
    does not allow, for NaN and Infinity, for a byte order mark, and for nesting too deep to read. Of
    equal keys the last wins, as it does for docker.
    """
    import json

    if len(data) > limit:
        raise error(f"{what} is larger than the {limit} bytes allowed")
    if data.startswith(b"\xef\xbb\xbf"):
        raise error(f"{what} begins with a byte order mark", hint="save it as UTF-8 without one; docker cannot read it either")
    fault, hint = "", _advice(error)
    try:
        return json.loads(data.decode("utf-8"), parse_constant=_refuse)
    except UnicodeDecodeError:
        fault = "is not UTF-8"
    except json.JSONDecodeError as broken:
        fault = f"is not JSON (line {broken.lineno}, column {broken.colno})"
        if issubclass(error, _FROM_A_SERVICE) and data.lstrip()[:1] == b"<":
            fault, hint = "is a web page where JSON belongs", _PORTAL
    except RecursionError:
        fault = "is nested too deeply"
    except ValueError:
        fault = "holds a number that JSON does not have"
    # Raised out here, so that no traceback leads back to the content.
    raise error(f"{what} {fault}", hint=hint)


def _advice(error: type[Error]) -> str:
    """What to do about a document whose complaints are of the kind *error*: a file is one's own, a service's answer is not."""
    return _FROM_ELSEWHERE if issubclass(error, (AuthError, AzureError)) else "correct or remove it"


def _refuse(_: str) -> None:
    raise ValueError


class Node:
    """A JSON value that knows where it stands, so that a complaint can say ``auths.host.auth must be a string``.

    An absent field is a node whose value is None, and so is ``null``, as Go's decoder has it.
    """

    __slots__ = ("_error", "path", "value", "what")

    def __init__(self, value: object, what: str, path: str = "", *, error: type[Error] = ConfigurationError) -> None:
        self.value = value
        self.what = what
        self.path = path
        self._error = error

    def __bool__(self) -> bool:
        return self.value is not None

    def __repr__(self) -> str:
        return f"Node({self.what!r}, {self.path!r})"

    def field(self, key: str) -> Node:
        """The field *key* of this object; raise if this is no object."""
        return self._child(key, self._object().get(key))

    def fields(self) -> Iterator[tuple[str, Node]]:
        """Each field of this object, in the order of the document; none where it is absent."""
        for key, value in self._object().items():
            yield key, self._child(key, value)

    def text(self) -> str:
        """The string, empty where it is absent."""
        if self.value is None:
            return ""
        if not isinstance(self.value, str):
            raise self._wrong("a string")
        if re.search("[\ud800-\udfff]", self.value):
            raise self._wrong("a string of Unicode characters")
        return self.value

    def whole(self) -> int:
        """The whole number, 0 where it is absent."""
        if self.value is None:
            return 0
        if not isinstance(self.value, int) or isinstance(self.value, bool):
            raise self._wrong("a whole number")
        return self.value

    def items(self) -> Iterator[Node]:
        """Each element of this array, none where it is absent."""
        if not isinstance(self.value, list | None):
            raise self._wrong("an array")
        for index, value in enumerate(self.value or ()):
            yield Node(value, self.what, f"{self.path}[{index}]", error=self._error)

    def _object(self) -> dict[str, Any]:
        if not isinstance(self.value, dict | None):
            raise self._wrong("an object")
        return self.value or {}

    def _child(self, key: str, value: object) -> Node:
        shown = key if re.fullmatch(_SHOWN_KEY, key) else "?"
        return Node(value, self.what, f"{self.path}.{shown}" if self.path else shown, error=self._error)

    def _wrong(self, wanted: str) -> Error:
        return self._error(f"{self.what}: {self.path or 'the whole of it'} must be {wanted}", hint=_advice(self._error))
