"""The ``auth.json`` of podman, buildah and skopeo, and the helpers that their registries.conf names. Read, never written.

Source: containers-auth.json(5), containers-registries.conf(5), and containers/image ``pkg/docker/config/config.go``.
"""

from __future__ import annotations

import os

from registryauth._paths import home_dir
from registryauth._redact import printable
from registryauth.reference import DOCKER_HUB
from registryauth.resolver.answer import Absent, Found
from registryauth.resolver.docker_config import from_auths, from_helper, helper_for
from registryauth.resolver.documents import read_document
from registryauth.resolver.helper import ask_helper
from registryauth.resolver.registries_conf import AUTH_FILES, SYSTEM, RegistriesConf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from registryauth.reference import Repository
    from registryauth.resolver.docker_config import AskHelper


def runtime_file(environ: Mapping[str, str]) -> str:
    """The file that ``podman login`` writes; it lives in memory and is gone after a restart."""
    directory = environ.get("XDG_RUNTIME_DIR") or f"/run/containers/{os.getuid()}"
    return os.path.join(directory, "containers/auth.json" if environ.get("XDG_RUNTIME_DIR") else "auth.json")


def lasting_file(environ: Mapping[str, str]) -> str:
    """The file that is read next and stays; empty if there is no home."""
    directory = environ.get("XDG_CONFIG_HOME") or (f"{home_dir(environ)}/.config" if home_dir(environ) else "")
    return os.path.join(directory, "containers/auth.json") if directory else ""


class ContainersAuth:
    """What podman and skopeo would use: ``REGISTRY_AUTH_FILE`` alone, or the two default files; and helpers, in the order that they have.

    Docker's file, which they read last, is a source of its own here. *system* is the directory of the settings for everybody. As
    everywhere here, a helper that is broken is not passed over; podman would go on to the next.
    """

    name = "containers auth"

    def __init__(self, environ: Mapping[str, str], *, ask: AskHelper = ask_helper, system: str = SYSTEM) -> None:
        self._environ = environ
        self._ask = ask
        self._conf = RegistriesConf(environ, system)

    def ask(self, repository: Repository) -> Found | Absent:
        """The first helper or file that has a credential wins; raise `SourceFailed` if one is broken."""
        helpers, named_in = self._conf.helpers()
        said = []
        for name in helpers:
            answer = self._in_files(repository) if name == AUTH_FILES else self._from(name, named_in, repository)
            if isinstance(answer, Found):
                return answer
            said.append(answer.detail)
        if AUTH_FILES not in helpers:
            said.append(f"{printable(named_in)} leaves auth.json out")
        return Absent(self.name, "; ".join(said))

    def _from(self, helper: str, named_in: str, repository: Repository) -> Found | Absent:
        return from_helper(self.name, helper, repository.registry.host, printable(named_in), self._environ, self._ask)

    def _in_files(self, repository: Repository) -> Found | Absent:
        only = self._environ.get("REGISTRY_AUTH_FILE")
        said = []
        for path in (only,) if only else (runtime_file(self._environ), lasting_file(self._environ)):
            answer = self._look(path, repository) if path else Absent(self.name, "no home directory")
            if isinstance(answer, Found):
                return answer
            said.append(answer.detail)
        return Absent(self.name, "; ".join(said))

    def _look(self, path: str, repository: Repository) -> Found | Absent:
        document = read_document(path)
        if document is None:
            return Absent(self.name, f"no {printable(path)}")
        # Helpers are named by host, and before the entries, in each file.
        if helper := helper_for(repository.registry, document.field("credHelpers")):
            return from_helper(self.name, helper, repository.registry.host, document.what, self._environ, self._ask)
        # podman logs in to docker.io under that name and no other.
        return from_auths(self.name, repository, document, docker_hub=DOCKER_HUB)
