"""Ready-made misbehaviour of Azure and of what stands before it, for `AzureSimulator.fault`, `.altered` and `.interfered`.

What comes from a state (an expired secret, a firewall, a delay) is set where that state is; `registryauth.testing.faults` has
what can happen to any HTTP service. *where* matches ``METHOD /path?query``, as there.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from registryauth._http.messages import Request, Response
from registryauth.testing import answers
from registryauth.testing.azure.refusals import ServiceRefusal, graph_error, management_error
from registryauth.testing.faults import Fault


def throttled(where: str, seconds: float, clock: Callable[[], float], *, service: str = "management") -> Fault:
    """429 for *seconds* from the first request on; ``Retry-After`` counts down, as a registry's does.

    *service* words it: ``registry``, ``management``, ``graph`` or ``entra``. A registry's own body is not documented.
    """
    until: list[float] = []

    def fault(request: Request) -> Response | None:
        if not re.search(where, f"{request.method} {request.url.target}"):
            return None
        until[:] = until or [clock() + seconds]
        left = until[0] - clock()
        return _too_many(request, str(max(1, round(left))), service) if left > 0 else None

    return fault


def _too_many(request: Request, retry_after: str, service: str) -> Response:
    fields = [("retry-after", retry_after)]
    if service == "registry":
        return answers.error(request, 429, "TOOMANYREQUESTS", "too many requests", fields=fields)
    if service == "entra":
        described = {
            "error": "temporarily_unavailable",
            "error_description": "AADSTS90055: The request was throttled.",
            "error_codes": [90055],
        }
        return answers.document(request, 429, described, fields)
    message = "The request is being throttled as the limit has been reached for operation type - Read."
    refusal = ServiceRefusal(429, "TooManyRequests", message, fields)
    return graph_error(request, refusal, "2026-01-01T00:00:00") if service == "graph" else management_error(request, refusal)


def captive_portal(where: str = "", *, status: int = 200, location: str = "http://portal.example/login") -> Fault:
    """A network's own page instead of the service: HTML with *status*, or with 302 a way to it."""
    page = b"<!DOCTYPE html><html><head><title>Welcome to the airport</title></head><body>Please accept our terms.</body></html>"

    def fault(request: Request) -> Response | None:
        if not re.search(where, f"{request.method} {request.url.target}"):
            return None
        if status in range(300, 400):
            return answers.empty(request, status, [("location", location)])
        return answers.content(request, status, "text/html; charset=utf-8", page)

    return fault


def wrong_shape(where: str, document: object, *, status: int = 200) -> Fault:
    """JSON that is not what the documentation says."""
    return lambda request: (
        answers.document(request, status, document) if re.search(where, f"{request.method} {request.url.target}") else None
    )
