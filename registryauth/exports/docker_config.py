"""Docker's ``config.json``, as every client of the docker family reads it.

Source: docker/cli ``cli/config/types/authconfig.go``; the identity token's form is the one that
``az acr login`` writes.
"""

from __future__ import annotations

import base64
import json

from registryauth.credentials import NULL_GUID, Anonymous, Basic, Credential, IdentityToken
from registryauth.errors import CredentialError
from registryauth.exports.document import Document
from registryauth.reference import DOCKER_HUB, DOCKER_HUB_KEY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from registryauth.resolver import PullSecret


def export(secrets: Sequence[PullSecret]) -> Document:
    """An ``auths`` object with an entry for each registry that needs a credential.

    Raise `CredentialError` for two different credentials at one registry, for which the format has no
    place, and for a user name with a colon, which it would read as the end of the name.
    """
    chosen: dict[str, Credential] = {}
    for secret in secrets:
        host = secret.reference.registry.host
        key = DOCKER_HUB_KEY if host == DOCKER_HUB else host
        if isinstance(secret.credential, Anonymous):
            continue
        if chosen.setdefault(key, secret.credential) != secret.credential:
            raise CredentialError(
                f"docker's configuration has one entry for each registry, and {host} would need two",
                hint="export them apart, or use one account for both",
            )
    auths = {key: _entry(credential, key) for key, credential in chosen.items()}
    return Document("application/json", json.dumps({"auths": auths}, indent="\t") + "\n", secret=bool(auths))


def _entry(credential: Credential, key: str) -> dict[str, str]:
    match credential:
        case Basic(username, password):
            if ":" in username:
                raise CredentialError(
                    f"the user name for {key} has a colon in it, which docker's configuration cannot hold", hint="use another account"
                )
            return {"auth": _encoded(username, password)}
        case IdentityToken(token):
            return {"auth": _encoded(NULL_GUID, ""), "identitytoken": token}
        case _:
            return {"registrytoken": credential.token} if not isinstance(credential, Anonymous) else {}


def _encoded(username: str, password: str) -> str:
    return base64.b64encode(f"{username}:{password}".encode()).decode("ascii")
