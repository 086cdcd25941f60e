"""Values for a Helm chart: ``imagePullSecrets``, and the ``imageCredentials`` from which charts make the secret.

Source: helm.sh "Chart Development Tips and Tricks", Creating Image Pull Secrets.
"""

from __future__ import annotations

import re

from registryauth.errors import CredentialError
from registryauth.exports import kubernetes
from registryauth.exports.document import Document
from registryauth.exports.logins import nobody, one_login
from registryauth.exports.options import PLAIN, Options
from registryauth.exports.yaml_text import yaml_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from registryauth.resolver import PullSecret

_TARGET = "a chart's imageCredentials"


def export(secrets: Sequence[PullSecret], options: Options = PLAIN) -> Document:
    """The values in YAML, for one registry; empty lists and objects where no secret is needed.

    A credential for a path has that in its key, which the template makes the kubelet's. Raise `CredentialError` for more than
    one registry or path, and for a quotation mark or backslash: Helm's own example, which
    charts copy, puts user name and password into JSON as they are.
    """
    login, name = one_login(secrets, _TARGET), kubernetes.name(options)
    if login is None:
        return Document("application/yaml", f"# {nobody(secrets)}\nimagePullSecrets: []\nimageCredentials: {{}}\n", secret=False)
    if re.search(r'["\\]', login.username + login.password):
        raise CredentialError(
            f"the credential for {login.host} has a quotation mark or a backslash in it, which {_TARGET} cannot hold",
            hint="make the secret with --format kubernetes-secret and give the chart its name in imagePullSecrets",
        )
    keys = list(kubernetes.by_key(secrets, _TARGET))
    if len(keys) > 1:
        raise CredentialError(f"{_TARGET} holds one registry or path, not {' and '.join(keys)}", hint="export each of them apart")
    credentials = {"name": name, "registry": keys[0], "username": login.username, "password": login.password, "email": ""}
    values = {"imagePullSecrets": [{"name": name}], "imageCredentials": credentials}
    return Document("application/yaml", yaml_text(values), secret=True)
