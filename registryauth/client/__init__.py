"""The Distribution API: endpoints and responses (pure), and the clients that send the ones and read the others."""

from __future__ import annotations

from registryauth.client.client import Client
from registryauth.client.repository import RepositoryClient

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.client.async_client import AsyncClient

__all__ = ["AsyncClient", "Client", "RepositoryClient"]


def __getattr__(name: str) -> object:
    if name == "AsyncClient":
        from registryauth.client.async_client import AsyncClient

        return AsyncClient
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
