"""Signing in to Entra as an application: with a client secret, with a certificate, or with the token of a workload.

Source: Microsoft Learn "Microsoft identity platform and the OAuth 2.0 client credentials flow" and "Workload identity federation".
The secret goes to the authority of the cloud, in a body, and no redirect is followed.
"""

from __future__ import annotations

import re
import time

from registryauth._http import USER_AGENT, Request
from registryauth._json import Node, load_json
from registryauth._origin import Url
from registryauth._redact import printable
from registryauth.azure.entra_errors import Proof, proof_of, refusal
from registryauth.azure.token_answer import SENDABLE, read_token
from registryauth.errors import AzureError, ConfigurationError, NoIdentity, TransportError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from registryauth._http.messages import Transport
    from registryauth._origin import Origin
    from registryauth.azure.tokens import AccessToken

#: Bytes of an answer with a token; Entra's tokens have 2 to 16 KiB.
MAX_ANSWER = 256 * 1024
#: Bytes of a workload's token; a projected one has about 1.5 KiB.
_MAX_ASSERTION = 64 * 1024
#: Seconds between two attempts while Entra itself fails.
_PAUSES = (0.5, 2.0)
#: RFC 7523 §2.2.
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Entra:
    """The token endpoint of *tenant*, by its id or one of its domains, at *authority*."""

    def __init__(
        self,
        transport: Transport,
        authority: Origin,
        tenant: str,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        from urllib.parse import quote

        self.tenant = tenant
        self.clock = clock
        self.url = Url(authority, f"/{quote(tenant, safe='')}/oauth2/v2.0/token")
        self._transport = transport
        self._sleep = sleep

    def ask(self, client_id: str, scope: str, presented: Mapping[str, str], who: str, proof: Proof) -> AccessToken:
        """A token for *scope*; *presented* proves that we are *client_id*. Raise `AzureError` or `TransportError`.

        A refusal is final; where Entra itself fails it is asked twice more.
        """
        from urllib.parse import urlencode

        form = {"client_id": client_id, "scope": scope, "grant_type": "client_credentials", **presented}
        fields = (
            ("content-type", "application/x-www-form-urlencoded"),
            ("accept", "application/json"),
            ("accept-encoding", "identity"),
            ("user-agent", USER_AGENT),
        )
        request = Request("POST", self.url, fields, urlencode(form).encode("ascii"))
        for pause in (*_PAUSES, None):
            with self._transport.send(request) as response:
                status = response.status
                if status == 200:
                    answer = load_json(response.read(MAX_ANSWER), "Entra's answer", MAX_ANSWER, error=AzureError)
                    return read_token(Node(answer, "Entra's answer", error=AzureError), who, self.clock())
                if status < 500:
                    raise refusal(response, who, self.clock(), proof)
            if pause is None:
                raise TransportError(f"Entra failed ({status}) at {self.url.origin}", hint="try again later", transient=True)
            self._sleep(pause)
        raise AssertionError("the last attempt returns or raises")


class ClientSecret:
    """A service principal with a secret of its own."""

    kind = "client-secret"
    asks_a_person = False

    def __init__(self, entra: Entra, client_id: str, secret: str) -> None:
        self._entra, self._client_id, self._secret = entra, client_id, secret
        self.label = f"the service principal {printable(client_id, 60)}"

    def token(self, scope: str) -> AccessToken:
        """A new token for *scope*; see `Entra.ask`."""
        return self._entra.ask(self._client_id, scope, {"client_secret": self._secret}, self.label, proof_of(self._secret))


class Certificate:
    """A service principal with a certificate: a PEM *file* of it and its key, read each time, so that it may be replaced."""

    kind = "certificate"
    asks_a_person = False

    def __init__(self, entra: Entra, client_id: str, file: str, password: str = "") -> None:
        self._entra, self._client_id, self._file, self._password = entra, client_id, file, password
        self.label = f"the service principal {printable(client_id, 60)} with a certificate"

    def token(self, scope: str) -> AccessToken:
        """A new token for *scope*. Raise `ConfigurationError` for a file that does not hold what is needed, and as `Entra.ask`."""
        from registryauth.azure.certificate import sign

        assertion = sign(self._file, self._password, self._client_id, str(self._entra.url), self._entra.clock())
        return self._entra.ask(self._client_id, scope, _assertion(assertion), self.label, Proof((assertion,)))


class WorkloadIdentity:
    """A pod, or any other workload whose platform vouches for it by the token in *file*, read each time: the platform replaces it."""

    kind = "workload-identity"
    asks_a_person = False

    def __init__(self, entra: Entra, client_id: str, file: str) -> None:
        self._entra, self._client_id, self._file = entra, client_id, file
        self.label = f"the workload identity {printable(client_id, 60)}"

    def token(self, scope: str) -> AccessToken:
        """A new token for *scope*. Raise `NoIdentity` where the file cannot be read, and as `Entra.ask`."""
        hint = "AZURE_FEDERATED_TOKEN_FILE names the token that the platform puts there"
        try:
            with open(self._file, "rb") as opened:
                read = opened.read(_MAX_ASSERTION + 1)
        except OSError as error:
            raise NoIdentity(f"{printable(self._file)} cannot be read: {error.strerror}", hint=hint) from None
        assertion = read.strip().decode("latin-1")
        if len(read) > _MAX_ASSERTION or not re.fullmatch(SENDABLE, assertion):
            raise ConfigurationError(f"{printable(self._file)} does not hold one token", key="AZURE_FEDERATED_TOKEN_FILE", hint=hint)
        return self._entra.ask(self._client_id, scope, _assertion(assertion), self.label, Proof((assertion,)))


def _assertion(signed: str) -> dict[str, str]:
    return {"client_assertion_type": _ASSERTION_TYPE, "client_assertion": signed}
