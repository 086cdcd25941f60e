"""The Distribution API: endpoints and responses (pure), and the client that sends the ones and reads the others."""

from __future__ import annotations

from registryauth.client.client import Client, RepositoryClient

__all__ = ["Client", "RepositoryClient"]
