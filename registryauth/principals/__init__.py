"""The life of a principal: verified against its registry, then stored; composes stores, auth and client."""

from __future__ import annotations

from registryauth.principals.register import Registration, forget, register
from registryauth.principals.verify import Verification, verify

__all__ = ["Registration", "Verification", "forget", "register", "verify"]
