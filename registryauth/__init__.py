"""The private container registry client and auth manager.

from registryauth import Client, Resolver, resolve

secret = resolve("myregistry.azurecr.io/myimage:v1")
resolver = Resolver.from_config()
with Client(resolver) as client:
    manifest = client.repository("myregistry.azurecr.io/myimage").manifest("v1", platform="linux/amd64")
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth import errors, exports
    from registryauth.auth.httpx_auth import RegistryAuth
    from registryauth.client import AsyncClient, Client
    from registryauth.credentials import Anonymous, Basic, IdentityToken, RegistryToken
    from registryauth.digest import Digest
    from registryauth.errors import Error
    from registryauth.reference import Address, Reference, Registry, Repository
    from registryauth.registries import Kind, kind_of
    from registryauth.resolver import PullSecret, Resolver
    from registryauth.resolver.once import resolve

__version__ = "0.1.0"

#: Where each public name lives; it is imported when it is first used, so that `import registryauth` costs nothing.
_HOMES = {
    "Address": "reference",
    "Anonymous": "credentials",
    "AsyncClient": "client",
    "Basic": "credentials",
    "Client": "client",
    "Digest": "digest",
    "Error": "errors",
    "IdentityToken": "credentials",
    "Kind": "registries",
    "PullSecret": "resolver",
    "Reference": "reference",
    "Registry": "reference",
    "RegistryAuth": "auth",
    "RegistryToken": "credentials",
    "Repository": "reference",
    "Resolver": "resolver",
    "kind_of": "registries",
    "resolve": "resolver.once",
}

__all__ = [
    "Address",
    "Anonymous",
    "AsyncClient",
    "Basic",
    "Client",
    "Digest",
    "Error",
    "IdentityToken",
    "Kind",
    "PullSecret",
    "Reference",
    "Registry",
    "RegistryAuth",
    "RegistryToken",
    "Repository",
    "Resolver",
    "errors",
    "exports",
    "kind_of",
    "resolve",
]


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name in _HOMES:
        return getattr(import_module(f"registryauth.{_HOMES[name]}"), name)
    if name in ("errors", "exports"):
        return import_module(f"registryauth.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
