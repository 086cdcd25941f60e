"""A ``kustomization.yaml`` whose secretGenerator makes the pull secret.

Source: kubectl.docs.kubernetes.io "secretGenerator"; ``literals`` takes ``KEY=VALUE`` and keeps what stands after the first
equals sign.
"""

from __future__ import annotations

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
    """The kustomization; one without a generator where no secret is needed."""
    import yaml

    head: dict[str, Any] = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
    content, metadata = kubernetes.docker_config(secrets), kubernetes.metadata(options)
    if not content:
        return Document("application/yaml", f"# {nobody(secrets)}\n{yaml.safe_dump(head, sort_keys=False)}", secret=False)
    place = {"namespace": metadata["namespace"]} if "namespace" in metadata else {}
    generator = {"name": metadata["name"], **place, "type": kubernetes.TYPE, "literals": [f"{kubernetes.KEY}={content}"]}
    # A name without the hash of its content stays the same in the pods that refer to it.
    generator["options"] = {"disableNameSuffixHash": True, "labels": metadata["labels"]}
    return Document(
        "application/yaml", yaml.safe_dump(head | {"secretGenerator": [generator]}, sort_keys=False, width=1_000_000), secret=True
    )
