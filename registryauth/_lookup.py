"""Our store, asked for another program: what docker's helper and the kubelet's provider have in common."""

from __future__ import annotations

from registryauth.stores.choice import choose

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from registryauth.config import Config
    from registryauth.credentials import Credential
    from registryauth.reference import Address
    from registryauth.stores import Store
    from registryauth.stores.choice import Choice
    from registryauth.stores.principal import Key, Principal


class Lookup:
    """The configured store under *environ*, or the *store* given; configuration and store are opened when they are first needed.

    *purpose* is what the audit log says that it is read for, *warn* is told what a person should know.
    """

    def __init__(self, environ: Mapping[str, str], purpose: str, warn: Callable[[str], None], store: Store | None = None) -> None:
        self._environ, self._purpose, self._warn = environ, purpose, warn
        self._store = store
        self._config: Config | None = None

    @property
    def config(self) -> Config:
        """The settings; raise `ConfigurationError`."""
        if self._config is None:
            from registryauth.config import load

            self._config = load(self._environ)
        return self._config

    @property
    def store(self) -> Store:
        """The store; raise `ConfigurationError` where none is configured."""
        if self._store is None:
            from registryauth.azure import vault_token
            from registryauth.stores import from_config

            self._store = from_config(self.config, self._environ, purpose=self._purpose, warn=self._warn, azure_token=vault_token)
        return self._store

    def choice(self, address: Address) -> Choice:
        """Which record answers for *address*, of the account that the configuration names for its registry if it names one.

        Raise `AmbiguousCredential` where several accounts would do, and `StoreError`.
        """
        return choose(self.store, address, self._account(address))

    def reason(self, choice: Choice, address: Address) -> str:
        """Why *choice* holds nothing for *address*, and what to do about it."""
        if choice.disabled:
            off = choice.disabled[0]
            return f"{off.key} is disabled; 'registryauth principal enable {off.address}' puts it back to use"
        log_in = f"log in with 'registryauth login {address.registry}'"
        if account := self._account(address):
            return f"nothing of account {account}, which the configuration names for it, is stored for {address}; {log_in}"
        # A program that asks for a host must not get what is for a path in it.
        what = "or a path above it" if address.path else "as a whole"
        return f"nothing is stored for {address} {what}; {log_in}"

    def renewed(self, record: Principal, now: float) -> Principal:
        """*record*, with its next token where it renews itself and that is due; raise where there is none and the present one is over."""
        if not record.renewed_by(now):
            return record
        from registryauth.azure.renewal import Renewal

        return Renewal(self.config, self._environ, warn=self._warn, clock=lambda: now).renewed(self.store, record)

    def of_workspace(self, address: Address) -> Credential | None:
        """The way into *address*'s registry where that is a configured workspace's; None where it is not, or a rule leaves that out.

        Raise `SourceFailed` where it cannot be told, or nobody lets us in.
        """
        said = self.config.registry(address.registry.host)
        if not self.config.workspaces or said.account or "workspace" not in (said.order or self.config.resolver_order):
            return None
        from registryauth.reference import Repository
        from registryauth.resolver.answer import Found
        from registryauth.resolver.workspace import Workspaces, may_own

        if not may_own(self.config, address.registry):
            return None
        with Workspaces.from_config(self.config, self._environ, notice=self._warn, note=self._note) as workspaces:
            answer = workspaces.ask(Repository(address.registry, address.path))
            return answer.fetch().credential if isinstance(answer, Found) else None

    def _note(self, key: Key, how: str) -> None:
        from registryauth.stores.audited import note

        note(self.store, "fetched", key, detail=how)

    def _account(self, address: Address) -> str | None:
        return self.config.registry(address.registry.host).account or None
