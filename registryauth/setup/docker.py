"""Our helper in docker's ``config.json``, which oras and most Go clients read, too."""

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
    change = entries.added(_file(environ), addresses, key_of, environ)
    return change.replace(warnings=(*change.warnings, *_overruled(environ)))


def undo(addresses: Sequence[Address] = (), environ: Mapping[str, str] | None = None) -> Change:
    """What takes our entries back, all of them where no address is given; raise `ConfigurationError`."""
    return entries.removed(_file(os.environ if environ is None else environ), addresses, key_of)


def key_of(registry: Registry) -> str:
    """The key under which docker's file has *registry*."""
    return DOCKER_HUB_KEY if registry.host == DOCKER_HUB else registry.host


def _file(environ: Mapping[str, str]) -> str:
    if path := docker_config_file(environ):
        return path
    raise ConfigurationError("there is no home directory for docker's configuration", hint="set HOME or DOCKER_CONFIG")


def _overruled(environ: Mapping[str, str]) -> tuple[str, ...]:
    """A word on the variable that docker 28.3 and later asks before its file (docker/cli ``cli/config/configfile/file.go``)."""
    if not environ.get("DOCKER_AUTH_CONFIG"):
        return ()
    return ("DOCKER_AUTH_CONFIG is set, and docker takes the registries in it from there: unset it",)
