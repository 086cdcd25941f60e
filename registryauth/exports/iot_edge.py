"""``registryCredentials`` of an Azure IoT Edge deployment manifest.

Source: Microsoft Learn "Deploy modules and establish routes" (``$edgeAgent``, ``runtime.settings.registryCredentials``).
"""

from __future__ import annotations

import json

from registryauth.exports.document import Document
from registryauth.exports.logins import logins
from registryauth.exports.options import PLAIN, Options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from registryauth.resolver import PullSecret


def export(secrets: Sequence[PullSecret], _: Options = PLAIN) -> Document:
    """The object that stands under ``registryCredentials``, with one entry for each registry; empty where none is needed.

    An entry's name is free; ours is the registry's host with an underscore for every character that a name has not.
    """
    found = logins(secrets, "IoT Edge")
    names = ("".join(c if c.isalnum() else "_" for c in login.host) for login in found)
    entries = {
        name: {"username": login.username, "password": login.password, "address": login.host}
        for name, login in zip(names, found, strict=True)
    }
    return Document("application/json", json.dumps({"registryCredentials": entries}, indent=2) + "\n", secret=bool(found))
