"""What a key vault is shown: a token of Entra for the vaults of its cloud, and what the vault's store is to say where there is none."""

from __future__ import annotations

import os
import threading
import time

from registryauth._origin import Url, is_loopback
from registryauth._redact import printable
from registryauth.azure import clouds
from registryauth.azure.settings import authority_named, settings_of
from registryauth.azure.sign_in import sign_in
from registryauth.azure.tokens import Tokens
from registryauth.azure.wire import open_wire
from registryauth.errors import AuthError, AzureError, ConfigurationError, SourceFailed, StoreLocked, TransportError
from registryauth.stores.remote import Unreachable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from registryauth.azure.clouds import Cloud
    from registryauth.azure.wire import Wire
    from registryauth.config import Config

#: By the end of the vault's host, whose audience is the same: Microsoft Learn "Azure Key Vault keys, secrets and certificates
#: overview", DNS suffixes.
_CLOUDS = {"vault.azure.net": clouds.PUBLIC, "vault.azure.cn": clouds.CHINA, "vault.usgovcloudapi.net": clouds.US_GOVERNMENT}


def cloud_of_vault(vault: Url, environ: Mapping[str, str] = os.environ) -> tuple[Cloud, str]:
    """The cloud of *vault* and the scope of its tokens; raise `ConfigurationError` for a host outside of Azure.

    A token for one vault opens every vault that we may. One on this machine is a simulator, and only then AZURE_AUTHORITY_HOST may
    name another authority than Azure's own.
    """
    host = vault.origin.hostname
    if is_loopback(host):
        named = environ.get("AZURE_AUTHORITY_HOST", "")
        authority = authority_named(named) if named else vault.origin
        return clouds.PUBLIC.replace(authority=authority), "https://vault.azure.net/.default"
    for suffix, cloud in _CLOUDS.items():
        if host.endswith(f".{suffix}"):
            return cloud, f"https://{suffix}/.default"
    raise ConfigurationError(
        f"azure_key_vault.url names {printable(host, 100)}, which is no key vault",
        key="azure_key_vault.url",
        hint=f"it is https://NAME.{' or https://NAME.'.join(_CLOUDS)}",
    )


class VaultToken:
    """Gives tokens for *vault*, each until shortly before its end; *label* says who signs in. Safe for threads; close it after use."""

    def __init__(self, config: Config, environ: Mapping[str, str], vault: Url, wire: Wire, clock: Callable[[], float] = time.time) -> None:
        cloud, self._scope = cloud_of_vault(vault, environ)
        settings = settings_of(config.replace(azure_cloud=""), _checked(environ, cloud), wire.far).replace(cloud=cloud)
        self._tokens = Tokens(sign_in(settings, wire, environ, clock=clock), clock)
        self._wire = wire
        self._lock = threading.Lock()

    @property
    def label(self) -> str:
        """Who signs in, for people."""
        return self._tokens.source.label

    def __call__(self, refused: str = "") -> str:
        """The token, another one than *refused*; raise `StoreLocked` where we are refused ourselves, `Unreachable` where nobody answers."""
        try:
            with self._lock:
                held = self._tokens.get(self._scope)
                if held == refused:
                    self._tokens.drop()
                    held = self._tokens.get(self._scope)
                return held
        except TransportError as error:
            raise Unreachable(f"no token for the key vault: {error.message}", hint=error.hint) from error
        except (AzureError, AuthError, ConfigurationError, SourceFailed) as error:
            raise StoreLocked(f"no token for the key vault: {error.message}", hint=error.hint) from error

    def close(self) -> None:
        """Close every connection."""
        self._wire.close()


def vault_token(config: Config, environ: Mapping[str, str], vault: Url) -> VaultToken:
    """A `VaultToken` with connections of its own; raise `ConfigurationError` for a *vault* that is none of Azure's."""
    cloud_of_vault(vault, environ)
    return VaultToken(config, environ, vault, open_wire(environ))


def _checked(environ: Mapping[str, str], cloud: Cloud) -> Mapping[str, str]:
    """*environ*, once AZURE_AUTHORITY_HOST speaks of *cloud*; raise `ConfigurationError` where it speaks of another."""
    named = environ.get("AZURE_AUTHORITY_HOST", "")
    if named and authority_named(named) != cloud.authority:
        raise ConfigurationError(
            f"AZURE_AUTHORITY_HOST is {printable(named, 100)}, and the tokens for this vault come from {cloud.authority}",
            key="AZURE_AUTHORITY_HOST",
            hint="unset it, or name a vault of that cloud",
        )
    return {name: value for name, value in environ.items() if name != "AZURE_AUTHORITY_HOST"}
