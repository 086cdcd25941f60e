"""A patch that lets a ServiceAccount's pods use the pull secret: ``kubectl patch serviceaccount default --patch-file FILE``.

Source: kubernetes.io "Configure Service Accounts for Pods", Add ImagePullSecrets to a service account. The list is replaced, not
merged (kubernetes ``staging/src/k8s.io/api/core/v1/types.go``: ServiceAccount.ImagePullSecrets has no patchStrategy).
"""

from __future__ import annotations

from registryauth.credentials import Anonymous
from registryauth.exports import kubernetes
from registryauth.exports.document import Document
from registryauth.exports.logins import nobody
from registryauth.exports.options import PLAIN, Options
from registryauth.exports.yaml_text import yaml_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from registryauth.resolver import PullSecret


def export(secrets: Sequence[PullSecret], options: Options = PLAIN) -> Document:
    """The merge patch in YAML; it names the secret and holds none, and changes nothing where no secret is needed.

    An account that has other pull secrets loses them to it; the comment in it says so.
    """
    if all(isinstance(secret.credential, Anonymous) for secret in secrets):
        return Document("application/yaml", f"# {nobody(secrets)}\n{{}}\n", secret=False)
    patch = {"imagePullSecrets": [{"name": kubernetes.name(options)}]}
    return Document("application/yaml", f"# takes the place of the account's list\n{yaml_text(patch)}", secret=False)
