"""The private container registry client and auth manager."""

from __future__ import annotations
