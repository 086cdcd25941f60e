"""What whole-image transfers should reach, and what they reached."""

from __future__ import annotations

import os
import platform
import shutil
import statistics
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field

from benchmarks import table

OURS, ALONE = "**registryauth**", ("sha256sum", "hashlib")
#: What no client can be faster than: the same bytes into a file unverified, and with nothing but the hash beside it.
BOUNDS = ("curl, unverified", "a bare loop")
LARGE, SIXTY_FOUR, SMALL = "1 x 1 GiB", "64 x 16 MiB", "2,000 x 4 KiB"
#: How each program says its version.
_VERSIONS = {
    "docker-registry": ["--version"],
    "crane": ["version"],
    "oras": ["version"],
    "regctl": ["version", "--format", "{{.VCSTag}}"],
    "skopeo": ["--version"],
}


@dataclass
class Taken:
    """What the runs of one candidate took: seconds, and KiB."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    peak: int = 0

    @property
    def median(self) -> float:
        """Seconds from start to end."""
        return statistics.median(self.wall)


Results = Mapping[tuple[str, str], Mapping[str, Taken]]


def peers(taken: Mapping[str, Taken], among: tuple[str, ...] = ()) -> dict[str, float]:
    """The median seconds of every other client, or of those *among* them."""
    return {name: one.median for name, one in taken.items() if name not in (OURS, *ALONE, *BOUNDS) and (not among or name in among)}


def rendered(results: Results) -> str:
    """Each goal, whether it was met, and by how much."""
    rows = [
        _beside("pull of 1 GiB faster than every peer", results, "Pull", LARGE),
        _hashing("pull of 1 GiB at most 1.7 times SHA-256 alone", results),
        _beside("pull of 64 x 16 MiB faster than every peer", results, "Pull", SIXTY_FOUR),
        _beside("push of 1 GiB not slower than the fastest", results, "Push", LARGE),
        _beside("push of 64 x 16 MiB not slower than the fastest", results, "Push", SIXTY_FOUR),
        _beside("push of 2,000 small blobs not slower than oras and regctl", results, "Push", SMALL, "oras", "regctl"),
        _beside("pull of 2,000 small blobs not slower than oras and regctl", results, "Pull", SMALL, "oras", "regctl"),
        _memory("peak RSS at most 80 MiB", results),
    ]
    return table.rendered("Goals", ["goal", "in this run"], [row for row in rows if row])


def _beside(goal: str, results: Results, way: str, shape: str, *among: str) -> list[str]:
    taken = results.get((way, shape), {})
    others = peers(taken, among)
    if not others or OURS not in taken:
        return []
    fastest = min(others, key=others.__getitem__)
    ratio = taken[OURS].median / others[fastest]
    # Each median beside its nearest rival says whether the difference is more than the rounds differ among themselves.
    apart = max(taken[OURS].wall) < min(taken[fastest].wall) or min(taken[OURS].wall) > max(taken[fastest].wall)
    return [goal, f"{'met' if ratio <= 1 else 'missed'}: {ratio:.2f} of {fastest}{'' if apart else ' (their rounds overlap)'}"]


def _hashing(goal: str, results: Results) -> list[str]:
    taken = results.get(("Pull", LARGE), {})
    alone = [taken[name].median for name in ALONE if name in taken]
    if not alone or OURS not in taken:
        return []
    ratio = taken[OURS].median / min(alone)
    bounds = ", ".join(f"{name} {taken[name].median / min(alone):.2f}" for name in BOUNDS if name in taken)
    return [goal, f"{'met' if ratio <= 1.7 else 'missed'}: {ratio:.2f}{f' ({bounds})' if bounds else ''}"]


def _memory(goal: str, results: Results) -> list[str]:
    peaks = [taken[OURS].peak / 1024 for taken in results.values() if OURS in taken]
    return [goal, f"{'met' if max(peaks) <= 80 else 'missed'}: {max(peaks):.0f} MiB at most"] if peaks else []


def surroundings(path: str) -> str:
    """The machine, how busy it is, and the version of every program that is found in *path*."""
    found = []
    for name, argv in _VERSIONS.items():
        if program := shutil.which(name, path=path):
            said = subprocess.run([program, *argv], capture_output=True, text=True, check=False, timeout=60).stdout.split("\n")[0]
            found.append(f"{name} {said.split()[-1] if said else 'of no version'}")
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    return f"{os.cpu_count()} CPUs, load {load}, Python {platform.python_version()}; {'; '.join(found)}.\n"
