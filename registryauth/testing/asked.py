"""What a request asks for: its path and its parameters."""

from __future__ import annotations

from urllib.parse import parse_qs, unquote

from registryauth._http.messages import Request


def path(request: Request) -> str:
    """The path, decoded."""
    return unquote(request.url.target.partition("?")[0])


def parameter(request: Request, name: str) -> str:
    """The first value of the query parameter *name*, empty if it is not there."""
    return next(iter(parameters(request, name)), "")


def parameters(request: Request, name: str) -> list[str]:
    """Every value of the query parameter *name*, in order."""
    return parse_qs(request.url.target.partition("?")[2], keep_blank_values=True).get(name, [])
