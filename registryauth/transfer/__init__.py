"""Whole images and artifacts: to the disk, from the disk, from registry to registry; in parallel, taken up where they stopped."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.transfer.artifacts import push_files
    from registryauth.transfer.copying import copy
    from registryauth.transfer.graph import ALL
    from registryauth.transfer.progress import Progress, Transferred
    from registryauth.transfer.pulling import pull
    from registryauth.transfer.pushing import push

__all__ = ["ALL", "Progress", "Transferred", "copy", "pull", "push", "push_files"]

#: Where each is, imported when it is asked for: who pulls need not load what pushes.
_HOMES = {
    "ALL": "graph",
    "Progress": "progress",
    "Transferred": "progress",
    "copy": "copying",
    "pull": "pulling",
    "push": "pushing",
    "push_files": "artifacts",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = found
    return found
