"""Azure without Azure: Entra, Graph, resource management, registries, image builds and blob storage in one process."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.testing.azure.builds import Build
    from registryauth.testing.azure.directory import App, Secret, Tenant, User
    from registryauth.testing.azure.registry import AzureRegistry
    from registryauth.testing.azure.simulator import AzureSimulator
    from registryauth.testing.azure.workspaces import Workspace

__all__ = ["AzureSimulator", "Tenant", "App", "User", "Secret", "AzureRegistry", "Workspace", "Build"]

_HOMES = {
    "AzureSimulator": "simulator",
    "Tenant": "directory",
    "App": "directory",
    "User": "directory",
    "Secret": "directory",
    "AzureRegistry": "registry",
    "Workspace": "workspaces",
    "Build": "builds",
}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
