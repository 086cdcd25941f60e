"""A Kubernetes Secret of type ``kubernetes.io/dockerconfigjson``, for ``kubectl apply -f -``."""

from __future__ import annotations

import base64
import json

from registryauth.exports import kubernetes
from registryauth.exports.document import Document
from registryauth.exports.logins import nobody
from registryauth.exports.options import PLAIN, Options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from registryauth.resolver import PullSecret


def export(secrets: Sequence[PullSecret], options: Options = PLAIN) -> Document:
    """The manifest in YAML; a comment, which ``kubectl`` takes for nothing to apply, where no secret is needed.

    Raise `CredentialError` for a token that a user name and password cannot say, `ConfigurationError` for names and labels
    that Kubernetes does not take.
    """
    import yaml

    manifest = _manifest(secrets, options)
    if manifest is None:
        return Document("application/yaml", f"# {nobody(secrets)}\n", secret=False)
    return Document("application/yaml", yaml.safe_dump(manifest, sort_keys=False, width=1_000_000), secret=True)


def export_json(secrets: Sequence[PullSecret], options: Options = PLAIN) -> Document:
    """The manifest in JSON; an empty list of objects where no secret is needed."""
    manifest = _manifest(secrets, options)
    shown = manifest or {"apiVersion": "v1", "kind": "List", "items": []}
    return Document("application/json", json.dumps(shown, indent=2) + "\n", secret=manifest is not None)


def _manifest(secrets: Sequence[PullSecret], options: Options) -> dict[str, Any] | None:
    metadata = kubernetes.metadata(options)
    content = kubernetes.docker_config(secrets)
    if not content:
        return None
    data = {kubernetes.KEY: base64.b64encode(content.encode()).decode("ascii")}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": kubernetes.TYPE, "data": data}
