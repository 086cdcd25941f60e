"""Which kind of registry is this? Pure tables and rules; docs/registries.md shows them."""

from __future__ import annotations

from registryauth.registries.kind import Classification, Kind, kind_of
from registryauth.registries.providers import Provider, provider_of

__all__ = ["Classification", "Kind", "Provider", "kind_of", "provider_of"]
