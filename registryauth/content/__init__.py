"""What was fetched, and is it that? Media types, descriptors, manifests, indexes, verification. Pure but for the file a blob lands in."""

from __future__ import annotations

from registryauth.content.descriptor import Descriptor, Platform
from registryauth.content.manifest import ACCEPT, Index, Manifest, read_manifest, select

__all__ = ["ACCEPT", "Descriptor", "Index", "Manifest", "Platform", "read_manifest", "select"]
