"""Clients that we did not write, how each is asked to read an image, and the table of what `scripts/clients-matrix` saw."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from .servers import Server

#: Where a client keeps images, if it does; the directory's path has to be short (podman takes 50 characters).
Storage = str


@dataclass(frozen=True)
class Client:
    """*argv* and *extra* environment for a reference, a server and a directory; *setup* is the verb of ours that sets the client up."""

    name: str
    argv: Callable[[str, Server, str], list[str]]
    setup: str = ""
    built: bool = False
    extra: Callable[[Server], dict[str, str]] = field(default=lambda _: {})
    #: It refuses a token server whose address is private and not the registry's own, as ours is here.
    public_realms: bool = False

    @property
    def verb(self) -> str:
        """The word behind ``registryauth setup``."""
        return self.setup or self.name


def _containers(server: Server) -> list[str]:
    return ["--cert-dir", str(server.ca_file.parent)] if server.ca_file else ["--tls-verify=false"]


def _go(server: Server) -> list[str]:
    return ["--ca-file", str(server.ca_file)] if server.ca_file else ["--plain-http"]


def _trust(server: Server) -> dict[str, str]:
    """Go's own variable for its certificates."""
    return {"SSL_CERT_FILE": str(server.ca_file)} if server.ca_file else {}


def _podman(reference: str, server: Server, directory: Storage) -> list[str]:
    place = ["--root", f"{directory}/storage", "--runroot", f"{directory}/run", "--tmpdir", f"{directory}/tmp"]
    return [*place, "--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", "pull", *_containers(server), reference]


def _buildah(reference: str, server: Server, directory: Storage) -> list[str]:
    place = ["--root", f"{directory}/storage", "--runroot", f"{directory}/run", "--storage-driver", "vfs"]
    return [*place, "pull", *_containers(server), reference]


def _regctl(reference: str, server: Server, _: Storage) -> list[str]:
    plain = [] if server.ca_file else ["--host", f"reg={server.host},tls=disabled"]
    return [*plain, "manifest", "get", "--format", "raw-body", reference]


CLIENTS = (
    Client("docker", lambda reference, _, __: ["manifest", "inspect", "--insecure", reference]),
    Client("podman", _podman),
    Client("skopeo", lambda reference, server, _: ["--insecure-policy", "inspect", "--raw", *_containers(server), f"docker://{reference}"]),
    Client("buildah", _buildah),
    Client("oras", lambda reference, server, _: ["manifest", "fetch", *_go(server), reference], built=True),
    Client("helm", lambda reference, server, _: ["show", "chart", *_go(server), f"oci://{reference}"], built=True),
    Client("crane", lambda reference, _, __: ["manifest", reference], setup="docker", built=True, public_realms=True),
    Client("regctl", _regctl, setup="docker", built=True, extra=_trust),
)
AUTHS = ("basic", "token", "identity token")
SERVERS = {"docker-registry": "registry", "distribution v3": "distribution_v3"}
_WORDS = {"skipped": "-", "failure": "FAILED", "error": "FAILED"}


def table(report: Path) -> tuple[str, bool]:
    """The matrix in a JUnit report of tests/real/test_client_matrix.py, and whether nothing in it failed."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    notes: dict[str, None] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        if match := re.fullmatch(r"test_[a-z_]+\[([^-]+)-([^-]+)-(.+)\]", case.get("name", "")):
            client, auth, server = match.groups()
            words = [_WORDS[child.tag] for child in case if child.tag in _WORDS]
            found.setdefault((client, server), {})[auth] = words[0] if words else "ok"
            notes |= {f"- {child.get('message', '')}": None for child in case.iter("skipped")}
    rows = [["CLIENT", "SERVER", *(auth.upper() for auth in AUTHS)]]
    rows += [[*place, *(cells.get(auth, "") for auth in AUTHS)] for place, cells in found.items()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join((*lines, *notes)), bool(found) and not any("FAILED" in cells.values() for cells in found.values())


if __name__ == "__main__":
    shown, fine = table(Path(sys.argv[1]))
    sys.stdout.write(f"{shown}\n")
    sys.exit(0 if fine else 1)
