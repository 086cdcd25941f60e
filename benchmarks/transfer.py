"""Whole images to the disk and from it: ours beside crane, oras, regctl and skopeo, and beside hashing alone."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import goals, table
from benchmarks.goals import ALONE, BOUNDS, LARGE, OURS, SIXTY_FOUR, SMALL, Taken
from benchmarks.images import Shape, make
from tests.real.go_programs import go_peers_directory
from tests.real.servers import docker_registry

MIB = 1024 * 1024
SHAPES = (Shape(LARGE, 1, 1024 * MIB), Shape(SIXTY_FOUR, 64, 16 * MIB), Shape(SMALL, 2000, 4096))
#: A file system in memory: a disk would be measured otherwise.
MEMORY = Path("/dev/shm")
#: Bytes: the image three times (the source, the registry's, what is pulled), and some more.
ROOM = 4 * 1024 * MIB
#: Who is this many times slower than the fastest in the first round need not run again.
HOPELESS = 3
#: More layers than this take skopeo minutes, and hashing them next to no time.
MANY = 1000
_BARE = str(Path(__file__).with_name("bare.py"))
_SPAWN = str(Path(__file__).with_name("spawn.py"))
_HASH = "import hashlib, sys\nfor name in sys.argv[1:]: hashlib.file_digest(open(name, 'rb'), 'sha256')"


@dataclass(frozen=True)
class Candidate:
    """What to time: its *name*, and how it is asked."""

    name: str
    argv: list[str]


def tables(ours: str, environ: Mapping[str, str], rounds: int, only: str = "") -> Iterator[str]:
    """Where this runs, two tables for each of `SHAPES` whose name holds *only*, when they are done, and the goals.

    *ours* is our program.
    """
    free = shutil.disk_usage(MEMORY).free
    if free < ROOM:
        raise RuntimeError(f"{MEMORY} has room for {free // MIB} MiB, and {ROOM // MIB} are needed")
    yield goals.surroundings(_path(environ))
    results: dict[tuple[str, str], dict[str, Taken]] = {}
    for shape in SHAPES:
        if only in shape.name:
            with tempfile.TemporaryDirectory(prefix="bench-", dir=MEMORY) as name, _registry(Path(name)) as (host, storage):
                for way, taken in _both_ways(_Stage(shape, Path(name), host, storage), ours, environ, rounds):
                    results[way, shape.name] = taken
                    yield _rendered(f"{way}, {shape.name}", taken)
    yield goals.rendered(results)
    yield goals.surroundings(_path(environ))


def huge(ours: str, environ: Mapping[str, str], size: int = 10 * 1024 * MIB) -> str:
    """One blob of *size* bytes, pushed and pulled once by our program *ours*, on the disk: what memory that takes."""
    with tempfile.TemporaryDirectory(prefix="bench-huge-") as name:
        free, wanted = shutil.disk_usage(name).free, 3 * size + 1024 * MIB
        if free < wanted:
            raise RuntimeError(f"{name} has room for {free // MIB} MiB, and {wanted // MIB} are needed")
        with _registry(Path(name)) as (host, storage):
            stage = _Stage(Shape(f"1 x {size // MIB} MiB", 1, size), Path(name), host, storage)
            pull, push = _clients(ours, environ, stage)[OURS]
            rows = []
            for way, argv in (("Push", push), ("Pull", pull)):
                wall, cpu, peak = _run(Candidate(OURS, argv), environ)
                rows.append([way, f"{wall:.0f}", f"{cpu:.0f}", f"{peak / 1024:.0f}"])
            stage.expect(stage.target, "blobs/sha256/*")
    return table.rendered(f"One blob of {size // MIB:,} MiB, on the disk", ["", "s", "CPU s", "peak RSS, MiB"], rows)


class _Stage:
    """An image of *shape*, the registry at *host* with its *storage*, and where to pull to."""

    def __init__(self, shape: Shape, directory: Path, host: str, storage: Path) -> None:
        self.shape = shape
        self.host = host
        self.storage = storage
        self.target = directory / "pulled"
        self.made = make(shape, directory / "image")

    def expect(self, directory: Path, pattern: str) -> None:
        """Raise unless all of the image is in *directory*: a client that stops early must not look fast."""
        found = {(path.parent.name if path.name == "data" else path.name): path.stat().st_size for path in directory.glob(pattern)}
        if not found.items() >= self.made.sizes.items():
            raise RuntimeError(f"{len(found)} blobs are there where {len(self.made.sizes)} should be")


def _both_ways(stage: _Stage, ours: str, environ: Mapping[str, str], rounds: int) -> Iterator[tuple[str, dict[str, Taken]]]:
    clients = _clients(ours, environ, stage)
    pushes = [Candidate(name, push) for name, (_, push) in clients.items()]
    check = lambda: stage.expect(stage.storage, "**/blobs/sha256/*/*/data")  # noqa: E731 - one line
    yield "Push", _measure(pushes, environ, rounds, _emptied(stage.storage), check)
    layers = stage.made.layers
    few = stage.shape.count <= MANY
    hashing = [
        Candidate(name, argv) for name, argv in zip(ALONE, (["sha256sum", *layers], [sys.executable, "-c", _HASH, *layers]), strict=True)
    ]
    pulls = [*(Candidate(name, pull) for name, (pull, _) in clients.items()), *(hashing if few else ()), *_bounds(stage)]
    check = lambda: stage.expect(stage.target, "blobs/sha256/*")  # noqa: E731 - one line
    yield "Pull", _measure(pulls, environ, rounds, _emptied(stage.target), check)


def _bounds(stage: _Stage) -> list[Candidate]:
    """What bounds the pull of a single blob."""
    if stage.shape.count > 1:
        return []
    digest, size = max(stage.made.sizes.items(), key=lambda item: item[1])
    path, target = f"/v2/team/model/blobs/sha256:{digest}", str(stage.target / "blob")
    curl = ["curl", "--silent", "--fail", "--create-dirs", "--output", target, f"http://{stage.host}{path}"]
    argvs = (curl, [sys.executable, _BARE, stage.host, path, target, str(size), digest])
    return [Candidate(name, argv) for name, argv in zip(BOUNDS, argvs, strict=True) if shutil.which(argv[0])]


@contextmanager
def _registry(directory: Path) -> Iterator[tuple[str, Path]]:
    program = shutil.which("docker-registry")
    if not program:
        raise RuntimeError("docker-registry is not installed")
    storage = directory / "storage"
    home = directory / "registry"
    home.mkdir()
    with docker_registry(program, home, {"storage": {"filesystem": {"rootdirectory": str(storage)}}}) as server:
        yield server.host, storage


def _clients(ours: str, environ: Mapping[str, str], stage: _Stage) -> dict[str, tuple[list[str], list[str]]]:
    """How each client that is there pulls the image into a layout, and pushes it from one."""
    host, source, target = stage.host, stage.made.directory, stage.target
    reference = f"{host}/team/model:v1"
    path = _path(environ)
    known = {
        "crane": (["pull", "--format=oci", reference, f"{target}"], ["push", f"{source}", reference]),
        "oras": (
            ["cp", "--no-tty", "--from-plain-http", reference, "--to-oci-layout", f"{target}:v1"],
            ["cp", "--no-tty", "--from-oci-layout", f"{source}:v1", "--to-plain-http", reference],
        ),
        "regctl": (
            ["--host", f"reg={host},tls=disabled", "image", "copy", reference, f"ocidir://{target}:v1"],
            ["--host", f"reg={host},tls=disabled", "image", "copy", f"ocidir://{source}:v1", reference],
        ),
        "skopeo": (
            ["--insecure-policy", "copy", "--src-tls-verify=false", f"docker://{reference}", f"oci:{target}:v1"],
            ["--insecure-policy", "copy", "--dest-tls-verify=false", f"oci:{source}:v1", f"docker://{reference}"],
        ),
    }
    if stage.shape.count > MANY:
        del known["skopeo"]
    found = {name: shutil.which(name, path=path) for name in known}
    peers = {name: ([path, *known[name][0]], [path, *known[name][1]]) for name, path in found.items() if path}
    return {OURS: ([ours, "pull", reference, str(target)], [ours, "push", str(source), reference]), **peers}


def _path(environ: Mapping[str, str]) -> str:
    """Where the peers are: what was built comes before what is installed."""
    return f"{go_peers_directory(os.environ)}/bin{os.pathsep}{environ['PATH']}"


def _emptied(directory: Path) -> Callable[[], None]:
    return lambda: shutil.rmtree(directory, ignore_errors=True)


def _measure(
    candidates: list[Candidate], environ: Mapping[str, str], rounds: int, before: Callable[[], None], after: Callable[[], None]
) -> dict[str, Taken]:
    taken = {candidate.name: Taken() for candidate in candidates}
    for number in range(rounds):
        # Each round begins with another one, so that nobody always has what the one before left behind.
        turn = number % len(candidates)
        fastest = min((min(one.wall) for name, one in taken.items() if one.wall and name not in (*ALONE, *BOUNDS)), default=0.0)
        for candidate in (*candidates[turn:], *candidates[:turn]):
            one = taken[candidate.name]
            if candidate.name != OURS and one.wall and one.wall[0] > HOPELESS * fastest:
                continue
            before()
            wall, cpu, peak = _run(candidate, environ)
            if candidate.name not in (*ALONE, *BOUNDS):
                after()
            one.wall.append(wall)
            one.cpu.append(cpu)
            one.peak = max(one.peak, peak)
    return taken


def _run(candidate: Candidate, environ: Mapping[str, str]) -> tuple[float, float, int]:
    argv = [sys.executable, "-I", "-S", _SPAWN, *candidate.argv]
    done = subprocess.run(argv, env=dict(environ), stdin=subprocess.DEVNULL, capture_output=True, timeout=600, check=True)
    status, wall, cpu, peak = json.loads(done.stdout)
    if status:
        raise RuntimeError(f"{candidate.name} ended with {status}: {done.stderr.decode(errors='replace')[-500:]}")
    return wall, cpu, peak


def _rendered(title: str, taken: Mapping[str, Taken]) -> str:
    walls = {name: one.median for name, one in taken.items()}
    fastest = min(goals.peers(taken).values(), default=walls[OURS])
    hashing = min((walls[name] for name in ALONE if name in walls), default=0.0)
    header = ["whole process", "s", "times the fastest peer", *(["times sha256"] if hashing else []), "CPU s", "peak RSS, MiB", "rounds"]
    rows = [
        [
            name,
            f"{walls[name]:.2f}",
            f"{walls[name] / fastest:.2f}",
            *([f"{walls[name] / hashing:.2f}"] if hashing else []),
            f"{statistics.median(one.cpu):.2f}",
            f"{one.peak / 1024:.0f}",
            f"{len(one.wall)}",
        ]
        for name, one in taken.items()
    ]
    return table.rendered(title, header, rows)
