"""Requests, responses, and the only place that opens a connection."""

from __future__ import annotations

from registryauth._http.messages import MAX_ERROR_BODY, Headers, Request, Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from registryauth._http.messages import Transport

__all__ = ["MAX_ERROR_BODY", "USER_AGENT", "Headers", "Request", "Response", "open_transport", "put_around"]

#: What we call ourselves; the version is left out so that a registry's operators group us, and an attacker learns little.
USER_AGENT = "registryauth"

#: What `open_transport` puts around each transport; nothing, unless the command line was asked to tell of requests.
_around: Callable[[Transport], Transport] | None = None


def put_around(wrap: Callable[[Transport], Transport] | None) -> None:
    """Have *wrap* around every transport that is opened from now on in this process; None takes it away again."""
    global _around  # noqa: PLW0603 - whoever opens one knows nothing of the command line
    _around = wrap


def open_transport(
    environ: Mapping[str, str],
    *,
    ca_files: Mapping[str, str] | None = None,
    client_certs: Mapping[str, tuple[str, str]] | None = None,
    certs_d: Sequence[str] = (),
    connect_timeout: float | None = None,
    read_timeout: float | None = None,
) -> Transport:
    """The way to the wire that *environ* asks for: through httpx where a proxy is configured, else direct.

    Timeouts are in seconds, by default those of `direct`. The other arguments are those of `tls.trusting`.
    """
    from registryauth._http.direct import CONNECT_TIMEOUT, READ_TIMEOUT, DirectTransport
    from registryauth._http.proxies import configured
    from registryauth._http.tls import trusting

    trust = trusting(ca_files, client_certs, certs_d)
    connect, read = connect_timeout or CONNECT_TIMEOUT, read_timeout or READ_TIMEOUT
    transport: Transport
    if configured(environ):
        from registryauth._http.through_httpx import HttpxTransport

        transport = HttpxTransport.with_environment_proxies(environ, trust=trust, connect_timeout=connect, read_timeout=read)
    else:
        transport = DirectTransport(trust=trust, connect_timeout=connect, read_timeout=read)
    return _around(transport) if _around else transport
