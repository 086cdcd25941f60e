"""What may leave: a request that no server can read as anything else, whatever its parts were made from."""

from __future__ import annotations

import re

from registryauth._grammar import TOKEN
from registryauth._http.messages import Request
from registryauth.errors import TransportError

#: RFC 9110 §5.5, without obs-fold: visible characters, space and tab, in Latin-1.
_FIELD_VALUE = re.compile("[\t -~\x80-\xff]*")
#: RFC 9112 §3.2.1: the path and query of a URL, nothing that could end the request line.
_TARGET = re.compile(r"/[!-~]*")
_TOKEN = re.compile(TOKEN)


def refuse_malformed(request: Request) -> None:
    """Raise `TransportError` unless method, target and header fields are well-formed; values, which may be secrets, are not shown."""
    if not _TOKEN.fullmatch(request.method) or not _TARGET.fullmatch(request.url.target):
        raise TransportError(f"a request to {request.url.origin} was not sent: its method or its URL holds what no request may")
    for name, value in request.headers:
        if not _TOKEN.fullmatch(name):
            raise TransportError(f"a request to {request.url.origin} was not sent: a header's name holds what no name may")
        if not _FIELD_VALUE.fullmatch(value):
            raise TransportError(
                f"a request to {request.url.origin} was not sent: its {name} header holds what no header may",
                hint="where that is a credential, store it again: a line end may have been read with it",
            )
