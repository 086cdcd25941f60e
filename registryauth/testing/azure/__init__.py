"""Azure without Azure: Entra, Graph, resource management, registries, image builds and blob storage in one process."""

from __future__ import annotations

from registryauth.testing.azure.builds import Build
from registryauth.testing.azure.directory import App, Secret, Tenant, User
from registryauth.testing.azure.registry import AzureRegistry
from registryauth.testing.azure.simulator import AzureSimulator
from registryauth.testing.azure.workspaces import Workspace

__all__ = ["AzureSimulator", "Tenant", "App", "User", "Secret", "AzureRegistry", "Workspace", "Build"]
