"""What a walk along the chain is given, and what it has learnt so far."""

from __future__ import annotations

from registryauth._value import Value
from registryauth.diagnosis.redaction import Blotter
from registryauth.stores.commands import command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from registryauth._http.tls import Trusting
    from registryauth._origin import Origin, Url
    from registryauth.auth.challenge import Challenge
    from registryauth.auth.exchange import Token
    from registryauth.azure.acr_errors import Meaning
    from registryauth.azure.standing import Standing
    from registryauth.client import Client
    from registryauth.client.client import Credentials
    from registryauth.content.descriptor import Platform
    from registryauth.content.manifest import Index, Manifest
    from registryauth.credentials import Pinned
    from registryauth.diagnosis.network import Network
    from registryauth.reference import Reference, Registry, Repository
    from registryauth.registries import Classification
    from registryauth.resolver import PullSecret, Resolver

    #: Of a registry, a repository's path and a secret; True where nobody was let in, whoever it is.
    Standings = Callable[[Registry, str, PullSecret | None, bool], Standing | None]


def _nothing(_: PullSecret) -> None:
    return None


def _nowhere(_registry: Registry, _repository: str, _secret: PullSecret | None, _at_the_door: bool) -> None:
    return None


class Tools(Value, hidden=("environ", "blotter")):
    """What the steps work with; everything that reaches outside is in here.

    *open_client* gives a client for the registry at a host, as every other verb has it, with the credentials of a resolver or a
    function. *parse* reads a reference. *is_insecure* says whether the user named a registry for plain http. *trust* is whose
    certificates count for a host. *second_opinion* asks whoever issued a refused secret why (Entra), None where nobody can tell;
    *standing* asks resource management how that account stands at the registry, in a repository.
    *clock* is in seconds since the epoch, *timer* in seconds since any moment.
    """

    resolver: Resolver
    open_client: Callable[[Resolver | Credentials, str], Client]
    parse: Callable[[str], Reference]
    network: Network
    trust: Trusting
    environ: Mapping[str, str]
    is_insecure: Callable[[Registry], bool]
    clock: Callable[[], float]
    timer: Callable[[], float]
    blotter: Blotter
    second_opinion: Callable[[PullSecret], Meaning | None] = _nothing
    standing: Standings = _nowhere


class Walk(Value, hidden=("tools", "candidates", "token")):
    """What is known of the reference *text*; a field is None, or empty, until the step that learns it was made.

    *candidates* are the credentials to try, empty where nobody is needed or nobody was found. *proxy* is the URL of the proxy on the
    way, *private* what was seen of a private endpoint. *origin* is where the API was reached. *challenge* is what it asks for, None
    where it asks nobody.
    """

    text: str
    tools: Tools
    platform: Platform | None = None
    reference: Reference | None = None
    classification: Classification | None = None
    secret: PullSecret | None = None
    candidates: tuple[Pinned, ...] = ()
    expired: str = ""
    proxy: str = ""
    private: str = ""
    origin: Origin | None = None
    client: Client | None = None
    challenge: Challenge | None = None
    realm: Url | None = None
    token: Token | None = None
    manifest: Manifest | Index | None = None
    image: Manifest | None = None

    @property
    def named(self) -> Reference:
        """The reference, once it was read."""
        if self.reference is None:
            raise AssertionError("the first step reads the reference")
        return self.reference

    @property
    def registry(self) -> Registry:
        """Its registry."""
        return self.named.registry

    @property
    def repository(self) -> Repository:
        """Its repository."""
        return self.named.repository

    @property
    def rotating(self) -> str:
        """The command that puts a new secret in the place of the one that was found."""
        key = self.secret.key if self.secret else None
        return command("principal rotate", key) if key else f"registryauth principal rotate {self.registry}"

    @property
    def asking(self) -> Client:
        """The client that asks as everybody else's does, once it was opened."""
        if self.client is None:
            raise AssertionError("the challenge's step opens the client")
        return self.client

    @property
    def is_acr(self) -> bool:
        """Whether the registry is one of Azure's."""
        return self.classification is not None and self.classification.provider.name == "acr"
