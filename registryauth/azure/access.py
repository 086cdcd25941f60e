"""One sign-in for each cloud and tenant, and what is asked with it; nothing is asked before the first use."""

from __future__ import annotations

import threading
import time

from registryauth._value import Value
from registryauth.azure.rest import Rest
from registryauth.azure.settings import settings_of
from registryauth.azure.sign_in import sign_in
from registryauth.azure.tokens import Tokens
from registryauth.azure.wire import open_wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from registryauth._http.messages import Transport
    from registryauth._origin import Origin
    from registryauth.azure.clouds import Cloud
    from registryauth.azure.sign_in import SignIn
    from registryauth.azure.wire import Wire
    from registryauth.config import Config


class Way(Value, hidden=("tokens", "management", "graph", "far")):
    """Who we are in one *cloud*: *tokens* for its services, *management* and *graph* two of them, *far* the way to all of it."""

    cloud: Cloud
    tokens: Tokens
    management: Rest
    graph: Rest
    far: Transport
    source: SignIn


class Access:
    """The ways in, by cloud and tenant, made when they are first asked for. Safe to share between threads; close it after use.

    *tell* shows a person what a sign-in wants done. *open_* opens the way to the wire.
    """

    def __init__(
        self,
        config: Config,
        environ: Mapping[str, str],
        *,
        tell: Callable[[str], None] = lambda _: None,
        open_: Callable[[], Wire] | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.config = config
        self.environ = environ
        self.clock = clock
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
        self._wire = wire = self._wire or self._open()
        settings = settings_of(self.config, self.environ, wire.far, cloud=cloud, tenant=tenant)
        source = sign_in(settings, wire, self.environ, tell=self._tell, clock=self.clock, sleep=self._sleep)
        tokens, found = Tokens(source, self.clock), settings.cloud

        def service(origin: Origin, scope: str, what: str) -> Rest:
            return Rest(wire.far, origin, lambda: tokens.get(scope), what, sleep=self._sleep, clock=self.clock)

        management = service(found.management, found.management_scope, "Azure resource management")
        graph = service(found.graph, found.graph_scope, "Microsoft Graph")
        return Way(found, tokens, management, graph, wire.far, source)
