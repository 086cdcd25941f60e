"""Every key of the configuration: what it takes, and what holds where nobody set it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


#: What a key takes: a type, or the words allowed.
Takes = type | tuple[str, ...]

BACKENDS = ("local", "vault", "azure-key-vault")
KEY_SOURCES = ("auto", "file", "keyring", "passphrase", "systemd", "environment")
VAULT_METHODS = ("token", "approle", "kubernetes")
AUDIT_MODES = ("off", "best-effort", "required")
BROKEN_HELPER = ("warn", "fail")
#: Ways of signing in to Entra.
CREDENTIALS = (
    "auto", "client-secret", "certificate", "workload-identity", "managed-identity", "azure-cli", "device-code", "azure-identity",
)  # fmt: skip
KINDS = ("", "public", "standalone", "workspace")
#: The resolver's sources by their names here, in the order in which they are asked; traces write them out.
SOURCES = ("explicit", "environment", "store", "workspace", "docker", "containers", "public")

#: Key to what it takes and its default, None where that depends on the home directory.
KEYS: Mapping[str, tuple[Takes, Any]] = {
    "store.backend": (BACKENDS, "local"),
    "store.path": (str, None),
    "store.key": (KEY_SOURCES, "auto"),
    "store.key_file": (str, None),
    "store.cache": (str, ""),
    "vault.address": (str, ""),
    "vault.namespace": (str, ""),
    "vault.mount": (str, "secret"),
    "vault.prefix": (str, "registryauth"),
    "vault.auth": (VAULT_METHODS, "token"),
    "vault.auth_mount": (str, ""),
    "vault.role": (str, ""),
    "vault.token_file": (str, ""),
    "vault.secret_id_file": (str, ""),
    "vault.ca_file": (str, ""),
    "azure.cloud": (str, ""),
    "azure.tenant": (str, ""),
    "azure.client_id": (str, ""),
    "azure.subscription": (str, ""),
    "azure.credential": (CREDENTIALS, "auto"),
    "azure.certificate_file": (str, ""),
    "azure_key_vault.url": (str, ""),
    "azure_key_vault.prefix": (str, "registryauth"),
    "audit.mode": (AUDIT_MODES, "best-effort"),
    "audit.file": (str, None),
    "audit.syslog": (bool, False),
    "resolver.order": (list, SOURCES),
    "resolver.docker_config": (bool, True),
    "resolver.helper_timeout": (int, 30),
    "resolver.broken_helper": (BROKEN_HELPER, "warn"),
    "resolver.expiry_warning": (str, "14d"),
    "network.certs_d": (bool, True),
}
#: Keys of one registry's table; their defaults are those of `RegistrySettings`.
REGISTRY_KEYS: Mapping[str, Takes] = {
    "kind": KINDS,
    "insecure": bool,
    "ca_file": str,
    "client_cert": str,
    "client_key": str,
    "realm": str,
    "mirrors": list,
    "mirrors_for_tags": bool,
    "order": list,
    "account": str,
}
#: Keys of one workspace's table; their defaults are those of `WorkspaceSettings`.
WORKSPACE_KEYS: Mapping[str, Takes] = {
    "id": str,
    "subscription": str,
    "resource_group": str,
    "name": str,
    "folder": str,
    "cloud": str,
    "tenant": str,
    "allow_admin_user": bool,
}
#: Keys of one requirement profile's table: who asks for it, and the rules, whose grammar is `inspection.rule`'s business.
PROFILE_KEYS: Mapping[str, Takes] = {
    "source": str,
    "image_type": str,
    "architecture": str,
    "os": str,
    "conda": str,
    "python": str,
    "pythons": str,
    "shell": str,
}
TABLES = (*dict.fromkeys(key.partition(".")[0] for key in KEYS), "registries", "workspaces", "profiles")
#: Those whose ``~/`` is the home directory.
PATHS = (
    "store.path", "store.key_file", "vault.token_file", "vault.secret_id_file", "vault.ca_file", "azure.certificate_file", "audit.file",
    "ca_file", "client_cert", "client_key", "folder",
)  # fmt: skip


def field(key: str) -> str:
    """The attribute of `Config` that holds *key*."""
    return _SHORT.get(key, key.replace(".", "_"))


_SHORT = {
    "resolver.docker_config": "docker_config",
    "resolver.helper_timeout": "helper_timeout",
    "resolver.broken_helper": "broken_helper",
    "resolver.expiry_warning": "expiry_warning",
    "network.certs_d": "certs_d",
}
