"""Which kind of registry is this? Pure tables and rules; docs/registries.md shows them."""

from __future__ import annotations

from registryauth.registries.kind import Classification, Kind, in_registry, is_workspace_image, kind_of
from registryauth.registries.providers import Provider, provider_of

__all__ = ["Classification", "Kind", "Provider", "in_registry", "is_workspace_image", "kind_of", "provider_of"]
