"""Which sources there are, and in which order, by the configuration."""

from __future__ import annotations

import os
import threading

from registryauth._value import Value
from registryauth.config import load
from registryauth.config.keys import SOURCES
from registryauth.reference import Registry
from registryauth.registries import Kind
from registryauth.resolver.account import OfAccount
from registryauth.resolver.answer import NotAsked
from registryauth.resolver.explicit import Explicit
from registryauth.resolver.plan import Plan
from registryauth.resolver.public import Public
from registryauth.resolver.stored import Stored

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from registryauth.config import Config
    from registryauth.credentials import Credential
    from registryauth.resolver.answer import Source
    from registryauth.resolver.stored import Renew
    from registryauth.resolver.workspace import Workspaces
    from registryauth.stores import Store
    from registryauth.stores.keys import Ask
    from registryauth.stores.principal import Key, Principal

#: What traces call the sources that the configuration names.
TITLES: Mapping[str, str] = {
    "explicit": "explicit argument",
    "environment": "environment",
    "store": "store",
    "workspace": "workspace",
    "docker": "docker config",
    "containers": "containers auth",
    "public": "public registries",
}
#: Those that are other programs' files and helpers.
_FOREIGN = ("docker", "containers")
#: What the audit log says that the store is read for.
_PURPOSE = "resolve"


class Assembled(Value):
    """What a `Resolver` is made of; its own docstring says what each is."""

    usual: Plan
    plans: dict[str, Plan]
    known: dict[str, Kind]
    spelled: frozenset[str]
    tolerated: frozenset[str]
    close: Callable[[], None]
    workspaces: Workspaces | None = None


def assemble(
    config: Config | None,
    environ: Mapping[str, str] | None,
    store: Store | None,
    explicit: Mapping[str, Credential] | None,
    account: str | None,
    clock: Callable[[], float],
    ask: Ask | None = None,
    notice: Callable[[str], None] = lambda _: None,
    *,
    workspace: str = "",
    allow_admin_user: bool = False,
) -> Assembled:
    """The sources that *config* and *environ* name; see `Resolver.from_config`."""
    environ = os.environ if environ is None else environ
    config = config or load(environ)
    known = {host: Kind(said.kind) for host, said in config.registries.items() if said.kind}
    opener = _Opener(config, environ, ask)
    accounts = {} if account else {host: said.account for host, said in config.registries.items() if said.account}
    # An account that is named on the command line is looked for wherever one may be.
    orders = {} if account else {host: said.order for host, said in config.registries.items() if said.order}
    sources: dict[str, Source] = {
        "explicit": Explicit(explicit),
        "environment": _environment(environ, account),
        "store": Stored(
            opener if store is None else lambda: store,
            account=account,
            accounts=accounts,
            clock=clock,
            renew=_renewing(config, environ, notice, clock),
        ),
        "public": Public(known),
    }
    if config.docker_config:
        sources |= _foreign(config, environ, account, accounts)
    workspaces = None
    if config.workspaces or workspace or allow_admin_user:
        from registryauth.resolver.workspace import Workspaces

        workspaces = Workspaces.from_config(
            config,
            environ,
            chosen=workspace,
            allow_admin_user=allow_admin_user,
            notice=notice,
            note=_noting(config, environ, store, opener),
            clock=clock,
        )
        sources["workspace"] = OfAccount(workspaces, account, accounts) if account or accounts else workspaces
    return Assembled(
        usual=_plan(sources, config.resolver_order, "resolver.order"),
        plans={host: _plan(sources, order, f'order under [registries."{host}"]') for host, order in orders.items()},
        known=known,
        spelled=frozenset(Registry(host).hostname for host in config.registries),
        tolerated=frozenset(TITLES[name] for name in _FOREIGN if config.broken_helper == "warn"),
        close=_closing(opener, workspaces),
        workspaces=workspaces,
    )


def _closing(opener: _Opener, workspaces: Workspaces | None) -> Callable[[], None]:
    def close() -> None:
        opener.close()
        if workspaces:
            workspaces.close()

    return close


def _noting(config: Config, environ: Mapping[str, str], store: Store | None, opener: _Opener) -> Callable[[Key, str], None]:
    """What writes down, in the audit log, what was fetched from elsewhere; no store is made for that, and nobody is asked to open one."""

    def note(key: Key, how: str) -> None:
        from contextlib import closing

        from registryauth.azure import vault_token
        from registryauth.stores import from_config
        from registryauth.stores.audited import note

        held = store or opener.held
        if held is not None:
            note(held, "fetched", key, detail=how)
        elif config.store_backend != "local" or config.store_path:
            with closing(from_config(config, environ, purpose=_PURPOSE, azure_token=vault_token)) as locked:
                note(locked, "fetched", key, detail=how)

    return note


def _renewing(config: Config, environ: Mapping[str, str], notice: Callable[[str], None], clock: Callable[[], float]) -> Renew:
    def renew(store: Store, record: Principal) -> Principal:
        from registryauth.azure.renewal import Renewal

        return Renewal(config, environ, warn=notice, clock=clock).renewed(store, record)

    return renew


def _environment(environ: Mapping[str, str], account: str | None) -> Source:
    from registryauth.resolver.environment import Environment

    source = Environment(environ)
    # A variable is stronger than the file that says which account a registry's is; a flag is stronger than both.
    return OfAccount(source, account) if account else source


def _foreign(config: Config, environ: Mapping[str, str], account: str | None, accounts: Mapping[str, str]) -> dict[str, Source]:
    from registryauth.resolver.asked_helpers import AskedHelpers
    from registryauth.resolver.containers_auth import ContainersAuth
    from registryauth.resolver.docker_config import DockerConfig

    # One for both: docker's file and containers' name the same helpers.
    ask = AskedHelpers(config.helper_timeout)
    sources: dict[str, Source] = {"docker": DockerConfig(environ, ask=ask), "containers": ContainersAuth(environ, ask=ask)}
    if not account and not accounts:
        return sources
    return {name: OfAccount(source, account, accounts) for name, source in sources.items()}


def _plan(sources: Mapping[str, Source], order: Sequence[str], rule: str) -> Plan:
    asked = [name for name in dict.fromkeys(order) if name in sources]
    reasons = {name: f"{rule} leaves it out" for name in SOURCES if name not in asked}
    reasons |= {name: "resolver.docker_config is false" for name in order if name not in sources}
    if "workspace" not in sources:
        # Who configured no workspace is not told of it each time.
        reasons.pop("workspace", None)
    return Plan(tuple(sources[name] for name in asked), tuple(NotAsked(TITLES[name], why) for name, why in reasons.items()))


class _Opener:
    """Opens the configured store when it is first needed, and never makes one: to ask is not to write."""

    def __init__(self, config: Config, environ: Mapping[str, str], ask: Ask | None) -> None:
        self._config = config
        self._environ = environ
        self._ask = ask
        self._lock = threading.Lock()
        self._store: Store | None = None

    def __call__(self) -> Store | None:
        # Without the lock: what was opened stays until `close`.
        return self._store or self._opened()

    def _opened(self) -> Store | None:
        from registryauth.azure import vault_token
        from registryauth.stores import from_config

        path = self._config.store_path
        with self._lock:
            if self._store is None and (self._config.store_backend != "local" or (path and os.path.lexists(path))):
                self._store = from_config(self._config, self._environ, ask=self._ask, purpose=_PURPOSE, azure_token=vault_token)
            return self._store

    @property
    def held(self) -> Store | None:
        """The store, if it was opened."""
        return self._store

    def close(self) -> None:
        with self._lock:
            if self._store is not None:
                self._store.close()
                self._store = None
