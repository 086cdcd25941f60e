"""The value of GitLab's CI/CD variable ``DOCKER_AUTH_CONFIG``, on one line without a space, as a masked variable has to be.

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


_TARGET = "DOCKER_AUTH_CONFIG"


def export(secrets: Sequence[PullSecret], _: Options = PLAIN) -> Document:
    """The JSON; an empty ``auths`` where no secret is needed.

    A credential for a path stands under that, and two accounts at one registry under their repositories, which runners take
    since gitlab-runner!4727, the most specific entry first; older ones, and the docker client that runs in a job, look for the
    host alone.
    """
    auths = entries(by_path(secrets, DOCKER_HUB_KEY, _TARGET), _TARGET)
    return Document("application/json", json.dumps({"auths": auths}, separators=(",", ":")) + "\n", secret=bool(auths))
