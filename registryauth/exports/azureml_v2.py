"""An environment of Azure Machine Learning's v2, and the workspace connection that holds its registry's user name and password.

Sources: Microsoft Learn "CLI (v2) Environment YAML schema" and "CLI (v2) connections"; azure-ai-ml 1.35
``entities/_workspace/connections/workspace_connection.py`` (for ``container_registry`` a user name and password or a managed
identity, nothing else), ``entities/_credentials.py`` ("value should be url-encoded"); ARM
``Microsoft.MachineLearningServices/workspaces/connections``.
"""

from __future__ import annotations

import json
from urllib.parse import quote

from registryauth._value import Value
from registryauth.exports.azureml import name as environment_name
from registryauth.exports.azureml_image import base_image, one, resource_name
from registryauth.exports.document import Document
from registryauth.exports.logins import nobody
from registryauth.exports.options import PLAIN, Options
from registryauth.exports.yaml_text import yaml_text
from registryauth.reference import DOCKER_HUB, DOCKER_HUB_KEY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from registryauth.resolver import PullSecret

_SCHEMA = "https://azuremlschemas.azureedge.net/latest/environment.schema.json"
_WHAT = "a workspace connection"
_NOTICE = "# user name and password are percent-encoded, as azure-ai-ml asks\n"


class _Connection(Value, hidden=("password",)):
    target: str
    username: str
    password: str
    encoded: bool


def export_environment(secrets: Sequence[PullSecret], options: Options = PLAIN) -> Document:
    """The environment in YAML for ``az ml environment create --file``. It has no place for a secret: that is the connection's."""
    name, image = environment_name(options), str(one(secrets).reference)
    text = yaml_text({"$schema": _SCHEMA, "name": name, "image": image})
    return Document("application/yaml", text, secret=False)


def export_connection(secrets: Sequence[PullSecret], options: Options = PLAIN) -> Document:
    """The connection in YAML for ``az ml connection create --file``; a comment where no secret is needed.

    User name and password are percent-encoded, as azure-ai-ml's documentation asks; a comment says so where that changed one.
    Raise `CredentialError` for a token that no user name and password can say, `ConfigurationError` for the name.
    """
    name, found = resource_name(options, _WHAT), _connection(secrets)
    if found is None:
        return Document("application/yaml", f"# {nobody(secrets)}\n", secret=False)
    document = {
        "name": name,
        "type": "container_registry",
        "target": found.target,
        "credentials": {"type": "username_password", "username": found.username, "password": found.password},
    }
    text = yaml_text(document)
    return Document("application/yaml", f"{_NOTICE}{text}" if found.encoded else text, secret=True)


def export_arm(secrets: Sequence[PullSecret], _: Options = PLAIN) -> Document:
    """The connection as the body of ARM's ``PUT …/connections/NAME``; an empty object where no secret is needed.

    Its name is in the address alone. Encoded, and refused, as `export_connection` does.
    """
    found = _connection(secrets)
    if found is None:
        return Document("application/json", "{}\n", secret=False)
    properties = {
        "category": "ContainerRegistry",
        "target": found.target,
        "authType": "UsernamePassword",
        "credentials": {"username": found.username, "password": found.password},
        "isSharedToAll": True,
        "metadata": {},
    }
    return Document("application/json", json.dumps({"properties": properties}, indent=2) + "\n", secret=True)


def _connection(secrets: Sequence[PullSecret]) -> _Connection | None:
    found = base_image(one(secrets))
    if not found.password:
        return None
    target = DOCKER_HUB_KEY if found.address == DOCKER_HUB else f"https://{found.address}"
    username, password = quote(found.username, safe=""), quote(found.password, safe="")
    return _Connection(target, username, password, (username, password) != (found.username, found.password))
