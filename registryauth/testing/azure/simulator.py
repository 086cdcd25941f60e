"""Azure as a pure function from request to response, with a registry's three doors and one more: a proxy."""

from __future__ import annotations

import ssl
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Literal

from registryauth._http.messages import Request, Response
from registryauth._origin import Url, is_loopback
from registryauth.azure.clouds import PUBLIC, Cloud
from registryauth.errors import TransportError
from registryauth.testing import asked
from registryauth.testing.azure.acr import Front
from registryauth.testing.azure.arm import ResourceManager
from registryauth.testing.azure.blobs import BlobStore
from registryauth.testing.azure.directory import Tenant, User, new_id
from registryauth.testing.azure.entra import Entra
from registryauth.testing.azure.graph import Graph
from registryauth.testing.azure.machines import METADATA_HOST, Machines
from registryauth.testing.azure.registry import AzureRegistry
from registryauth.testing.azure.roles import ROLES, RoleAssignment, Roles
from registryauth.testing.azure.workspaces import Workspace
from registryauth.testing.doors import Doors
from registryauth.testing.faults import Alteration, Fault, Interference
from registryauth.testing.meddling import Meddling


class AzureSimulator(Doors, Meddling):
    """One of Azure's clouds in memory: Entra, Graph, resource management, registries, image builds, blob storage.

    ::

        azure = AzureSimulator()
        app = azure.tenant("contoso").app("deploy")
        secret = app.add_secret()
        registry = azure.registry("myregistry", mode="abac")
        registry.images.add_image("team/app", "v1")
        azure.assign(app, "Container Registry Repository Reader", registry)
        transport = azure.transport()          # or httpx_transport(), serve(), proxy(), environment()

    Requests are told apart by host name, as they are in Azure; one that comes by another name (``127.0.0.1``) by its path. A registry
    that is not there has no name either: `TransportError`, as where DNS knows nothing.

    *clock* gives seconds since the epoch and is everybody's; *skew*, in seconds, is by how much Azure is ahead of it. `home` is the
    first tenant, `subscription` the only subscription. *client_address* is where firewalls think that requests come from.
    *requests* holds every request, secrets and all. What it answers is what Microsoft's pages, recordings and clients say; it was
    never compared with Azure itself.

    Faults: most are states (`Secret` that ended, `AzureRegistry.firewall`, ``roles.propagation``, ``home.replication``, `skew`,
    ``entra.signer.encoding``); others are injected, `testing.faults` and `testing.azure.faults` have them ready-made.
    """

    def __init__(self, *, clock: Callable[[], float] = time.time, cloud: Cloud = PUBLIC) -> None:
        super().__init__()
        self.clock = clock
        self.cloud = cloud
        self.skew = 0.0
        self.subscription = new_id()
        self.client_address = "203.0.113.7"
        self.requests: list[Request] = []
        self.groups: dict[str, str] = {}
        self.registries: list[AzureRegistry] = []
        self.workspaces: list[Workspace] = []
        self.entra = Entra(cloud, self.now)
        self.roles = Roles(self.now)
        self.blobs = BlobStore(cloud.name, self.now)
        self.graph = Graph(self)
        self.management = ResourceManager(self)
        self.machines = Machines(self)
        self._fronts: dict[str, Front] = {}
        # A socket door handles several requests at once; all that is here sees one at a time.
        self._lock = threading.RLock()

    def now(self) -> float:
        """Seconds since the epoch by Azure's clocks."""
        return self.clock() + self.skew

    @property
    def home(self) -> Tenant:
        """The tenant of the subscription: the first one, ``contoso`` if none was made."""
        return self.entra.tenants[0] if self.entra.tenants else self.tenant()

    @property
    def management_audiences(self) -> set[str]:
        """What a token for resource management may say that it is for."""
        return {one for one in self.entra.audiences if "//management." in one}

    def tenant(self, name: str = "contoso") -> Tenant:
        """The tenant of that name, made if it is not there."""
        found = next((tenant for tenant in self.entra.tenants if tenant.name == name), None)
        if found is None:
            found = Tenant(name, self.now)
            self.entra.tenants.append(found)
        return found

    def registry(
        self,
        name: str,
        *,
        group: str = "g",
        sku: Literal["Basic", "Standard", "Premium"] = "Premium",
        mode: Literal["classic", "abac"] = "classic",
        admin: bool = False,
        anonymous_pull: bool = False,
        domain_label_hash: str = "",
        firewall: Sequence[str] = (),
        public: bool = True,
        arm_audience: bool = True,
        data_endpoint: bool = False,
        location: str = "westeurope",
    ) -> AzureRegistry:
        """A new registry; `AzureRegistry` says what the settings are."""
        made = AzureRegistry(
            self, name, group, sku=sku, mode=mode, admin=admin, anonymous_pull=anonymous_pull, domain_label_hash=domain_label_hash,
            firewall=firewall, public=public, arm_audience=arm_audience, data_endpoint=data_endpoint, location=location,
        )  # fmt: skip
        self.groups.setdefault(group, location)
        self.registries.append(made)
        self._fronts[made.name] = Front(made)
        return made

    def workspace(self, name: str, *, group: str = "g", registry: AzureRegistry | None = None, location: str = "westeurope") -> Workspace:
        """A new Azure ML workspace, without a registry unless one is given; `Workspace.train` makes one, as a first run does."""
        made = Workspace(self, name, group, registry, location)
        self.groups.setdefault(group, location)
        self.workspaces.append(made)
        return made

    def assign(
        self, principal: User, role: str, scope: AzureRegistry | Workspace | str = "", *, repository: str = "", delay: float = 0
    ) -> RoleAssignment:
        """Give *principal* the built-in *role* at *scope*, a resource, its id, or (empty) the subscription.

        *repository*, a name or a beginning that ends in ``*``, becomes the assignment's condition. Registries hear of it after
        *delay* seconds. Raise `KeyError` for a role that the simulator does not know.
        """
        if role not in ROLES:
            raise KeyError(role)
        where = scope or f"/subscriptions/{self.subscription}"
        at = where if isinstance(where, str) else where.id
        condition = repository and _condition(repository)
        now = self.now()
        return self.roles.add(
            RoleAssignment(role, principal.principal_id, at, principal.kind, now + delay, condition=condition, created_at=now)
        )

    def principal(self, object_id: str) -> User | None:
        """Who has that object id, in whichever tenant."""
        return next((found for tenant in self.entra.tenants if (found := tenant.principal(object_id))), None)

    def token(self, principal: User, scope: str = "") -> str:
        """An Entra token of *principal* for *scope*, by default resource management's, without asking for it."""
        return self.entra.token(principal, scope or self.cloud.management_scope)

    def fault(self, fault: Fault, host: str = "") -> None:
        """`inject` for the requests to *host* alone, a host name or the end of one that begins with a dot."""
        self.inject(lambda request: fault(request) if _is_for(request, host) else None)

    def altered(self, alteration: Alteration, host: str = "") -> None:
        """`alter` for the requests to *host* alone."""
        self.alter(lambda request, answer: alteration(request, answer) if _is_for(request, host) else answer)

    def interfered(self, interference: Interference, host: str = "") -> None:
        """`interfere` for the requests to *host* alone."""
        self.interfere(lambda request, then: interference(request, then) if _is_for(request, host) else then(request))

    def handle(self, request: Request) -> Response:
        """The answer to *request*, faults included; a fault may raise `TransportError` instead."""
        with self._lock:
            self.requests.append(request)
        return self._meddled(request, self._answer)

    @contextmanager
    def proxy(self, tls: ssl.SSLContext) -> Iterator[str]:
        """Serve every host of the cloud under its own name to clients that have ``http://127.0.0.1:PORT`` for a proxy; gives that URL.

        *tls* has a certificate for the names that will be asked for.
        """
        from registryauth.testing.azure.tunnel import tunnel

        with self.serve(tls) as host, tunnel(host) as url:
            yield url

    @contextmanager
    def environment(self) -> Iterator[dict[str, str]]:
        """What the environment of a program must say for it to meet this Azure, by `proxy`, in place of the real one.

        ``HTTPS_PROXY``, and ``SSL_CERT_FILE`` and ``REQUESTS_CA_BUNDLE`` for an authority of this very moment. Whatever else the
        program asks over https comes here, too, and is answered that there is no such host.
        """
        from registryauth.testing.certificates import Authority

        with tempfile.TemporaryDirectory(prefix="azure-simulator-") as directory:
            authority = Authority(Path(directory))
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*authority.issue("azure", hosts=self._names))
            with self.proxy(context) as url:
                ca_file = str(authority.ca_file)
                yield {"HTTPS_PROXY": url, "SSL_CERT_FILE": ca_file, "REQUESTS_CA_BUNDLE": ca_file}

    @property
    def _names(self) -> list[str]:
        """Every host name of this cloud as a certificate says it; a wildcard stands for one label (RFC 9525 §6.3)."""
        cloud, suffix = self.cloud, self.cloud.registry_suffix
        regions = {"westeurope", *self.groups.values(), *(registry.location for registry in self.registries)}
        regional = [f"*.{region}.{kind}{suffix}" for region in sorted(regions) for kind in ("data", "geo")]
        return [cloud.authority.host, cloud.management.host, cloud.graph.host, f"*{suffix}", f"*.{self.blobs.suffix}", *regional]

    @staticmethod
    def endpoints(base: str) -> dict[str, str]:
        """Where a client that takes addresses finds the services, with the simulator served at *base*, ``https://127.0.0.1:PORT``."""
        return dict.fromkeys(("authority", "management", "graph", "registry", "metadata"), base.rstrip("/"))

    def _answer(self, request: Request) -> Response:
        host = request.url.origin.host
        with self._lock:
            if handler := self._by_host(host) or (self._by_path(request) if is_loopback(host) else None):
                return handler(request)
        raise TransportError(f"there is no host {host}", hint="the simulator knows no such service or registry")

    def _by_host(self, host: str) -> Callable[[Request], Response] | None:
        cloud = self.cloud
        services: dict[str, Callable[[Request], Response]] = {
            cloud.authority.host: self.entra.answer,
            cloud.graph.host: self.graph.answer,
            cloud.management.host: self.management.answer,
            METADATA_HOST: self.machines.answer,
        }
        if host in services:
            return services[host]
        for registry in self.registries:
            if host in registry.hosts:
                return self._fronts[registry.name].handle
            if host == registry.blob_host:
                return partial(self._blob, registry)
        return self.blobs.answer if host.endswith(f".{self.blobs.suffix}") else None

    def _by_path(self, request: Request) -> Callable[[Request], Response] | None:
        """Who answers a client on the loopback; of registries the first."""
        path = asked.path(request)
        first = path.split("/")[1] if "/" in path else ""
        if self.machines.knows(request):
            return self.machines.answer
        if first in ("subscriptions", "metadata", "providers"):
            return self.management.answer
        if first == "v1.0":
            return self.graph.answer
        if (first in ("v2", "acr") or path in ("/oauth2/exchange", "/oauth2/token")) and self.registries:
            return self._fronts[self.registries[0].name].handle
        if "/oauth2/v2.0/" in path or ".well-known" in path or "/discovery/" in path:
            return self.entra.answer
        if first == "registry" and self.registries:
            return partial(self._blob, self.registries[0])
        return self.blobs.answer

    def _blob(self, registry: AzureRegistry, request: Request) -> Response:
        """An image's blob, or what else is in the registry's account."""
        prefix = "/registry/"
        if not asked.path(request).startswith(prefix):
            return self.blobs.answer(request)
        store = f"https://{registry.blob_host}"
        real = request.replace(url=Url.parse(f"{store}{request.url.target}"))
        return self.blobs.refusal(real) or registry.images.handle(real)


def _condition(repository: str) -> str:
    """A condition of version 2.0 (Microsoft Learn "Azure attribute-based access control for repository permissions")."""
    name = "@Request[Microsoft.ContainerRegistry/registries/repositories:name]"
    kind, value = ("StringStartsWithIgnoreCase", repository[:-1]) if repository.endswith("*") else ("StringEqualsIgnoreCase", repository)
    return f"({name} {kind} '{value}')"


def _is_for(request: Request, host: str) -> bool:
    asked_for = request.url.origin.host
    return not host or asked_for == host or (host.startswith(".") and asked_for.endswith(host))
