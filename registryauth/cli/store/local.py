"""The store in a file on this machine, for the verbs that only it has."""

from __future__ import annotations

from registryauth.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.stores.audited import AuditedStore
    from registryauth.stores.encrypted import EncryptedStore


def behind(store: AuditedStore) -> EncryptedStore:
    """The encrypted file behind *store*; raise `ConfigurationError` where the configured backend is another one."""
    from registryauth.stores.audited import behind
    from registryauth.stores.encrypted import EncryptedStore

    found = behind(store)
    if not isinstance(found, EncryptedStore):
        raise ConfigurationError(
            f"this is for the local store, and the configured one is {store.status()['backend']}",
            key="store.backend",
            hint="that one has means of its own; REGISTRYAUTH_STORE_BACKEND=local looks at the local store all the same",
        )
    return found
