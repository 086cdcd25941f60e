"""The certificate authority of one test session."""

from __future__ import annotations

from registryauth.testing.certificates import Authority, Key

__all__ = ["Authority", "Key"]
