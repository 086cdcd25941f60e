"""A ``kustomization.yaml`` whose secretGenerator makes the pull secret.

Source: kubectl.docs.kubernetes.io "secretGenerator"; ``literals`` takes ``KEY=VALUE`` and keeps what stands after the first
equals sign.
"""

from __future__ import annotations

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
    """The kustomization; where no secret is needed, one whose secret has no entry, and a comment that says so.

    Raise what `kubernetes_secret.export` does.
    """
    metadata = kubernetes.metadata(options)
    content, needed = kubernetes.docker_config(secrets)
    place = {"namespace": metadata["namespace"]} if "namespace" in metadata else {}
    generator = {"name": metadata["name"], **place, "type": kubernetes.TYPE, "literals": [f"{kubernetes.KEY}={content}"]}
    # A name without the hash of its content stays the same in the pods that refer to it.
    generator["options"] = {"disableNameSuffixHash": True, "labels": metadata["labels"]}
    document: dict[str, Any] = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "secretGenerator": [generator],
    }
    text = yaml_text(document)
    return Document("application/yaml", text if needed else f"# {nobody(secrets)}\n{text}", secret=needed)
