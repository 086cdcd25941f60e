"""Our helper in the ``auth.json`` of podman, buildah and skopeo.

Which file: the one that ``REGISTRY_AUTH_FILE`` names, for then no other is read; else, where
``DOCKER_CONFIG`` is set, the ``config.json`` in there, for podman and buildah then read no other and
skopeo reads it last; else ``$XDG_CONFIG_HOME/containers/auth.json``. The file that ``podman login`` writes,
``$XDG_RUNTIME_DIR/containers/auth.json``, is read before that one, but it lives in memory, and an entry
in it would be gone after a restart; so an entry of it that comes before ours is reported instead.
Source: containers-auth.json(5), common ``pkg/auth/auth.go`` (GetDefaultAuthFile).
"""

from __future__ import annotations

import os

from registryauth._redact import printable
from registryauth.errors import ConfigurationError, SourceFailed
from registryauth.resolver.auths import address_of
from registryauth.resolver.containers_auth import lasting_file, runtime_file
from registryauth.resolver.documents import read_document
from registryauth.resolver.helper import OURS
from registryauth.resolver.registries_conf import AUTH_FILES, SYSTEM, RegistriesConf
from registryauth.setup import entries

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from registryauth.reference import Address, Registry
    from registryauth.setup.change import Change


def plan(addresses: Sequence[Address], environ: Mapping[str, str] | None = None, *, system: str = SYSTEM) -> Change:
    """What makes podman, buildah and skopeo ask our helper for each registry of *addresses*; raise `ConfigurationError`."""
    environ = os.environ if environ is None else environ
    change = entries.added(_file(environ), addresses, _key, environ)
    return change.replace(warnings=(*change.warnings, *_passed_over(environ, system), *_overruled(addresses, environ)))


def undo(addresses: Sequence[Address] = (), environ: Mapping[str, str] | None = None) -> Change:
    """What takes our entries back, all of them where no address is given; raise `ConfigurationError`."""
    return entries.removed(_file(os.environ if environ is None else environ), addresses, _key)


def _key(registry: Registry) -> str:
    # containers/image knows Docker Hub by the name that stands in references.
    return registry.host


def _file(environ: Mapping[str, str]) -> str:
    if named := environ.get("REGISTRY_AUTH_FILE"):
        return named
    if directory := environ.get("DOCKER_CONFIG"):
        return os.path.join(directory, "config.json")
    if path := lasting_file(environ):
        return path
    raise ConfigurationError("there is no home directory for auth.json", hint="set HOME or REGISTRY_AUTH_FILE")


def _passed_over(environ: Mapping[str, str], system: str) -> tuple[str, ...]:
    """A word where registries.conf has podman read no ``auth.json``, or ask others before (containers-registries.conf(5))."""
    try:
        helpers, path = RegistriesConf(environ, system).helpers()
    except SourceFailed as error:
        return (error.message,)
    if OURS in helpers or helpers[0] == AUTH_FILES:
        return ()
    first = helpers[: helpers.index(AUTH_FILES)] if AUTH_FILES in helpers else helpers
    named = f"{printable(path)} has credential-helpers that"
    if AUTH_FILES not in helpers:
        return (f"{named} leave auth.json out, so that this entry is not read: add {AUTH_FILES} or {OURS} to them",)
    return (f"{named} are asked before auth.json: {printable(', '.join(first), 120)}",)


def _overruled(addresses: Sequence[Address], environ: Mapping[str, str]) -> tuple[str, ...]:
    """A word on each registry for which the file that is read first has an answer of its own."""
    if environ.get("REGISTRY_AUTH_FILE"):
        return ()
    path = runtime_file(environ)
    document = read_document(path, error=ConfigurationError)
    if document is None:
        return ()
    registries = {address.registry for address in addresses}
    found = [
        address
        for field in ("auths", "credHelpers")
        for key, node in document.field(field).fields()
        if (address := address_of(key)) and address.registry in registries and node.value not in ({}, None, OURS)
    ]
    return tuple(f"{printable(path)} is read first and has an entry for {address}: podman logout {address} removes it" for address in found)
