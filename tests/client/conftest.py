"""A registry with one account, and clients for it."""

from __future__ import annotations

import pytest

from registryauth.testing import RegistrySimulator

from .clients import REPOSITORY


@pytest.fixture
def simulator() -> RegistrySimulator:
    """Knows robot, and has linux/amd64 and linux/arm64 images and an index of them in team/app."""
    simulator = RegistrySimulator(accounts={"robot": "right"})
    images = {
        platform: simulator.add_image(REPOSITORY, name, [b"layer of " + name.encode()], platform) for name, platform in IMAGES.items()
    }
    simulator.add_index(REPOSITORY, "both", images)
    return simulator


IMAGES = {"v1": "linux/amd64", "v1-arm": "linux/arm64/v8"}
