"""Variables for Terraform's ``docker`` provider, as ``terraform.tfvars.json``.

Source: registry.terraform.io kreuzwerker/docker, block ``registry_auth`` (address, username, password). A configuration
uses them so:

    variable "registry_auth" { type = list(object({ address = string, username = string, password = string })) }
    provider "docker" {
      dynamic "registry_auth" {
        for_each = nonsensitive(var.registry_auth)
        content { … }
      }
    }
"""

from __future__ import annotations

import json

from registryauth.exports.document import Document
from registryauth.exports.logins import logins
from registryauth.exports.options import PLAIN, Options
from registryauth.reference import DOCKER_HUB

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from registryauth.resolver import PullSecret


def export(secrets: Sequence[PullSecret], _: Options = PLAIN) -> Document:
    """One object ``registry_auth``: a list with an entry for each registry; empty where no secret is needed."""
    found = [
        {
            "address": "registry-1.docker.io" if login.host == DOCKER_HUB else login.host,
            "username": login.username,
            "password": login.password,
        }
        for login in logins(secrets, "Terraform's docker provider")
    ]
    return Document("application/json", json.dumps({"registry_auth": found}, indent=2) + "\n", secret=bool(found))
