"""The same transport over a `httpx.Client`: for proxies, for a caller's own client, for tests with respx."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Mapping

import httpx

from registryauth._http.messages import Headers, Request, Response
from registryauth._http.outgoing import refuse_malformed
from registryauth._http.proxies import proxy_for, variables
from registryauth._http.tls import Trusting, contexts, explain, trusting
from registryauth._origin import Url
from registryauth._redact import printable
from registryauth.errors import ConfigurationError, TransportError


class HttpxTransport:
    """Sends requests through *client*, which follows no redirect on our behalf."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    @classmethod
    def with_environment_proxies(
        cls, environ: Mapping[str, str], *, trust: Trusting | None = None, connect_timeout: float, read_timeout: float
    ) -> HttpxTransport:
        """A transport that honours the proxy variables in *environ* (see `proxies`), and never reads netrc; *trust* as `tls.trusting`.

        Raise `ConfigurationError` where one of them is no proxy that httpx can use.
        """
        timeout = httpx.Timeout(read_timeout, connect=connect_timeout)
        return cls(httpx.Client(transport=_Routes(environ, trust or trusting()), timeout=timeout, follow_redirects=False, trust_env=False))

    def send(self, request: Request) -> Response:
        """Send *request* and return the head of the answer."""
        refuse_malformed(request)
        origin = request.url.origin
        try:
            answer = self._client.send(to_httpx(request), stream=True, follow_redirects=False, auth=None)
        except httpx.TimeoutException as error:
            raise TransportError(f"{origin} did not answer in time", hint="is a firewall or proxy in between?") from error
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            if failed := _tls_failure(error):
                raise explain(failed, origin) from error
            hint, passing = "is the address right, and the proxy?", isinstance(error, httpx.NetworkError | httpx.RemoteProtocolError)
            raise TransportError(f"cannot reach {origin}: {printable(str(error))}", hint=hint, transient=passing) from error
        return from_httpx(answer, request.url)

    def close(self) -> None:
        """Close the client."""
        self._client.close()


class _Routes(httpx.BaseTransport):
    """Sends each request through the proxy that is meant for it, or through none, with what counts for its host."""

    def __init__(self, environ: Mapping[str, str], trust: Trusting) -> None:
        self._proxies = variables(environ)
        self._context = contexts(trust)
        # Plain http has nobody to trust, and no directory is looked into for it.
        self._unused = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._made: dict[tuple[str, int], httpx.HTTPTransport] = {}
        for variable in ("http_proxy", "https_proxy", "all_proxy"):
            if variable in self._proxies:
                self._check(variable)

    def _check(self, variable: str) -> None:
        value = self._proxies[variable]
        try:
            proxy = httpx.Proxy(value if "://" in value else f"http://{value}")
            httpx.HTTPTransport(proxy=proxy, verify=self._unused, trust_env=False).close()
            usable = bool(proxy.url.host)
        except (ValueError, ImportError, httpx.InvalidURL):
            usable = False
        if not usable:
            hint = f"unset {variable.upper()}, or set it to something like http://proxy.example:3128; socks needs httpx[socks]"
            # Raised out here: the library's own error may show the proxy's password.
            raise ConfigurationError(f"{variable.upper()} is not a proxy that we can use", key=variable.upper(), hint=hint)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Ask the transport that *request*'s origin is for."""
        origin = Url.parse(str(request.url)).origin
        context = self._context(origin.netloc) if origin.scheme == "https" else self._unused
        proxy = proxy_for(origin, self._proxies)
        key = proxy, id(context)
        if key not in self._made:
            self._made.setdefault(key, httpx.HTTPTransport(proxy=proxy or None, verify=context, trust_env=False))
        return self._made[key].handle_request(request)

    def close(self) -> None:
        """Close every connection."""
        for transport in self._made.values():
            transport.close()


def _tls_failure(error: BaseException | None) -> ssl.SSLError | None:
    """The handshake's own error behind httpx's."""
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    return error


def to_httpx(request: Request) -> httpx.Request:
    """*request* as httpx's; nothing is added to its headers but host and length."""
    if request.upload is None:
        return httpx.Request(request.method, str(request.url), headers=list(request.headers), content=request.body or None)
    # With a length of its own, an iterator is not sent in chunks, which few registries take.
    headers = [*request.headers, ("content-length", str(request.upload.size))]
    return httpx.Request(request.method, str(request.url), headers=headers, content=map(bytes, request.upload.pieces()))


def from_httpx(answer: httpx.Response, url: Url) -> Response:
    """*answer*, whose body was not read yet, as ours."""
    # A mocked answer may have been read before it arrives.
    chunks = iter((answer.content,)) if answer.is_stream_consumed else answer.iter_raw()
    return Response(answer.status_code, Headers(answer.headers.multi_items()), url, reader(chunks, url), answer.close)


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
                raise broken(url, error) from error
        count = min(len(buffer), len(rest))
        buffer[:count] = rest[:count]
        rest = rest[count:]
        return count

    return read_into


def broken(url: Url, error: httpx.HTTPError) -> TransportError:
    """What it means that a body ended with *error*."""
    return TransportError(f"the connection to {url.origin} broke in the middle of an answer: {printable(str(error))}")
