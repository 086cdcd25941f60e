"""The life of a principal: verified against its registry, then stored; composes stores, auth and client."""

from __future__ import annotations

from registryauth.principals.consumers import forget_consumer, note_consumer
from registryauth.principals.life import disable, enable, find, forget, prefer, remove
from registryauth.principals.prune import Retirement, prune
from registryauth.principals.register import Registration, register
from registryauth.principals.review import Finding, keep, review, survey
from registryauth.principals.rights import Rights
from registryauth.principals.rotate import Rotation, rotate
from registryauth.principals.verify import Verification, verify

__all__ = [
    "Finding",
    "Registration",
    "Retirement",
    "Rights",
    "Rotation",
    "Verification",
    "disable",
    "enable",
    "find",
    "forget",
    "forget_consumer",
    "keep",
    "note_consumer",
    "prefer",
    "prune",
    "register",
    "remove",
    "review",
    "rotate",
    "survey",
    "verify",
]
