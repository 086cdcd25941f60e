"""Signing in as the machine that we run on: a virtual machine or container group (IMDS), App Service, Azure ML compute.

Sources: Microsoft Learn "How to use managed identities for Azure resources on an Azure VM to acquire an access token" (with its table of
errors and its word on retries), "How to use managed identities for App Service and Azure Functions"; azure-identity ``azure_ml.py`` for
Azure ML compute. The endpoints are of this machine: asked in the clear, never through a proxy, and followed nowhere.
"""

from __future__ import annotations

import ipaddress
import time

from registryauth._http import USER_AGENT, Request
from registryauth._http.retrying import retry_after
from registryauth._json import Node, load_json
from registryauth._origin import Url, is_loopback
from registryauth._redact import printable
from registryauth.azure.entra import MAX_ANSWER
from registryauth.azure.entra_errors import code_in
from registryauth.azure.token_answer import read_token
from registryauth.errors import AzureError, ConfigurationError, Error, NoIdentity, TransportError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from registryauth._http import Response
    from registryauth._http.messages import Transport
    from registryauth.azure.tokens import AccessToken

#: The instance metadata service, the same address on every machine of Azure.
IMDS = Url.parse("http://169.254.169.254/metadata/identity/oauth2/token")
_IMDS_VERSION, _APP_SERVICE_VERSION, _ML_VERSION = "2018-02-01", "2019-08-01", "2017-09-01"

#: What passes by itself: the service starts (404), is being updated (410, "within 70 seconds"), is asked too often, fails.
_PASSING = (404, 410, 429, 500, 502, 503, 504)
#: Seconds between attempts; together a little more than the 70 that an update may take.
_PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0, 40.0)
#: Seconds. A service that asks for more patience than this is answered by telling the person.
_LONGEST_PAUSE = 60.0

_WHOSE = "is the identity assigned to this machine? azure.client_id, or AZURE_CLIENT_ID, chooses among several"


