"""A patch that lets a ServiceAccount's pods use the pull secret: ``kubectl patch serviceaccount default --patch-file FILE``.

``imagePullSecrets`` is merged by name (kubernetes ``staging/src/k8s.io/api/core/v1/types.go``, patchMergeKey), so that what is
there stays.
"""

from __future__ import annotations

from registryauth.credentials import Anonymous
from registryauth.exports import kubernetes
from registryauth.exports.document import Document
from registryauth.exports.logins import nobody
from registryauth.exports.options import PLAIN, Options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from registryauth.resolver import PullSecret


def export(secrets: Sequence[PullSecret], options: Options = PLAIN) -> Document:
    """The strategic merge patch in YAML; it names the secret and holds none."""
    import yaml

    if all(isinstance(secret.credential, Anonymous) for secret in secrets):
        return Document("application/yaml", f"# {nobody(secrets)}\n{{}}\n", secret=False)
    patch = {"imagePullSecrets": [{"name": kubernetes.name(options)}]}
    return Document("application/yaml", yaml.safe_dump(patch), secret=False)
