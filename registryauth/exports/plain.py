"""The pull secrets themselves, for a program: ``secret-json`` and ``secret-yaml``."""

from __future__ import annotations

import json

from registryauth.credentials import Anonymous, to_login
from registryauth.exports.document import Document
from registryauth.exports.options import PLAIN, Options
from registryauth.exports.yaml_text import yaml_text
from registryauth.stores.expiry import moment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from registryauth.resolver import PullSecret


def export(secrets: Sequence[PullSecret], _: Options = PLAIN) -> Document:
    """``{"version": 1, "pull_secrets": […]}`` in JSON: reference, registry, kind, type, username, password, expires_at for each."""
    return Document("application/json", json.dumps(_plain(secrets), indent=2) + "\n", secret=_any(secrets))


def export_yaml(secrets: Sequence[PullSecret], _: Options = PLAIN) -> Document:
    """The same in YAML."""
    return Document("application/yaml", yaml_text(_plain(secrets)), secret=_any(secrets))


def _any(secrets: Sequence[PullSecret]) -> bool:
    return any(not isinstance(secret.credential, Anonymous) for secret in secrets)


def _plain(secrets: Sequence[PullSecret]) -> dict[str, Any]:
    return {"version": 1, "pull_secrets": [_one(secret) for secret in secrets]}


def _one(secret: PullSecret) -> dict[str, Any]:
    username, password = to_login(secret.credential)
    ends = moment(secret.expires_at) or None
    return {
        "reference": str(secret.reference),
        "registry": secret.reference.registry.host,
        "kind": secret.kind.value,
        "type": type(secret.credential).__name__,
        "username": username or None,
        "password": password or None,
        "expires_at": ends,
    }