class Machine:
    """A managed identity whose endpoint is at *url*; *fields* are the headers that it wants, *chooser* names an identity among several."""

    kind = "managed-identity"
    asks_a_person = False

    def __init__(
        self,
        transport: Transport,
        url: Url,
        version: str,
        fields: Mapping[str, str],
        *,
        where: str,
        chooser: tuple[str, str] = ("client_id", ""),
        probe: bool = False,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """*probe*: first look whether there is such a service at all, so that elsewhere nobody waits for it."""
        self._transport, self._url, self._version, self._fields = transport, url, version, fields
        self._chooser, self._probe, self._clock, self._sleep = chooser, probe, clock, sleep
        who = f" {printable(chooser[1], 60)}" if chooser[1] else ""
        self.label = f"the managed identity{who} of {where}"

    def token(self, scope: str) -> AccessToken:
        """A new token for *scope*. Raise `NoIdentity` where there is no such service or identity, `AzureError`, `TransportError`."""
        from urllib.parse import urlencode

        if self._probe:
            self._look()
        # These endpoints name a resource where Entra's own names a scope.
        query = {"api-version": self._version, "resource": scope.removesuffix("/.default")}
        query |= {self._chooser[0]: self._chooser[1]} if self._chooser[1] else {}
        separator = "&" if "?" in self._url.target else "?"
        request = Request("GET", self._url.replace(target=f"{self._url.target}{separator}{urlencode(query)}"), self._headers())
        for pause in (*_PAUSES, None):
            with self._send(request) as response:
                if response.status == 200:
                    answer = load_json(response.read(MAX_ANSWER), "the answer of the managed identity", MAX_ANSWER, error=AzureError)
                    return read_token(Node(answer, "the answer of the managed identity", error=AzureError), self.label, self._clock())
                wished = retry_after(response.headers.get("retry-after"), self._clock())
                if response.status not in _PASSING or pause is None or (wished or 0) > _LONGEST_PAUSE:
                    raise self._refusal(response, wished)
            self._sleep(pause if wished is None else wished)
        raise AssertionError("the last attempt returns or raises")

    def _headers(self) -> tuple[tuple[str, str], ...]:
        return (("accept", "application/json"), ("accept-encoding", "identity"), ("user-agent", USER_AGENT), *self._fields.items())

    def _look(self) -> None:
        """Raise `NoIdentity` unless Azure's own service is there: it answers 400 to a request without its header, and others do not."""
        with self._send(Request("GET", self._url, self._headers()[:3])) as response:
            if response.status != 400:
                raise NoIdentity(f"{self._url.origin} answers, and is not Azure's", hint=_WHOSE)

    def _send(self, request: Request) -> Response:
        try:
            return self._transport.send(request)
        except TransportError as error:
            raise NoIdentity(f"no managed identity: {error.message}", hint=_WHOSE) from error

    def _refusal(self, response: Response, wished: float | None) -> AzureError:
        status = response.status
        kind, said = _said(response)
        # "invalid_request: Identity not found" is IMDS's; anything else may speak of the resource that a token was asked for.
        if status == 400 and kind == "invalid_request" and not code_in(said):
            return NoIdentity(f"{self.label} is not there{f': {said}' if said else ''}", hint=_WHOSE)
        if status == 403 and "unreachable" in said.lower():
            # Docker Desktop's own proxy answers so for every address of this kind.
            return NoIdentity("no managed identity: the machine's network does not reach it", hint=_WHOSE)
        if status == 429:
            hint = f"wait {wished:.0f} s, then try again" if wished else "try again later"
            return AzureError(f"{self.label} is asked for tokens too often", status=status, hint=hint)
        words = f": {said}" if said else ""
        return AzureError(f"{self.label} was refused a token (status {status}){words}", status=status, code=code_in(said), hint=_WHOSE)


def imds(
    transport: Transport,
    client_id: str = "",
    *,
    url: Url = IMDS,
    probe: bool = False,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> Machine:
    """The identity of a virtual machine, a scale set, a container group or a node of AKS."""
    chooser = ("client_id", client_id)
    return Machine(
        transport, url, _IMDS_VERSION, {"metadata": "true"}, where="this machine", chooser=chooser, probe=probe, clock=clock, sleep=sleep
    )


def from_environment(
    transport: Transport,
    environ: Mapping[str, str],
    client_id: str = "",
    *,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> Machine | None:
    """The identity whose endpoint the platform put into *environ*: App Service's or Azure ML compute's; None where it put none there.

    Raise `ConfigurationError` for an endpoint that is on no private network: its secret would be read on the way.
    """
    endpoint, header = environ.get("IDENTITY_ENDPOINT", ""), environ.get("IDENTITY_HEADER", "")
    if endpoint and header:
        return Machine(
            transport,
            _near(endpoint, "IDENTITY_ENDPOINT"),
            _APP_SERVICE_VERSION,
            {"x-identity-header": header},
            where="this app",
            chooser=("client_id", client_id),
            clock=clock,
            sleep=sleep,
        )
    endpoint, secret = environ.get("MSI_ENDPOINT", ""), environ.get("MSI_SECRET", "")
    if endpoint and secret:
        return Machine(
            transport,
            _near(endpoint, "MSI_ENDPOINT"),
            _ML_VERSION,
            {"secret": secret},
            where="this compute",
            chooser=("clientid", client_id or environ.get("DEFAULT_IDENTITY_CLIENT_ID", "")),
            clock=clock,
            sleep=sleep,
        )
    return None


def _near(endpoint: str, variable: str) -> Url:
    try:
        url = Url.parse(endpoint)
    except TransportError as error:
        raise ConfigurationError(f"{variable} is no URL: {error}", key=variable, hint="the platform sets it; was it overwritten?") from None
    if url.origin.scheme != "https" and not _is_private(url.origin.hostname):
        raise ConfigurationError(
            f"{variable} is plain http at {printable(url.origin.netloc, 100)}, which is not this machine's own network",
            key=variable,
            hint="the platform sets it; was it overwritten?",
        )
    return url


def _is_private(host: str) -> bool:
    if is_loopback(host):
        return True
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return False


def _said(response: Response) -> tuple[str, str]:
    """The kind of an error and what it says, cleaned; empty where it is none of Azure's."""
    try:
        body = Node(load_json(response.read(64 * 1024), "an error", error=AzureError), "an error", error=AzureError)
        words = (body.field(name).value for name in ("error_description", "message", "Message", "error"))
    except Error:
        return "", ""
    texts = [word if isinstance(word, str) else "" for word in words]
    return printable(texts[-1], 60), printable(next(filter(None, texts), ""))
