"""Foreign Python distributions: imported, or the test is skipped by their name."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
from types import ModuleType

import pytest

# Read here, because a test's environment no longer has it.
_REQUIRED = frozenset(os.environ.get("REGISTRYAUTH_REQUIRE", "").split())


def needs(distribution: str, module: str) -> ModuleType:
    """The *module* of *distribution*; skip the test where that is not installed, fail it where REGISTRYAUTH_REQUIRE names it."""
    try:
        importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        if distribution in _REQUIRED:
            pytest.fail(f"{distribution} is not installed, and REGISTRYAUTH_REQUIRE names it", pytrace=False)
        pytest.skip(f"{distribution} is not installed")
    return importlib.import_module(module)
