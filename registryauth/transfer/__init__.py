"""Whole images and artifacts: to the disk, from the disk, from registry to registry; in parallel, taken up where they stopped."""

from __future__ import annotations

from registryauth.transfer.artifacts import push_files
from registryauth.transfer.copying import copy
from registryauth.transfer.graph import ALL
from registryauth.transfer.progress import Progress, Transferred
from registryauth.transfer.pulling import pull
from registryauth.transfer.pushing import push

__all__ = ["ALL", "Progress", "Transferred", "copy", "pull", "push", "push_files"]
