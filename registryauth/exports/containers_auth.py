"""``auth.json`` of podman, buildah and skopeo: as docker's, and with entries for namespaces and repositories.

Source: containers-auth.json(5).
"""

from __future__ import annotations

import json

from registryauth.credentials import RegistryToken
from registryauth.errors import CredentialError
from registryauth.exports.auths import by_path
from registryauth.exports.docker_config import entry
from registryauth.exports.document import Document
from registryauth.exports.options import PLAIN, Options
from registryauth.reference import DOCKER_HUB

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from registryauth.resolver import PullSecret

_TARGET = "containers' auth.json"


def export(secrets: Sequence[PullSecret], _: Options = PLAIN) -> Document:
    """An ``auths`` object with an entry for each registry or path that has a credential; see `by_path`.

    Raise `CredentialError` for a registry token, which these programs do not read (containers/image
    ``pkg/docker/config/config.go``: ``auth`` and ``identitytoken`` alone), and for a user name with a colon.
    """
    found = by_path(secrets, DOCKER_HUB, _TARGET)
    for key, secret in found.items():
        if isinstance(secret.credential, RegistryToken):
            raise CredentialError(f"{_TARGET} has no place for a registry token, as held for {key}", hint="use --format docker-config")
    auths = {key: entry(secret.credential, key) for key, secret in found.items()}
    return Document("application/json", json.dumps({"auths": auths}, indent="\t") + "\n", secret=bool(auths))
