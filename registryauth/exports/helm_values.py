"""Values for a Helm chart: ``imagePullSecrets``, and the ``imageCredentials`` from which charts make the secret.

Source: helm.sh "Chart Development Tips and Tricks", Creating Image Pull Secrets.
"""

from __future__ import annotations

from registryauth.exports import kubernetes
from registryauth.exports.document import Document
from registryauth.exports.logins import nobody, one_login
from registryauth.exports.options import PLAIN, Options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from registryauth.resolver import PullSecret


def export(secrets: Sequence[PullSecret], options: Options = PLAIN) -> Document:
    """The values in YAML, for one registry; empty lists and objects where no secret is needed."""
    import yaml

    login, name = one_login(secrets, "a chart's imageCredentials"), kubernetes.name(options)
    if login is None:
        return Document("application/yaml", f"# {nobody(secrets)}\nimagePullSecrets: []\nimageCredentials: {{}}\n", secret=False)
    values = {
        "imagePullSecrets": [{"name": name}],
        "imageCredentials": {"name": name, "registry": login.host, "username": login.username, "password": login.password},
    }
    return Document("application/yaml", yaml.safe_dump(values, sort_keys=False, width=1_000_000), secret=True)
