"""What a verb needs to work: settings, store, resolver, client, opened when they are first used."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from registryauth.config import Config, load
from registryauth.reference import Address, Reference, Registry
from registryauth.stores import from_config

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.client import Client
    from registryauth.client.client import Credentials
    from registryauth.resolver import Resolver
    from registryauth.stores import Store


class Session:
    """One command's surroundings. *ca_file* and *insecure* are its flags, for the registry it is about."""

    def __init__(self, environ: Mapping[str, str] = os.environ, *, ca_file: str = "", insecure: bool = False) -> None:
        self.environ = environ
        self.config: Config = load(environ)
        self._ca_file = ca_file
        self._insecure = insecure

    @contextmanager
    def store(self) -> Iterator[Store]:
        """The configured store."""
        opened = from_config(self.config, self.environ)
        try:
            yield opened
        finally:
            opened.close()

    def resolver(self, *, account: str = "") -> Resolver:
        """The configured sources, in order."""
        from registryauth.resolver import Resolver

        return Resolver.from_config(self.config, self.environ, account=account or None)

    def client(self, credentials: Resolver | Credentials, host: str) -> Client:
        """A client for the registry at *host*."""
        from registryauth.cli.console import say
        from registryauth.client import Client

        registries = self.config.registries
        return Client(
            credentials,
            insecure=[*(name for name, said in registries.items() if said.insecure), *([host] if self._insecure else [])],
            ca_files=self._ca_files(),
            client_certs={_netloc(name): (said.client_cert, said.client_key) for name, said in registries.items() if said.client_cert},
            certs_d=None if self.config.certs_d else (),
            mirrors={name: said.mirrors for name, said in registries.items()},
            mirrors_for_tags=[name for name, said in registries.items() if said.mirrors_for_tags],
            environ=self.environ,
            notice=lambda text: say(f"warning: {text}"),
        )

    def address(self, text: str) -> Address:
        """*text* as what a credential is registered for."""
        return Address.parse(text, known=self.spelled)

    def reference(self, text: str) -> Reference:
        """*text* as an image reference."""
        return Reference.parse(text, known=self.spelled)

    @property
    def spelled(self) -> frozenset[str]:
        """Hosts that the configuration names, and that are right though they may look mistyped."""
        return frozenset(Address.parse(host, known=(host.partition(":")[0],)).registry.hostname for host in self.config.registries)

    def _ca_files(self) -> dict[str, str]:
        """Which authorities count for which host: a registry's own, for its token server too, and the flag's for all."""
        from registryauth._origin import Url

        files = {"*": self._ca_file} if self._ca_file else {}
        for host, said in self.config.registries.items():
            if said.ca_file:
                files[_netloc(host)] = said.ca_file
                if said.realm:
                    files[Url.parse(said.realm).origin.netloc] = said.ca_file
        return files


def _netloc(host: str) -> str:
    """How connections name the registry *host*: Docker Hub's API has another name, and the port of https goes without saying."""
    return Registry(host).origin().netloc
