"""Credentials in environment variables: ours, and docker's ``DOCKER_AUTH_CONFIG``."""

from __future__ import annotations

from registryauth._json import Node, load_json
from registryauth.credentials import describe, from_login
from registryauth.errors import InvalidReference, SourceFailed
from registryauth.reference import Address
from registryauth.resolver.answer import Absent, Found, found
from registryauth.resolver.auths import entry_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from registryauth.reference import Repository

REGISTRY, USERNAME, PASSWORD = "REGISTRYAUTH_REGISTRY", "REGISTRYAUTH_USERNAME", "REGISTRYAUTH_PASSWORD"
DOCKER = "DOCKER_AUTH_CONFIG"
_VARIABLES = (REGISTRY, USERNAME, PASSWORD, DOCKER)


class Environment:
    """``REGISTRYAUTH_REGISTRY``, ``_USERNAME`` and ``_PASSWORD``, all three or none, then docker's variable.

    Our registry may have a path, and is then good for what lies below it.
    """

    name = "environment"

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def ask(self, repository: Repository) -> Found | Absent:
        """What the variables hold for *repository*; raise `SourceFailed` where they make no sense."""
        if not any(map(self._environ.get, _VARIABLES)):
            return _UNSET
        said = []
        for look in (self._ours, self._docker):
            answer = look(repository)
            if isinstance(answer, Found):
                return answer
            said.append(answer.detail)
        return Absent(self.name, "; ".join(said))

    def _ours(self, repository: Repository) -> Found | Absent:
        # An empty variable is a CI secret that was not there: unset.
        missing = [name for name in (REGISTRY, USERNAME, PASSWORD) if not self._environ.get(name)]
        if len(missing) == 3:
            return Absent(self.name, f"{REGISTRY}, _USERNAME and _PASSWORD are not set")
        if missing:
            raise SourceFailed(
                f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set or empty, though others of the three are set",
                hint=f"set all of {REGISTRY}, {USERNAME} and {PASSWORD}, or none",
            )
        try:
            address = Address.parse(self._environ[REGISTRY])
        except InvalidReference as error:
            # Its message shows the text, and this text stands beside a password.
            raise SourceFailed(f"{REGISTRY} is not a registry address", hint=error.hint) from None
        if not address.covers(repository):
            return Absent(self.name, f"{REGISTRY} is {address}, which does not cover it")
        credential = from_login(self._environ[USERNAME], self._environ[PASSWORD])
        return found(self.name, f"{REGISTRY} is {address}, {describe(credential)}", str(address), credential, address.path)

    def _docker(self, repository: Repository) -> Found | Absent:
        text = self._environ.get(DOCKER)
        if not text:
            return Absent(self.name, f"{DOCKER} is not set")
        data = text.encode("utf-8", "surrogateescape")
        document = Node(load_json(data, DOCKER, error=SourceFailed), DOCKER, error=SourceFailed)
        if any(key != "auths" for key, _ in document.fields()):
            # docker/cli refuses every other field here, too (since 28.3).
            raise SourceFailed(f'{DOCKER} may hold "auths" and nothing else', hint="put the rest into docker's config.json")
        entry = entry_for(repository, document.field("auths"))
        if entry is None or entry.credential is None:
            return Absent(self.name, f"{DOCKER} has no entry for it")
        detail = f"{DOCKER} has an entry for {entry.address}, {describe(entry.credential)}"
        return found(self.name, detail, str(entry.address), entry.credential, entry.address.path)


_UNSET = Absent(Environment.name, f"{REGISTRY}, _USERNAME and _PASSWORD are not set; {DOCKER} is not set")
