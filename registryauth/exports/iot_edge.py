"""``registryCredentials`` of an Azure IoT Edge deployment manifest.

Sources: Microsoft Learn "Deploy modules and establish routes" (``$edgeAgent``, ``runtime.settings.registryCredentials``);
Azure/iotedge ``Edge.Agent.Docker/DockerUtil.cs`` (an entry is taken whose address equals the host in the image's name, and
docker's key for Docker Hub where there is no host).
"""

from __future__ import annotations

import json
import re

from registryauth.exports.document import Document
from registryauth.exports.logins import logins
from registryauth.exports.options import PLAIN, Options
from registryauth.reference import DOCKER_HUB, DOCKER_HUB_KEY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from registryauth.resolver import PullSecret


def export(secrets: Sequence[PullSecret], _: Options = PLAIN) -> Document:
    """The object ``registryCredentials``, with an entry for each registry; empty where none is needed.

    Docker Hub has two, for images written with ``docker.io/`` in front and for those without. An entry's name is free; ours is
    the address with an underscore for what a twin's key has no place for.
    """
    entries: dict[str, dict[str, str]] = {}
    for login in logins(secrets, "IoT Edge"):
        for address in (DOCKER_HUB, DOCKER_HUB_KEY) if login.host == DOCKER_HUB else (login.host,):
            entries[_name(address, entries)] = {"username": login.username, "password": login.password, "address": address}
    return Document("application/json", json.dumps({"registryCredentials": entries}, indent=2) + "\n", secret=bool(entries))


def _name(address: str, taken: dict[str, dict[str, str]]) -> str:
    """A name for *address* that no other one has: ``a-b.example`` and ``a.b.example`` look alike without their marks."""
    name = re.sub(r"[^A-Za-z0-9]+", "_", address.removeprefix("https://")).strip("_")
    number = 1
    while (numbered := name if number == 1 else f"{name}_{number}") in taken:
        number += 1
    return numbered
