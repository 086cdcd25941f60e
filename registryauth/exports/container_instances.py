"""``imageRegistryCredentials`` of Azure Container Instances: ARM's JSON, ``az container create --file``'s YAML, and its flags.

Sources: Microsoft Learn "Microsoft.ContainerInstance containerGroups" (ImageRegistryCredential: server, without a scheme,
username, password), "YAML reference: Azure Container Instances", ``az container create``.
"""

from __future__ import annotations

import json
import shlex

from registryauth.exports.document import Document
from registryauth.exports.logins import logins, nobody, one_login
from registryauth.exports.options import PLAIN, Options
from registryauth.exports.yaml_text import yaml_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from registryauth.resolver import PullSecret

_TARGET = "Azure Container Instances"


def export(secrets: Sequence[PullSecret], _: Options = PLAIN) -> Document:
    """An object with the array ``imageRegistryCredentials`` of a template's ``properties``; empty where no secret is needed."""
    found = _credentials(secrets)
    return Document("application/json", json.dumps({"imageRegistryCredentials": found}, indent=2) + "\n", secret=bool(found))


def export_yaml(secrets: Sequence[PullSecret], _: Options = PLAIN) -> Document:
    """The same in YAML."""
    found = _credentials(secrets)
    text = yaml_text({"imageRegistryCredentials": found})
    return Document("application/yaml", text if found else f"# {nobody(secrets)}\n{text}", secret=bool(found))


def export_az(secrets: Sequence[PullSecret], _: Options = PLAIN) -> Document:
    """The flags of ``az container create`` for one registry, quoted for a shell; an empty line where no secret is needed.

    Each value is joined to its flag: a word of its own would be read as a flag where it begins with ``-``, and as the name of a
    file where it begins with ``@``. ``az`` shows them to every user of the machine while it runs.
    """
    login = one_login(secrets, "az container create")
    if login is None:
        return Document("text/plain", "\n", secret=False)
    flags = {"--registry-login-server": login.host, "--registry-username": login.username, "--registry-password": login.password}
    return Document("text/plain", " ".join(f"{flag}={shlex.quote(value)}" for flag, value in flags.items()) + "\n", secret=True)


def _credentials(secrets: Sequence[PullSecret]) -> list[dict[str, str]]:
    return [{"server": login.host, "username": login.username, "password": login.password} for login in logins(secrets, _TARGET)]
