"""skopeo, crane, oras, regctl and our own command as one shape: whole images between a registry and the disk."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

from .programs import run
from .servers import Server

OURS, SKOPEO = "registryauth", "skopeo"
PEERS = (SKOPEO, "crane", "oras", "regctl")

#: What each is told, to pull an image or a whole index into the layout {to}, and to push one from the layout {source}. {host} and
#: {reference} are the registry's; options that begin with ``--src``, ``--from`` and the like are about plain http.
_VERBS = {
    OURS: {
        "pull": ["pull", "--all-platforms", "{reference}", "{to}"],
        "push": ["push", "{source}", "{reference}"],
    },
    SKOPEO: {
        "pull": ["--insecure-policy", "copy", "--all", "--src-tls-verify=false", "docker://{reference}", "oci:{to}:v1"],
        "push": ["--insecure-policy", "copy", "--all", "--dest-tls-verify=false", "oci:{source}:v1", "docker://{reference}"],
    },
    "crane": {
        "pull": ["pull", "--format=oci", "{reference}", "{to}"],
        "push": ["push", "{source}", "{reference}"],
    },
    "oras": {
        "pull": ["copy", "--no-tty", "--from-plain-http", "{reference}", "--to-oci-layout", "{to}:v1"],
        "push": ["copy", "--no-tty", "--from-oci-layout", "{source}:v1", "--to-plain-http", "{reference}"],
    },
    "regctl": {
        "pull": ["--host", "reg={host},tls=disabled", "image", "copy", "{reference}", "ocidir://{to}:v1"],
        "push": ["--host", "reg={host},tls=disabled", "image", "copy", "ocidir://{source}:v1", "{reference}"],
    },
}


class Tool:
    """One of them at *path*, run with *environment*: where a registry wants a login, that has it."""

    def __init__(self, name: str, path: str, environment: Mapping[str, str]) -> None:
        self.name = name
        self._path = path
        self._environment = environment

    def pull(self, reference: str, to: Path) -> None:
        """All that *reference* stands for, into the OCI layout *to*."""
        self._run("pull", reference, to=str(to))

    def push(self, source: Path, reference: str) -> None:
        """What the OCI layout *source* has under ``v1``, to *reference*."""
        self._run("push", reference, source=str(source))

    def _run(self, verb: str, reference: str, **parts: str) -> None:
        host = reference.partition("/")[0]
        self.say(*(part.format(host=host, reference=reference, **parts) for part in _VERBS[self.name][verb]))

    def say(self, *argv: str | os.PathLike[str]) -> bytes:
        """Run it with *argv*; what it printed."""
        return run([self._path, *argv], env=self._environment).stdout


def blobs(layout: Path) -> dict[str, str]:
    """What an OCI layout holds, name by name, with the digest that the bytes really have."""
    directory = layout / "blobs" / "sha256"
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in directory.iterdir()}


def root(layout: Path) -> str:
    """The digest that ``index.json`` leads to: of the only entry, or of the one tagged ``v1`` (oras lists the images of an index, too)."""
    rows = json.loads((layout / "index.json").read_text())["manifests"]
    tagged = [row for row in rows if row.get("annotations", {}).get("org.opencontainers.image.ref.name") == "v1"]
    (entry,) = rows if len(rows) == 1 else tagged
    return str(entry["digest"])


def log_in(server: Server, directory: Path) -> dict[str, str]:
    """The environment in which every one of them, ours included, is logged in to *server*, by docker's own configuration file."""
    directory.mkdir(exist_ok=True)
    content = {}
    if server.username:
        content = {"auths": {server.host: {"auth": base64.b64encode(f"{server.username}:{server.password}".encode()).decode()}}}
    (directory / "config.json").write_text(json.dumps(content))
    return {"DOCKER_CONFIG": str(directory)}
