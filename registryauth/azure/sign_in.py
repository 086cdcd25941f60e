"""Who signs in to Entra: the way that is configured, or the first of those that are at hand.

The order: what the environment says in so many words (client secret, certificate, workload identity, the endpoint of App Service or
Azure ML compute), the Azure CLI, the machine's own identity, `azure-identity`'s further ways. A person who ran ``az login`` on a
machine means themselves, so that comes before the machine. What is there and is refused ends the search: another identity than the
one that was meant would be a surprise.
"""

from __future__ import annotations

import time

from registryauth._child import find_program
from registryauth._redact import printable
from registryauth._value import Value
from registryauth.azure import library
from registryauth.azure.azure_cli import AzureCli
from registryauth.azure.entra import Certificate, ClientSecret, Entra, WorkloadIdentity
from registryauth.azure.managed_identity import from_environment, imds
from registryauth.errors import ConfigurationError, Error, NoIdentity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Protocol

    from registryauth.azure.settings import Settings
    from registryauth.azure.tokens import AccessToken
    from registryauth.azure.wire import Wire

    class Way(Protocol):
        """One way of signing in; *kind* is its name in the configuration, *asks_a_person* says that it needs somebody there."""

        kind: str
        label: str
        asks_a_person: bool

        def token(self, scope: str) -> AccessToken:
            """A new token; raise `NoIdentity` where this way is not there."""
            ...


class Offer(Value):
    """A way by its *kind*, or, where *way* is None, *lacking*, why it is not there."""

    kind: str
    way: Way | None = None
    lacking: str = ""


class SignIn:
    """A `TokenSource` that is the first of *offers* to give a token, and from then on that one alone."""

    asks_a_person = False

    def __init__(self, offers: Sequence[Offer], *, only: bool = False) -> None:
        """*only*: there is one offer and it was chosen by name, so that what it lacks is its own error."""
        self._offers, self._only = offers, only
        self._way: Way | None = offers[0].way if only else None
        #: One line for each way that was looked at, with what came of it.
        self.trace: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """The name in the configuration of the way that is used; empty before the first token."""
        return self._way.kind if self._way else ""

    @property
    def label(self) -> str:
        """Who signs in, for people; before the first token, who will unless that way turns out not to be there."""
        likely = self._way or next((offer.way for offer in self._offers if offer.way), None)
        return likely.label if likely else "nobody"

    @property
    def subscription(self) -> str:
        """The subscription that the way itself stands for, empty where it says none."""
        return str(getattr(self._way, "subscription", ""))

    def token(self, scope: str) -> AccessToken:
        """A new token for *scope*. Raise `NoIdentity`, with the trace in its hint, where there is no way; else what the way raises."""
        if self._way is not None:
            return self._way.token(scope)
        if self._only:
            chosen = self._offers[0]
            raise ConfigurationError(
                f"azure.credential is {chosen.kind}, and {chosen.lacking}",
                key="azure.credential",
                hint="set that, or choose another way: docs/azure-sign-in.md has them all",
            )
        trace: list[str] = []
        for offer in self._offers:
            token = self._tried(offer, scope, trace)
            if token is not None:
                return token
        raise NoIdentity(
            "nobody here is signed in to Azure",
            hint="\n".join(
                ("az login, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET; asked for:", *(f"  {each}" for each in trace))
            ),
        )

    def _tried(self, offer: Offer, scope: str, trace: list[str]) -> AccessToken | None:
        if offer.way is None:
            trace.append(f"{offer.kind}: absent: {offer.lacking}")
            return None
        try:
            token = offer.way.token(scope)
        except NoIdentity as error:
            trace.append(f"{offer.kind}: absent: {error.message}")
            return None
        except Error as error:
            trace.append(f"{offer.kind}: broken: {error.message}")
            raise
        else:
            trace.append(f"{offer.kind}: found: {offer.way.label}")
            self._way = offer.way
            return token
        finally:
            self.trace = tuple(trace)


