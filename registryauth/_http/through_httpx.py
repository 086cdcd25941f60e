"""The same transport over a `httpx.Client`: for proxies, for a caller's own client, for tests with respx."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import httpx

from registryauth._http.messages import Headers, Request, Response
from registryauth._origin import Url
from registryauth._redact import printable
from registryauth.errors import TransportError


class HttpxTransport:
    """Sends requests through *client*, which follows no redirect on our behalf."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    @classmethod
    def with_environment_proxies(
        cls, *, ca_files: Mapping[str, str] | None = None, connect_timeout: float, read_timeout: float
    ) -> HttpxTransport:
        """A transport that honours HTTPS_PROXY, ALL_PROXY and NO_PROXY, and never reads netrc."""
        from registryauth._http.tls import contexts

        # httpx takes one context for all hosts, so an authority named for one host cannot be kept to it: only `*` is honoured here.
        context = contexts({"*": (ca_files or {}).get("*", "")})("*")
        timeout = httpx.Timeout(read_timeout, connect=connect_timeout)
        # A proxy cannot reach this machine's loopback; every other client leaves it out, too.
        direct = dict.fromkeys(("all://localhost", "all://127.0.0.1", "all://[::1]"), httpx.HTTPTransport(verify=context))
        return cls(httpx.Client(verify=context, timeout=timeout, follow_redirects=False, trust_env=True, mounts=direct))

    def send(self, request: Request) -> Response:
        """Send *request* and return the head of the answer."""
        try:
            answer = self._client.send(to_httpx(request), stream=True, follow_redirects=False, auth=None)
        except httpx.TimeoutException as error:
            raise TransportError(f"{request.url.origin} did not answer in time", hint="is a firewall or proxy in between?") from error
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise TransportError(
                f"cannot reach {request.url.origin}: {printable(str(error))}", hint="is the address right, and the proxy?"
            ) from error
        return from_httpx(answer, request.url)

    def close(self) -> None:
        """Close the client."""
        self._client.close()


def to_httpx(request: Request) -> httpx.Request:
    """*request* as httpx's; nothing is added to its headers but host and length."""
    return httpx.Request(request.method, str(request.url), headers=list(request.headers), content=request.body or None)


def from_httpx(answer: httpx.Response, url: Url) -> Response:
    """*answer*, whose body was not read yet, as ours."""
    return Response(answer.status_code, Headers(answer.headers.multi_items()), url, reader(answer.iter_raw(), url), answer.close)


def reader(chunks: Iterator[bytes], url: Url) -> Callable[[memoryview], int]:
    """A ``readinto`` over an iterator of raw chunks."""
    rest = memoryview(b"")

    def read_into(buffer: memoryview) -> int:
        nonlocal rest
        while not rest:
            try:
                rest = memoryview(next(chunks))
            except StopIteration:
                return 0
            except httpx.HTTPError as error:
                raise TransportError(f"the connection to {url.origin} broke in the middle of an answer: {printable(str(error))}") from error
        count = min(len(buffer), len(rest))
        buffer[:count] = rest[:count]
        rest = rest[count:]
        return count

    return read_into
