"""The remote backend that the configuration names, with its way to the wire, its sign-in and, where it is wanted, its cache."""

from __future__ import annotations

import os
import sys

from registryauth import _paths
from registryauth._http import open_transport
from registryauth.errors import ConfigurationError
from registryauth.stores.remote import CONNECT_TIMEOUT, READ_TIMEOUT, Remote, address_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Protocol

    from registryauth._http.messages import Transport
    from registryauth._origin import Url
    from registryauth.config import Config
    from registryauth.stores import Store
    from registryauth.stores.keys import Ask
    from registryauth.stores.vault_login import Method

    class VaultToken(Protocol):
        """Gives tokens, as `remote.Token`; *label* says who signs in."""

        @property
        def label(self) -> str:
            """Who signs in, for people."""
            ...

        def __call__(self, refused: str = "") -> str:
            """The token, another one than *refused*."""
            ...

        def close(self) -> None:
            """Let go of connections."""
            ...

    class AzureToken(Protocol):
        """Signs in to Azure for the key vault at a URL (`registryauth.azure.vault_token`)."""

        def __call__(self, config: Config, environ: Mapping[str, str], vault: Url, /) -> VaultToken:
            """Raise `ConfigurationError` for a *vault* that is none of Azure's."""
            ...


#: Names in messages.
_VAULT, _KEY_VAULT = "the vault", "the key vault"


def open_remote(
    config: Config,
    environ: Mapping[str, str] = os.environ,
    *,
    ask: Ask | None = None,
    notice: Callable[[str], None] | None = None,
    azure_token: AzureToken | None = None,
) -> Store:
    """The store that *config* names, which is not the local one; nothing is asked before the first call.

    *notice* is told, instead of stderr, what a person should know: that an answer came from the cache, for one. *ask* is for the
    passphrase of the cache's key; *azure_token* signs in for a key vault. Raise `ConfigurationError` for settings that are missing,
    or that do not go together.
    """
    notice = notice or _to_stderr
    if config.store_backend == "vault":
        store, whose = _vault(config, environ, notice)
    else:
        store, whose = _key_vault(config, environ, azure_token)
    if not config.store_cache:
        return store
    from registryauth.config.values import span
    from registryauth.stores.cached import CachedStore

    cache = _cache(config, environ, (config.store_backend, *whose), ask)
    return CachedStore(store, cache, span(config.store_cache), notice=notice)


def _vault(config: Config, environ: Mapping[str, str], notice: Callable[[str], None]) -> tuple[Store, tuple[str, ...]]:
    from registryauth._http.retrying import Retrying
    from registryauth.stores.vault import VaultStore
    from registryauth.stores.vault_kv import Heedful, Kv
    from registryauth.stores.vault_login import Login

    address = config.vault_address or _variable(environ, "ADDR")
    if not address:
        raise ConfigurationError("no address is set for the backend 'vault'", key="vault.address", hint="set vault.address, or VAULT_ADDR")
    base = address_of(address, "vault.address" if config.vault_address else "VAULT_ADDR")
    namespace = config.vault_namespace or _variable(environ, "NAMESPACE")
    transport = _transport(environ, {base.origin.netloc: config.vault_ca_file or _variable(environ, "CACERT")})
    remote = Remote(base, Retrying(Heedful(transport, f"{_VAULT} at {base}")).send, _VAULT)
    login = Login(_method(config, environ, remote, namespace))
    kv = Kv(remote, login, mount=config.vault_mount, namespace=namespace, label=login.label, remedy=login.remedy)
    whose = (str(base), namespace, config.vault_mount, config.vault_prefix, login.label)
    return VaultStore(kv, prefix=config.vault_prefix, notice=notice, close=transport.close), whose


def _method(config: Config, environ: Mapping[str, str], remote: Remote, namespace: str) -> Method:
    from registryauth.stores.vault_login import AppRole, GivenToken, Kubernetes

    if config.vault_auth == "approle":
        return AppRole(remote, config.vault_role, config.vault_secret_id_file, config.vault_auth_mount, namespace)
    if config.vault_auth == "kubernetes":
        return Kubernetes(remote, config.vault_role, config.vault_auth_mount, namespace)
    return GivenToken(config.vault_token_file, environ)


def _key_vault(config: Config, environ: Mapping[str, str], azure_token: AzureToken | None) -> tuple[Store, tuple[str, ...]]:
    from registryauth._http.retrying import Retrying
    from registryauth.stores.azure_key_vault import AzureKeyVaultStore

    key = "azure_key_vault.url"
    if not config.azure_key_vault_url:
        raise ConfigurationError("no vault is named for the backend 'azure-key-vault'", key=key, hint="set azure_key_vault.url")
    base = address_of(config.azure_key_vault_url, key)
    if azure_token is None:
        raise ConfigurationError(
            "the key vault needs a way to sign in to Azure", key=key, hint="pass azure_token=registryauth.azure.vault_token"
        )
    login = azure_token(config, environ, base)
    transport = _transport(environ, {})
    remote = Remote(base, Retrying(transport).send, _KEY_VAULT)

    def close() -> None:
        transport.close()
        login.close()

    store = AzureKeyVaultStore(remote, login, prefix=config.azure_key_vault_prefix, label=login.label, close=close)
    return store, (str(base), config.azure_key_vault_prefix, login.label)


def _transport(environ: Mapping[str, str], ca_files: dict[str, str]) -> Transport:
    trusted = {netloc: file for netloc, file in ca_files.items() if file}
    return open_transport(environ, ca_files=trusted, connect_timeout=CONNECT_TIMEOUT, read_timeout=READ_TIMEOUT)


def _variable(environ: Mapping[str, str], name: str) -> str:
    """OpenBao's variable, or Vault's."""
    return environ.get(f"BAO_{name}") or environ.get(f"VAULT_{name}", "")


def _cache(config: Config, environ: Mapping[str, str], whose: tuple[str, ...], ask: Ask | None) -> Store:
    """An encrypted store for the answers of one backend to one account: another's are in another file."""
    import hashlib

    from registryauth.stores import open_store
    from registryauth.stores.sealing import joined

    name = hashlib.sha256(joined(*(part.encode() for part in whose))).hexdigest()[:16]
    path = os.path.join(_paths.cache_dir(environ), f"answers-{name}.db")
    return open_store(path, key=config.store_key, key_file=config.store_key_file, environ=environ, ask=ask)


def _to_stderr(text: str) -> None:
    if sys.stderr:
        sys.stderr.write(f"registryauth: {text}\n")
