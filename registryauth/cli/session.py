"""What a verb needs to work: settings, store, resolver, client, opened when they are first used."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property

from registryauth.azure import vault_token
from registryauth.config import Config, load
from registryauth.reference import Address, Reference, Registry
from registryauth.stores import from_config

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from registryauth._http.tls import Trusting
    from registryauth.client import Client
    from registryauth.client.client import Credentials
    from registryauth.reference import Repository
    from registryauth.resolver import Resolver
    from registryauth.resolver.answer import Answer
    from registryauth.stores import Store
    from registryauth.stores.audited import AuditedStore
    from registryauth.stores.keys import Ask


class Session:
    """One command's surroundings. *ca_file* and *insecure* are its flags, for the registry it is about."""

    def __init__(self, environ: Mapping[str, str] = os.environ, *, ca_file: str = "", insecure: bool = False) -> None:
        self.environ = environ
        self.config: Config = load(environ)
        self._ca_file = ca_file
        self._insecure = insecure

    @contextmanager
    def store(self) -> Iterator[AuditedStore]:
        """The configured store."""
        from registryauth.cli.console import Level, level, say

        def warn(text: str) -> None:
            say(f"warning: {text}")

        opened = from_config(self.config, self.environ, ask=self.ask, purpose=_verb(), warn=warn, azure_token=vault_token)
        if level() is Level.VERBOSE:
            from registryauth.cli.watched import tell_of

            tell_of(opened)
        try:
            yield opened
        finally:
            opened.close()

    @cached_property
    def ask(self) -> Ask | None:
        """What asks a person for the store's passphrase; None where there is no terminal."""
        from registryauth.cli.passphrase import asker

        return asker()

    def resolver(self, *, account: str = "", store: Store | None = None, workspace: str = "", allow_admin_user: bool = False) -> Resolver:
        """The configured sources, in order; *store*, where it is open already, is the one to ask.

        The other arguments are those of `Resolver.from_config`.
        """
        from registryauth.cli.console import Level, level, say
        from registryauth.resolver import Resolver

        told: Callable[[Repository, Sequence[Answer]], None] | None = None
        if level() is Level.VERBOSE:
            from registryauth.cli.watched import tell_of_answers

            told = tell_of_answers
            with self.store():
                # That tells of it.
                pass
        return Resolver.from_config(
            self.config,
            self.environ,
            store,
            account=account or None,
            ask=self.ask,
            notice=lambda text: say(f"warning: {text}"),
            workspace=workspace,
            allow_admin_user=allow_admin_user,
            told=told,
        )

    def client(self, credentials: Resolver | Credentials, host: str) -> Client:
        """A client for the registry at *host*."""
        from registryauth.cli.console import say
        from registryauth.client import Client

        registries = self.config.registries
        return Client(
            credentials,
            insecure=[*(name for name, said in registries.items() if said.insecure), *([host] if self._insecure else [])],
            ca_files=self.ca_files(),
            client_certs={_netloc(name): (said.client_cert, said.client_key) for name, said in registries.items() if said.client_cert},
            certs_d=None if self.config.certs_d else (),
            mirrors={name: said.mirrors for name, said in registries.items()},
            mirrors_for_tags=[name for name, said in registries.items() if said.mirrors_for_tags],
            environ=self.environ,
            notice=lambda text: say(f"warning: {text}"),
        )

    def trust(self) -> Trusting:
        """Whose certificates count for a host, as `client` has it."""
        from registryauth._http.certs_d import usual
        from registryauth._http.tls import trusting

        shown = {_netloc(name): (said.client_cert, said.client_key) for name, said in self.config.registries.items() if said.client_cert}
        return trusting(self.ca_files(), shown, usual(self.environ) if self.config.certs_d else ())

    def address(self, text: str, *, wildcard: bool = False) -> Address:
        """*text* as what a credential is registered for, with *wildcard* also ``*.example.com``."""
        return Address.parse(text, known=self.spelled, wildcard=wildcard)

    def reference(self, text: str) -> Reference:
        """*text* as an image reference."""
        return Reference.parse(text, known=self.spelled)

    @property
    def spelled(self) -> frozenset[str]:
        """Hosts that the configuration names, and that are right though they may look mistyped."""
        return frozenset(Address.parse(host, known=(host.partition(":")[0],)).registry.hostname for host in self.config.registries)

    def ca_files(self) -> dict[str, str]:
        """Which authorities count for which host: a registry's own, for its token server too, and the flag's for all."""
        from registryauth._origin import Url

        files = {"*": self._ca_file} if self._ca_file else {}
        for host, said in self.config.registries.items():
            if said.ca_file:
                files[_netloc(host)] = said.ca_file
                if said.realm:
                    files[Url.parse(said.realm).origin.netloc] = said.ca_file
        return files


def _verb() -> str:
    """What was typed, without its arguments: ``principal list``; empty outside of a command."""
    from typer.main import get_current_context  # type: ignore[attr-defined]

    context = get_current_context(silent=True)
    return context.command_path.partition(" ")[2] if context else ""


def _netloc(host: str) -> str:
    """How connections name the registry *host*: Docker Hub's API has another name, and the port of https goes without saying."""
    return Registry(host).origin().netloc
