"""From a challenge to an Authorization header; never learns where a credential came from."""

from __future__ import annotations

from registryauth.auth.flow import Authorizer
from registryauth.auth.scope import Scope

__all__ = ["Authorizer", "RegistryAuth", "Scope"]


def __getattr__(name: str) -> object:
    if name == "RegistryAuth":
        from registryauth.auth.httpx_auth import RegistryAuth

        return RegistryAuth
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
