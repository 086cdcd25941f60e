"""Docker's ``config.json``, as every client of the docker family reads it.

Source: docker/cli ``cli/config/types/authconfig.go``; the identity token's form is the one that
``az acr login`` writes.
"""

from __future__ import annotations

import json

from registryauth.credentials import NULL_GUID, Anonymous, Basic, Credential, IdentityToken
from registryauth.exports.auths import by_registry, encoded
from registryauth.exports.document import Document
from registryauth.exports.options import PLAIN, Options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from registryauth.resolver import PullSecret


def export(secrets: Sequence[PullSecret], _: Options = PLAIN) -> Document:
    """An ``auths`` object with an entry for each registry that needs a credential.

    Raise `CredentialError` for two different credentials at one registry, for which the format has no
    place, and for a user name with a colon, which it would read as the end of the name.
    """
    auths = {key: entry(credential, key) for key, credential in by_registry(secrets, "docker's configuration").items()}
    return Document("application/json", json.dumps({"auths": auths}, indent="\t") + "\n", secret=bool(auths))


def entry(credential: Credential, key: str) -> dict[str, str]:
    """What stands under *key* for *credential*."""
    match credential:
        case Basic(username, password):
            return {"auth": encoded(username, password, key)}
        case IdentityToken(token):
            return {"auth": encoded(NULL_GUID, "", key), "identitytoken": token}
        case _:
            return {"registrytoken": credential.token} if not isinstance(credential, Anonymous) else {}
