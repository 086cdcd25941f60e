"""Our helper in helm's registry configuration.

Which file: ``HELM_REGISTRY_CONFIG``, else ``registry/config.json`` below ``HELM_CONFIG_HOME``, below ``$XDG_CONFIG_HOME/helm``, or
below the place that the system has for such (helm ``pkg/helmpath``, ``pkg/cli/environment.go``). Where helm's own file has nothing
for a registry, helm asks docker's configuration (``pkg/registry/client.go``); the entry goes into its own all the same, for a
credential there, or a helper of the system that helm finds by itself, would be taken before docker's is looked at.
"""

from __future__ import annotations

import os
import sys

from registryauth._paths import home_dir
from registryauth.errors import ConfigurationError
from registryauth.setup import entries
from registryauth.setup.docker import key_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from registryauth.reference import Address
    from registryauth.setup.change import Change


def plan(addresses: Sequence[Address], environ: Mapping[str, str] | None = None) -> Change:
    """What makes helm ask our helper for each registry of *addresses*; raise `ConfigurationError`."""
    environ = os.environ if environ is None else environ
    return entries.added(_file(environ), addresses, key_of, environ)


def undo(addresses: Sequence[Address] = (), environ: Mapping[str, str] | None = None) -> Change:
    """What takes our entries back, all of them where no address is given; raise `ConfigurationError`."""
    return entries.removed(_file(os.environ if environ is None else environ), addresses, key_of)


def _file(environ: Mapping[str, str], platform: str = sys.platform) -> str:
    if named := environ.get("HELM_REGISTRY_CONFIG"):
        return named
    if base := environ.get("HELM_CONFIG_HOME"):
        return os.path.join(base, "registry/config.json")
    base = environ.get("XDG_CONFIG_HOME", "")
    if not base:
        home = home_dir(environ)
        if not home:
            raise ConfigurationError("there is no home directory for helm's configuration", hint="set HOME or HELM_REGISTRY_CONFIG")
        base = os.path.join(home, "Library/Preferences" if platform == "darwin" else ".config")
    return os.path.join(base, "helm/registry/config.json")