def sign_in(
    settings: Settings,
    wire: Wire,
    environ: Mapping[str, str],
    *,
    tell: Callable[[str], None] = lambda _: None,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> SignIn:
    """The sign-in that *settings* ask for; nothing is asked before the first token. *tell* shows a person what they must do."""
    offers = _Offers(settings, wire, environ, tell, clock, sleep)
    if settings.credential == "auto":
        return SignIn(offers.in_order())
    return SignIn([offers.named(settings.credential)], only=True)


class _Offers:
    def __init__(
        self,
        settings: Settings,
        wire: Wire,
        environ: Mapping[str, str],
        tell: Callable[[str], None],
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._said, self._wire, self._environ, self._tell, self._clock, self._sleep = settings, wire, environ, tell, clock, sleep

    def in_order(self) -> list[Offer]:
        """Those of ``auto``; a person is asked only where that was configured."""
        return [
            self._client_secret(),
            self._certificate(),
            self._workload(),
            self._platform(),
            self._cli(if_there=True),
            self._machine(probe=True),
            self._library("azure-identity"),
        ]

    def named(self, kind: str) -> Offer:
        """The one that is configured."""
        match kind:
            case "client-secret":
                return self._client_secret()
            case "certificate":
                return self._certificate()
            case "workload-identity":
                return self._workload()
            case "managed-identity":
                platform = self._platform()
                return platform if platform.way else self._machine(probe=False)
            case "azure-cli":
                return self._cli()
            case _:
                return Offer(kind, library.Library(kind, self._said.cloud, self._said.tenant, self._said.client_id, tell=self._tell))

    def _client_secret(self) -> Offer:
        return self._application("client-secret", "AZURE_CLIENT_SECRET", self._said.client_secret, ClientSecret)

    def _certificate(self) -> Offer:
        def way(entra: Entra, client_id: str, file: str) -> Way:
            return Certificate(entra, client_id, file, self._said.certificate_password)

        return self._application("certificate", "azure.certificate_file (AZURE_CLIENT_CERTIFICATE_PATH)", self._said.certificate_file, way)

    def _workload(self) -> Offer:
        return self._application("workload-identity", "AZURE_FEDERATED_TOKEN_FILE", self._said.federated_token_file, WorkloadIdentity)

    def _application(self, kind: str, name: str, proof: str, way: Callable[[Entra, str, str], Way]) -> Offer:
        said = self._said
        wanted = {"azure.tenant (AZURE_TENANT_ID)": said.tenant, "azure.client_id (AZURE_CLIENT_ID)": said.client_id, name: proof}
        if lacking := [each for each, value in wanted.items() if not value]:
            return Offer(kind, lacking=f"{' and '.join(lacking)} {'is' if len(lacking) == 1 else 'are'} not set")
        entra = Entra(self._wire.far, said.cloud.authority, said.tenant, clock=self._clock, sleep=self._sleep)
        return Offer(kind, way(entra, said.client_id, proof))

    def _platform(self) -> Offer:
        made = from_environment(self._wire.near, self._environ, self._said.client_id, clock=self._clock, sleep=self._sleep)
        return Offer("managed-identity", made, "" if made else "neither IDENTITY_ENDPOINT nor MSI_ENDPOINT is set")

    def _machine(self, *, probe: bool) -> Offer:
        made = imds(self._wire.near, self._said.client_id, probe=probe, clock=self._clock, sleep=self._sleep)
        return Offer("managed-identity", made)

    def _cli(self, *, if_there: bool = False) -> Offer:
        if if_there and not find_program("az", self._environ):
            return Offer("azure-cli", lacking="there is no Azure CLI (az) on PATH")
        return Offer("azure-cli", AzureCli(self._environ, self._said.tenant, self._said.subscription, clock=self._clock))

    def _library(self, kind: str) -> Offer:
        if not library.is_installed():
            return Offer(kind, lacking=f"azure-identity is not installed ({printable(library.REMEDY)})")
        return Offer(kind, library.Library(kind, self._said.cloud, self._said.tenant, self._said.client_id, tell=self._tell))
