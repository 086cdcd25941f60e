"""The value of GitLab's CI/CD variable ``DOCKER_AUTH_CONFIG``, on one line, as a masked or file variable takes it.

Source: docs.gitlab.com "Using Docker images", Access an image from a private Container Registry.
"""

from __future__ import annotations

import json

from registryauth.exports.auths import by_path, entries
from registryauth.exports.document import Document
from registryauth.exports.options import PLAIN, Options
from registryauth.reference import DOCKER_HUB_KEY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from registryauth.resolver import PullSecret


def export(secrets: Sequence[PullSecret], _: Options = PLAIN) -> Document:
    """The JSON; an empty ``auths`` where no secret is needed. The runner takes a key with a path for that path alone."""
    auths = entries(by_path(secrets, DOCKER_HUB_KEY), "DOCKER_AUTH_CONFIG")
    return Document("application/json", json.dumps({"auths": auths}, separators=(",", ":")) + "\n", secret=bool(auths))
