"""For the tests of those who build on this package: a registry and an Azure without a network, and the contract of a store."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.testing.azure.simulator import AzureSimulator
    from registryauth.testing.features import Features
    from registryauth.testing.key_vault_simulator import KeyVaultSimulator
    from registryauth.testing.registry_simulator import RegistrySimulator
    from registryauth.testing.served import ServedRegistry
    from registryauth.testing.store_contract import StoreContract
    from registryauth.testing.vault_simulator import VaultSimulator

__all__ = ["RegistrySimulator", "ServedRegistry", "AzureSimulator", "VaultSimulator", "KeyVaultSimulator", "Features", "StoreContract"]

_HOMES = {
    "RegistrySimulator": "registry_simulator",
    "ServedRegistry": "served",
    "AzureSimulator": "azure.simulator",
    "VaultSimulator": "vault_simulator",
    "KeyVaultSimulator": "key_vault_simulator",
    "Features": "features",
    "StoreContract": "store_contract",
}


def __getattr__(name: str) -> object:
    # Lazily: whoever wants the contract needs no simulator, and the other way round.
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
