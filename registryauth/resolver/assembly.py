"""Which sources there are, and in which order, by the configuration."""

from __future__ import annotations

import os

from registryauth.config import load
from registryauth.reference import Registry
from registryauth.registries import Kind
from registryauth.resolver.explicit import Explicit
from registryauth.resolver.public import Public
from registryauth.resolver.stored import Stored

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from registryauth.config import Config
    from registryauth.credentials import Credential
    from registryauth.resolver.answer import Source
    from registryauth.stores import Store


def assemble(
    config: Config | None,
    environ: Mapping[str, str] | None,
    store: Store | None,
    explicit: Mapping[str, Credential] | None,
    account: str | None,
    clock: Callable[[], float],
) -> tuple[list[Source], dict[str, Kind], frozenset[str], Callable[[], None]]:
    """Sources in order, what is known of registries, host names that are spelled right, and what closes a store opened here."""
    from registryauth.resolver.environment import Environment

    environ = os.environ if environ is None else environ
    config = config or load(environ)
    known = {host: Kind(said.kind) for host, said in config.registries.items() if said.kind}
    opener = _Opener(config, environ)
    sources: list[Source] = [
        Explicit(explicit),
        Environment(environ),
        Stored(opener if store is None else lambda: store, account=account, clock=clock),
    ]
    if config.docker_config:
        from registryauth.resolver.containers_auth import ContainersAuth
        from registryauth.resolver.docker_config import DockerConfig

        sources += [DockerConfig(environ), ContainersAuth(environ)]
    spelled = frozenset(Registry(host).hostname for host in config.registries)
    return [*sources, Public(known)], known, spelled, opener.close


class _Opener:
    """Opens the configured store when it is first needed, and never makes one: to ask is not to write."""

    def __init__(self, config: Config, environ: Mapping[str, str]) -> None:
        self._config = config
        self._environ = environ
        self._store: Store | None = None

    def __call__(self) -> Store | None:
        from registryauth.stores import from_config

        path = self._config.store_path
        if self._store is None and (self._config.store_backend != "local" or (path and os.path.lexists(path))):
            self._store = from_config(self._config, self._environ)
        return self._store

    def close(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None
