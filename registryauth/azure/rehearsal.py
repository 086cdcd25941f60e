"""A dry run over the real code: what reads is asked, what would change anything is noted, and answered as if it were done.

What is shown is then what would be sent, to the letter; no second description of it can go stale.
"""

from __future__ import annotations

import json
import re

from registryauth._http.messages import Response
from registryauth._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from registryauth._http.messages import Request, Transport
    from registryauth._origin import Origin

#: Stands in the shown requests where Azure, or chance, will say what it is.
PLACEHOLDERS = {
    "00000000-0000-4000-8000-00000000a001": "{id of the new application}",
    "00000000-0000-4000-8000-00000000a002": "{client id of the new application}",
    "00000000-0000-4000-8000-00000000a003": "{id of the new service principal}",
    "00000000-0000-4000-8000-00000000a004": "{a new GUID}",
}
_APPLICATION, _CLIENT, _PRINCIPAL, NEW_GUID = PLACEHOLDERS


class Planned(Value):
    """A request that would be sent; *body* is the JSON that it would carry, None for none."""

    method: str
    url: str
    body: Any


class Rehearsal:
    """A `Transport` that lets through to *real* what changes nothing: every GET, and whatever is not for one of *services*."""

    def __init__(self, real: Transport, services: Callable[[], tuple[Origin, ...]]) -> None:
        self._real, self._services = real, services
        self.planned: list[Planned] = []

    def send(self, request: Request) -> Response:
        """The answer, made up for what would write."""
        if request.method in ("GET", "HEAD") or request.url.origin not in self._services():
            return self._real.send(request)
        body = json.loads(request.body) if request.body else None
        self.planned.append(Planned(request.method, _shown(str(request.url)), _shown_in(body)))
        answer = json.dumps(_answer(request, body)).encode()
        return Response.of(200, [("content-type", "application/json"), ("content-length", str(len(answer)))], request.url, answer)

    def close(self) -> None:
        """Close the way to the wire."""
        self._real.close()


def _answer(request: Request, body: Any) -> object:  # noqa: ANN401 - whatever JSON is sent
    path = request.url.target.partition("?")[0]
    match request.method, path.rpartition("/")[2]:
        case "POST", "applications":
            return {"id": _APPLICATION, "appId": _CLIENT, "displayName": body["displayName"]}
        case "POST", "servicePrincipals":
            return {"id": _PRINCIPAL, "appId": _CLIENT}
        case "POST", "addPassword":
            return {"keyId": NEW_GUID, "secretText": "-", "hint": "", **body["passwordCredential"]}
        case "PUT", name:
            return {"name": name, "properties": {"scope": path.partition("/providers/Microsoft.Authorization/")[0], **body["properties"]}}
    return {}


def _shown(text: str) -> str:
    return re.sub("|".join(PLACEHOLDERS), lambda found: PLACEHOLDERS[found[0]], text)


def _shown_in(body: Any) -> Any:  # noqa: ANN401 - whatever JSON is sent
    return body if body is None else json.loads(_shown(json.dumps(body)))
