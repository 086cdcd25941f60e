"""What the objects of Kubernetes share: names, labels, and a pull secret's one data key.

Sources: kubernetes.io "Object Names and IDs" (RFC 1123 subdomain), "Labels and Selectors" (syntax and character set),
"Pull an Image from a Private Registry".
"""

from __future__ import annotations

import json
import re

from registryauth._redact import printable
from registryauth.errors import ConfigurationError, CredentialError
from registryauth.exports.auths import by_path, entries
from registryauth.reference import DOCKER_HUB_KEY, kubelet_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from registryauth.exports.options import Options
    from registryauth.resolver import PullSecret

#: The name of the object where none was given.
NAME = "registryauth"
KEY = ".dockerconfigjson"
TYPE = "kubernetes.io/dockerconfigjson"
TARGET = "a Kubernetes pull secret"
#: Bytes (kubernetes ``staging/src/k8s.io/api/core/v1/types.go``, MaxSecretSize).
MAX_SECRET = 1024 * 1024

_LABEL = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_WORD = r"[A-Za-z0-9](?:[-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?"


def docker_config(secrets: Sequence[PullSecret]) -> tuple[str, bool]:
    """The JSON that a secret of type `TYPE` holds, on one line, and whether there is anything in it.

    A credential for a path stands under that, and two accounts at one registry under their repositories; the kubelet takes such
    a key for a prefix of the image's name, and tries every one that fits. Where no secret is needed ``auths`` is empty, as in
    docker's own file: no object at all is nothing that ``kubectl apply`` or ``kubectl kustomize`` would take, and would leave
    an earlier one in the cluster.
    """
    auths = entries(by_key(secrets, TARGET), TARGET)
    content = json.dumps({"auths": auths}, separators=(",", ":"))
    if len(content) > MAX_SECRET:
        raise CredentialError(
            f"that is {len(content)} bytes, and {TARGET} holds {MAX_SECRET}", hint="make several, each for some of the registries"
        )
    return content, bool(auths)


def by_key(secrets: Sequence[PullSecret], target: str) -> dict[str, PullSecret]:
    """What `by_path` gives, under the keys by which the kubelet finds it."""
    return {kubelet_key(key): secret for key, secret in by_path(secrets, DOCKER_HUB_KEY, target).items()}


def name(options: Options) -> str:
    """The object's name; raise `ConfigurationError` if it is none that Kubernetes takes: nothing is changed in silence."""
    chosen = options.name or NAME
    if len(chosen) > 253 or not re.fullmatch(rf"{_LABEL}(?:\.{_LABEL})*", chosen):
        raise ConfigurationError(
            f"{printable(chosen, 80)!a} is no name for a Kubernetes object",
            hint="at most 253 of a-z 0-9 - . with a letter or digit at both ends of each part",
        )
    return chosen


def metadata(options: Options) -> dict[str, Any]:
    """The ``metadata`` of an object; raise `ConfigurationError` as `name` does."""
    found: dict[str, Any] = {"name": name(options)}
    if options.namespace:
        if len(options.namespace) > 63 or not re.fullmatch(_LABEL, options.namespace):
            raise ConfigurationError(
                f"{printable(options.namespace, 80)!a} is no name for a Kubernetes namespace", hint="at most 63 of a-z 0-9 -"
            )
        found["namespace"] = options.namespace
    labels = dict(map(_label, options.labels))
    if len(labels) < len(options.labels):
        raise ConfigurationError("a label is there twice, and Kubernetes takes one value for each", hint="leave one of them out")
    return found | {"labels": dict(sorted(({"app.kubernetes.io/managed-by": "registryauth"} | labels).items()))}


def _label(label: tuple[str, str]) -> tuple[str, str]:
    key, value = label
    prefix, slash, word = key.rpartition("/")
    prefix_is_right = not slash or (len(prefix) <= 253 and re.fullmatch(rf"{_LABEL}(?:\.{_LABEL})*", prefix))
    if not (prefix_is_right and re.fullmatch(_WORD, word) and (not value or re.fullmatch(_WORD, value))):
        raise ConfigurationError(
            f"{printable(f'{key}={value}', 80)!a} is no label that Kubernetes takes",
            hint="[PREFIX/]KEY=VALUE, each at most 63 of A-Z a-z 0-9 - _ . with a letter or digit at both ends",
        )
    return key, value
