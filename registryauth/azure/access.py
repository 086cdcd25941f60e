"""One sign-in for each cloud and tenant, and what is asked with it; nothing is asked before the first use."""

from __future__ import annotations

import threading
import time

from registryauth._value import Value
from registryauth.azure.rest import Rest
from registryauth.azure.settings import settings_of
from registryauth.azure.sign_in import sign_in
from registryauth.azure.tokens import Tokens
from registryauth.azure.wire import Wire, open_wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from registryauth._http.messages import Transport
    from registryauth._origin import Origin
    from registryauth.azure.clouds import Cloud
    from registryauth.azure.rehearsal import Planned
    from registryauth.azure.settings import Settings
    from registryauth.azure.sign_in import SignIn
    from registryauth.config import Config


class Way(Value, hidden=("tokens", "management", "graph", "far")):
    """Who we are in one *cloud*: *tokens* for its services, *management* and *graph* two of them, *far* the way to all of it.

    *subscription* is the one that is configured, an id or a display name; empty where none is.
    """

    cloud: Cloud
    tokens: Tokens
    management: Rest
    graph: Rest
    far: Transport
    source: SignIn
    subscription: str

    def own_subscription(self) -> str:
        """The id of the subscription that the sign-in stands for, empty for none. Raise as signing in does."""
        # The CLI tells its own with its token.
        self.tokens.get(self.cloud.management_scope)
        return self.source.subscription


def way_in(
    settings: Settings,
    wire: Wire,
    environ: Mapping[str, str],
    *,
    tell: Callable[[str], None],
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> Way:
    """The way that *settings* describe, over *wire*, which stays the caller's. Raise as `sign_in` does."""
    source = sign_in(settings, wire, environ, tell=tell, clock=clock, sleep=sleep)
    tokens, cloud = Tokens(source, clock), settings.cloud

    def service(origin: Origin, scope: str, what: str) -> Rest:
        return Rest(wire.far, origin, lambda: tokens.get(scope), what, sleep=sleep, clock=clock)

    management = service(cloud.management, cloud.management_scope, "Azure resource management")
    graph = service(cloud.graph, cloud.graph_scope, "Microsoft Graph")
    return Way(cloud, tokens, management, graph, wire.far, source, settings.subscription)


class Access:
    """The ways in, by cloud and tenant, made when they are first asked for. Safe to share between threads; close it after use.

    *tell* shows a person what a sign-in wants done. *open_* opens the way to the wire. In a *dry_run* what would change anything at
    one of the services is not sent but noted in `planned`.
    """

    def __init__(
        self,
        config: Config,
        environ: Mapping[str, str],
        *,
        tell: Callable[[str], None] = lambda _: None,
        open_: Callable[[], Wire] | None = None,
        dry_run: bool = False,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.config = config
        self.environ = environ
        self.clock = clock
        #: What a dry run did not send, in its order.
        self.planned: Sequence[Planned] = ()
        self._dry_run = dry_run
        self._tell = tell
        self._sleep = sleep
        self._open = open_ or (lambda: open_wire(environ, {host: said.ca_file for host, said in config.registries.items() if said.ca_file}))
        self._wire: Wire | None = None
        self._ways: dict[tuple[str, str], Way] = {}
        self._lock = threading.Lock()

    def way(self, cloud: str = "", tenant: str = "") -> Way:
        """The way into *cloud*, as somebody of *tenant*; empty is what the configuration says. Raise as `settings_of` does."""
        with self._lock:
            found = self._ways.get((cloud, tenant))
            if found is None:
                found = self._ways[cloud, tenant] = self._made(cloud, tenant)
            return found

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            if self._wire is not None:
                self._wire.close()
            self._wire = None
            self._ways.clear()

    def _made(self, cloud: str, tenant: str) -> Way:
        if self._wire is None:
            self._wire = self._rehearsed(self._open()) if self._dry_run else self._open()
        settings = settings_of(self.config, self.environ, self._wire.far, cloud=cloud, tenant=tenant)
        return way_in(settings, self._wire, self.environ, tell=self._tell, clock=self.clock, sleep=self._sleep)

    def _rehearsed(self, wire: Wire) -> Wire:
        from registryauth.azure.rehearsal import Rehearsal

        def services() -> tuple[Origin, ...]:
            return tuple(origin for way in list(self._ways.values()) for origin in (way.cloud.management, way.cloud.graph))

        rehearsal = Rehearsal(wire.far, services)
        self.planned = rehearsal.planned
        return Wire(rehearsal, wire.near)
