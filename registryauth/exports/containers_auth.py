"""``auth.json`` of podman, buildah and skopeo: as docker's, and with entries for namespaces and repositories.

Source: containers-auth.json(5).
"""

from __future__ import annotations

import json

from registryauth.exports.auths import by_path
from registryauth.exports.docker_config import entry
from registryauth.exports.document import Document
from registryauth.exports.options import PLAIN, Options
from registryauth.reference import DOCKER_HUB

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from registryauth.resolver import PullSecret


def export(secrets: Sequence[PullSecret], _: Options = PLAIN) -> Document:
    """An ``auths`` object with an entry for each registry, or for each repository where a registry needs several accounts."""
    auths = {key: entry(secret.credential, key) for key, secret in by_path(secrets, DOCKER_HUB).items()}
    return Document("application/json", json.dumps({"auths": auths}, indent="\t") + "\n", secret=bool(auths))
