"""Docker's ``config.json``: credHelpers, credsStore, auths, in docker's order. Read, never written."""

from __future__ import annotations

import os

from registryauth._paths import home_dir
from registryauth._redact import printable
from registryauth.credentials import describe
from registryauth.reference import DOCKER_HUB, DOCKER_HUB_KEY
from registryauth.resolver.answer import Absent, Found, found
from registryauth.resolver.auths import address_of, entry_for
from registryauth.resolver.documents import read_document
from registryauth.resolver.helper import ask_helper, reason_to_skip

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from registryauth._json import Node
    from registryauth.credentials import Credential
    from registryauth.reference import Registry, Repository

    #: From helper's name, server key and environment to a credential, or None.
    AskHelper = Callable[[str, str, Mapping[str, str]], Credential | None]


def docker_config_file(environ: Mapping[str, str]) -> str:
    """Where docker's configuration is: in the directory ``DOCKER_CONFIG``, or ``~/.docker``; empty if there is no home."""
    directory = environ.get("DOCKER_CONFIG") or (f"{home_dir(environ)}/.docker" if home_dir(environ) else "")
    return os.path.join(directory, "config.json") if directory else ""


class DockerConfig:
    """What docker itself would use.

    As with docker, a helper named for the registry, or the store named for all of them, is the only one
    asked: what stands under ``auths`` beside it is a leftover that docker does not look at.
    """

    name = "docker config"

    def __init__(self, environ: Mapping[str, str], *, ask: AskHelper = ask_helper) -> None:
        self._environ = environ
        self._ask = ask

    def ask(self, repository: Repository) -> Found | Absent:
        """The credential that docker would use; raise `SourceFailed` if the file or the helper is broken."""
        path = docker_config_file(self._environ)
        document = read_document(path) if path else None
        if document is None:
            return Absent(self.name, f"no {printable(path) or 'home directory'}")
        registry = repository.registry
        helper = helper_for(registry, document.field("credHelpers")) or document.field("credsStore").text()
        if helper:
            server = DOCKER_HUB_KEY if registry.host == DOCKER_HUB else registry.host
            return from_helper(self.name, helper, server, document.what, self._environ, self._ask)
        return from_auths(self.name, repository, document)


def helper_for(registry: Registry, helpers: Node) -> str:
    """The helper that *helpers* names for *registry*, empty if none; no wildcard and no path counts."""
    plain = DOCKER_HUB_KEY if registry.host == DOCKER_HUB else registry.host
    named = {key: node.text() for key, node in helpers.fields() if (a := address_of(key)) and a.registry == registry and not a.path}
    return named.get(plain) or next(filter(None, named.values()), "")


def from_helper(source: str, helper: str, server: str, where: str, environ: Mapping[str, str], ask: AskHelper) -> Found | Absent:
    """The answer of *helper*, which the file *where* names, to *server*."""
    if reason := reason_to_skip(helper, environ):
        return Absent(source, f"{where} names a helper: {reason}")
    credential = ask(helper, server, environ)
    name = printable(helper, 100)
    if credential is None:
        return Absent(source, f"{where} names the helper {name}, which has nothing for {server}")
    return found(source, f"the helper {name}, named in {where}, {describe(credential)}", f"{helper}:{server}", credential)


def from_auths(source: str, repository: Repository, document: Node, *, docker_hub: str = DOCKER_HUB_KEY) -> Found | Absent:
    """The answer of *document*'s own entries; *docker_hub* is its plain key for Docker Hub."""
    entry = entry_for(repository, document.field("auths"), docker_hub=docker_hub)
    if entry is None:
        return Absent(source, f"{document.what} has no entry for it")
    if entry.credential is None:
        return Absent(source, f"{document.what} has only an empty marker for {entry.address}")
    return found(
        source,
        f"{document.what}, entry for {entry.address}, {describe(entry.credential)}",
        f"{document.what}:{entry.address}",
        entry.credential,
        entry.address.path,
    )
