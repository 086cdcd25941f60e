"""The current Go clients and servers that scripts/go-peers builds: found, or the test is skipped by their name."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Collection, Mapping
from pathlib import Path

import pytest

from .programs import run

#: What scripts/go-peers builds, by the names it gives them.
BUILT = frozenset(
    {
        "crane",
        "oras",
        "regctl",
        "registry-v3",
        "registry-ggcr",
        "registry-cue",
        "helm",
        "kubelet-credentials",
        "kubelet-secrets",
        "docker-ignore",
    }
)

CLIENTS = ("crane", "oras", "regctl")


def go_peers_directory(environment: Mapping[str, str]) -> Path:
    """Where scripts/go-peers puts them: ``$REGISTRYAUTH_GO_PEERS``, else the script's own default."""
    if named := environment.get("REGISTRYAUTH_GO_PEERS"):
        return Path(named)
    cache = environment.get("XDG_CACHE_HOME") or Path(environment.get("HOME") or Path.home()) / ".cache"
    return Path(cache, "registryauth-go-peers")


def find_go_program(name: str, directory: Path, required: Collection[str] = ()) -> str:
    """The path of *name* in *directory*/bin, else on PATH; skip the test without it, fail it if it is *required*."""
    # A distribution's own oras on PATH is years older than the one that was built.
    if path := shutil.which(name, path=os.fspath(directory / "bin")) or shutil.which(name):
        return path
    missing = f"{name} is not installed" + ("; scripts/go-peers builds it" if name in BUILT else "")
    if name in required:
        pytest.fail(f"{missing}, and REGISTRYAUTH_REQUIRE names it", pytrace=False)
    pytest.skip(missing)


#: How each client is asked over plain http. crane needs no flag for 127.0.0.1; oras and regctl need theirs.
_PLAIN = ["--host", "reg={host},tls=disabled"]
_VERBS = {
    "crane": {
        "manifest": ["manifest", "{reference}"],
        "blob": ["blob", "{repository}@{digest}"],
        "pull": ["pull", "--format=oci", "{reference}", "{directory}"],
    },
    "oras": {
        "manifest": ["manifest", "fetch", "--plain-http", "{reference}"],
        "blob": ["blob", "fetch", "--plain-http", "--output", "-", "{repository}@{digest}"],
        "pull": ["copy", "--from-plain-http", "--to-oci-layout", "{reference}", "{directory}:v1"],
    },
    "regctl": {
        "manifest": [*_PLAIN, "manifest", "get", "--format", "raw-body", "{reference}"],
        "blob": [*_PLAIN, "blob", "get", "{repository}", "{digest}"],
        "pull": [*_PLAIN, "image", "copy", "{reference}", "ocidir://{directory}:v1"],
    },
}


class GoClient:
    """One of `CLIENTS` at *path*, run with *environment* against plain-http registries; what it prints is bytes."""

    def __init__(self, name: str, path: str, environment: Mapping[str, str]) -> None:
        self.name = name
        self._path = path
        self._environment = environment

    def manifest(self, reference: str, *options: str, check: bool = True) -> subprocess.CompletedProcess[bytes]:
        """Print the manifest or index byte for byte; ``--platform OS/ARCH`` is an option of all three."""
        return self._run("manifest", *options, reference=reference, check=check)

    def blob(self, repository: str, digest: str) -> bytes:
        """The blob."""
        return self._run("blob", repository=repository, digest=digest).stdout

    def pull(self, reference: str, directory: Path) -> None:
        """Write the image, all its blobs with it, into the OCI layout *directory*."""
        self._run("pull", reference=reference, directory=os.fspath(directory))

    def _run(self, verb: str, *options: str, check: bool = True, **parts: str) -> subprocess.CompletedProcess[bytes]:
        host = (parts.get("reference") or parts["repository"]).partition("/")[0]
        argv = [part.format(host=host, **parts) for part in _VERBS[self.name][verb]]
        return run([self._path, *argv, *options], env=self._environment, check=check)
