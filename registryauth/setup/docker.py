"""Our helper in docker's ``config.json``."""

from __future__ import annotations

import os

from registryauth.errors import ConfigurationError
from registryauth.reference import DOCKER_HUB, DOCKER_HUB_KEY
from registryauth.resolver.docker_config import docker_config_file
from registryauth.setup import entries

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from registryauth.reference import Address, Registry
    from registryauth.setup.change import Change


def plan(addresses: Sequence[Address], environ: Mapping[str, str] | None = None) -> Change:
    """What makes docker ask our helper for each registry of *addresses*; raise `ConfigurationError`."""
    environ = os.environ if environ is None else environ
    return entries.added(_file(environ), addresses, _key, environ)


def undo(addresses: Sequence[Address] = (), environ: Mapping[str, str] | None = None) -> Change:
    """What takes our entries back, all of them where no address is given; raise `ConfigurationError`."""
    return entries.removed(_file(os.environ if environ is None else environ), addresses, _key)


def _key(registry: Registry) -> str:
    return DOCKER_HUB_KEY if registry.host == DOCKER_HUB else registry.host


def _file(environ: Mapping[str, str]) -> str:
    if path := docker_config_file(environ):
        return path
    raise ConfigurationError("there is no home directory for docker's configuration", hint="set HOME or DOCKER_CONFIG")
