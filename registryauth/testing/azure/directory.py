"""Who there is in Entra: tenants, applications with their credentials, people."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

#: What Entra asks of a federated token (Microsoft Learn "Workload identity federation").
EXCHANGE_AUDIENCE = "api://AzureADTokenExchange"
#: Seconds: a secret without an end lives two years (Microsoft Graph, application: addPassword).
DEFAULT_LIFETIME = 2 * 365 * 24 * 3600


def new_id() -> str:
    """A random id as Azure writes them."""
    return str(uuid.uuid4())


@dataclass
class Secret:
    """A client secret. *value* is said once, at its creation; *key_id* names it for ever, and *hint* is its first three characters.

    Times are seconds since the epoch. *known_at* is when Entra's token endpoint has heard of it, *removed_at* when it has heard
    of its removal.
    """

    name: str
    starts_at: float
    ends_at: float
    known_at: float
    value: str = field(default_factory=lambda: f"{secrets.token_urlsafe(2)[:3]}8Q~{secrets.token_urlsafe(30)[:34]}", repr=False)
    key_id: str = field(default_factory=new_id)
    removed_at: float | None = None

    @property
    def hint(self) -> str:
        """What Graph shows of it."""
        return self.value[:3]


@dataclass(frozen=True)
class Federation:
    """Whose tokens stand for an application (Microsoft Graph, federatedIdentityCredential)."""

    issuer: str
    subject: str
    audience: str = EXCHANGE_AUDIENCE


@dataclass(eq=False)
class User:
    """A person, or anything that has an object id. *claims* are added to its tokens."""

    tenant: Tenant
    name: str
    principal_id: str = field(default_factory=new_id)
    graph: set[str] = field(default_factory=set)
    claims: dict[str, Any] = field(default_factory=dict)
    #: When resource management and the token endpoint have heard of it.
    known_at: float = 0.0

    @property
    def kind(self) -> str:
        """``principalType`` of a role assignment to it."""
        return "User"


@dataclass(eq=False)
class App(User):
    """An application and, unless *has_principal* is False, its service principal, whose object id is *principal_id*.

    *secrets* are those of the application, *principal_secrets* those of the service principal: both sign in, and the portal
    shows only the first (`az ad sp credential reset` writes the second). *thumbprints* are those of its certificates, SHA-1 and
    SHA-256 in hex. *graph* are its permissions in Microsoft Graph: Application.ReadWrite.All, Application.ReadWrite.OwnedBy.
    """

    app_id: str = field(default_factory=new_id)
    object_id: str = field(default_factory=new_id)
    secrets: list[Secret] = field(default_factory=list)
    principal_secrets: list[Secret] = field(default_factory=list)
    certificates: dict[str, Any] = field(default_factory=dict)
    federations: list[Federation] = field(default_factory=list)
    owners: set[str] = field(default_factory=set)
    has_principal: bool = True
    created_at: float = 0.0

    @property
    def kind(self) -> str:
        """``principalType`` of a role assignment to it."""
        return "ServicePrincipal"

    def add_secret(
        self, name: str = "", *, lifetime: float = DEFAULT_LIFETIME, starts_in: float = 0, delay: float = 0, value: str = ""
    ) -> Secret:
        """A new secret, good from *starts_in* seconds on for *lifetime* seconds, which Entra accepts after *delay* seconds."""
        now = self.tenant.now()
        secret = Secret(name, now + starts_in, now + starts_in + lifetime, now + delay)
        if value:
            secret.value = value
        self.secrets.append(secret)
        return secret

    def remove_secret(self, key_id: str, *, delay: float = 0) -> bool:
        """Let a secret go; whether there was one. Entra accepts it for *delay* seconds more."""
        found = next((secret for secret in self.visible_secrets() if secret.key_id == key_id), None)
        if found:
            found.removed_at = self.tenant.now() + delay
        return found is not None

    def visible_secrets(self, *, principal: bool | None = None) -> list[Secret]:
        """What Graph lists: those of the application, of the *principal*, or (None) of both."""
        held = [] if principal else self.secrets
        held = held + ([] if principal is False else self.principal_secrets)
        return [secret for secret in held if secret.removed_at is None]

    def add_certificate(self, pem: bytes) -> str:
        """Register a certificate; its SHA-1 thumbprint in hex. Needs `cryptography`."""
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes

        certificate = x509.load_pem_x509_certificate(pem)
        thumbprints = [certificate.fingerprint(kind).hex().upper() for kind in (hashes.SHA1(), hashes.SHA256())]  # noqa: S303 - x5t is SHA-1
        self.certificates.update(dict.fromkeys(thumbprints, certificate.public_key()))
        return thumbprints[0]

    def trust(self, issuer: str, subject: str, audience: str = EXCHANGE_AUDIENCE) -> None:
        """Accept tokens that *issuer* gives *subject*, unsigned ones too: who signs at the issuer's is not simulated."""
        self.federations.append(Federation(issuer, subject, audience))


class Tenant:
    """A directory; *now* gives seconds since the epoch. *replication* is how many seconds what Graph creates takes to be known."""

    def __init__(self, name: str, now: Callable[[], float]) -> None:
        self.id = new_id()
        self.name = name
        self.domain = f"{name}.onmicrosoft.com"
        self.now = now
        self.replication = 0.0
        #: Seconds that a policy lets a new secret live; 0 is no policy (Microsoft Graph, appManagementPolicy).
        self.longest_secret = 0.0
        #: Gives the next application its client id.
        self.new_id: Callable[[], str] = new_id
        self.apps: list[App] = []
        self.users: list[User] = []

    def app(self, name: str, *, graph: Collection[str] = (), app_id: str = "") -> App:
        """A new application with its service principal; its *graph* permissions are those of `App`."""
        made = App(self, name, graph=set(graph), created_at=self.now(), app_id=app_id or self.new_id())
        self.apps.append(made)
        return made

    def user(self, name: str, *, graph: Collection[str] = ("Application.ReadWrite.All",)) -> User:
        """A person; whoever may register applications has Application.ReadWrite.All."""
        made = User(self, name, graph=set(graph))
        self.users.append(made)
        return made

    def app_of(self, app_id: str) -> App | None:
        """The application with that client id, in any case."""
        return next((app for app in self.apps if app.app_id == app_id.lower()), None)

    def principal(self, object_id: str) -> User | None:
        """Who has that object id."""
        known: list[User] = [*self.users, *(app for app in self.apps if app.has_principal)]
        return next((one for one in known if one.principal_id == object_id.lower()), None)

    def is_named(self, text: str) -> bool:
        """Whether *text* is the tenant's id or one of its domains."""
        return text.lower() in (self.id, self.domain.lower())
