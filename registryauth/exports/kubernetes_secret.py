"""A Kubernetes Secret of type ``kubernetes.io/dockerconfigjson``, for ``kubectl apply -f -``."""

from __future__ import annotations

import base64
import json

from registryauth.exports import kubernetes
from registryauth.exports.document import Document
from registryauth.exports.logins import nobody
from registryauth.exports.options import PLAIN, Options
from registryauth.exports.yaml_text import yaml_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from registryauth.resolver import PullSecret


def export(secrets: Sequence[PullSecret], options: Options = PLAIN) -> Document:
    """The manifest in YAML; where no secret is needed, one without an entry and a comment that says so.

    Raise `CredentialError` for a token that a user name and password cannot say, `ConfigurationError` for names and labels
    that Kubernetes does not take.
    """
    manifest, needed = _manifest(secrets, options)
    text = yaml_text(manifest)
    return Document("application/yaml", text if needed else f"# {nobody(secrets)}\n{text}", secret=needed)


def export_json(secrets: Sequence[PullSecret], options: Options = PLAIN) -> Document:
    """The manifest in JSON."""
    manifest, needed = _manifest(secrets, options)
    return Document("application/json", json.dumps(manifest, indent=2) + "\n", secret=needed)


def _manifest(secrets: Sequence[PullSecret], options: Options) -> tuple[dict[str, Any], bool]:
    metadata = kubernetes.metadata(options)
    content, needed = kubernetes.docker_config(secrets)
    data = {kubernetes.KEY: base64.b64encode(content.encode()).decode("ascii")}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": kubernetes.TYPE, "data": data}, needed
