"""A v1 ``Environment`` of Azure Machine Learning, and an ``ImageConfig``: filled in place, or written as JSON.

The JSON is what ``Environment.load_from_directory`` reads from ``azureml_environment.json``. Sources: as `azureml_image` has them,
and azureml-core 1.61 ``azureml/core/image/container.py`` (ContainerImageConfig).
"""

from __future__ import annotations

import json

from registryauth._redact import printable
from registryauth.errors import ConfigurationError
from registryauth.exports.azureml_image import base_image, one, resource_name
from registryauth.exports.document import Document
from registryauth.exports.options import PLAIN, Options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from registryauth.exports.azureml_image import BaseImage
    from registryauth.resolver import PullSecret


def apply(secret: PullSecret, target: Any) -> None:  # noqa: ANN401 - azureml-core's objects, or any of their shape
    """Make *target* use the image of *secret*: an ``Environment`` (anything with ``docker``), or an ``ImageConfig``.

    Sets ``base_image``, and address, username and password of ``base_image_registry``: all three for a standalone registry,
    None for a workspace's and a public one, for which nothing is fetched. An ``Environment``'s ``docker.enabled`` becomes True.
    Raise `CredentialError` for a token that no user name and password can say, `ConfigurationError` for another shape.
    """
    section = getattr(target, "docker", None)
    place = target if section is None else section
    registry: Any = getattr(place, "base_image_registry", None)
    # Some pages of the documentation assign a string here; there is no attribute to set on one.
    if not hasattr(place, "base_image") or not all(hasattr(registry, name) for name in ("address", "username", "password")):
        raise ConfigurationError(
            f"{type(target).__name__} has no base_image and base_image_registry to fill in",
            hint="give an azureml.core Environment or an ImageConfig whose base_image_registry is a ContainerRegistry",
        )
    found = base_image(secret)
    if section is not None:
        section.enabled = True
    place.base_image = found.image
    registry.address, registry.username, registry.password = registry_object(found).values()


def export(secrets: Sequence[PullSecret], options: Options = PLAIN) -> Document:
    """The environment in JSON; raise what `apply` does, and `CredentialError` for more than one image."""
    found = base_image(one(secrets))
    docker = {"enabled": True, "baseImage": found.image, "baseImageRegistry": registry_object(found)}
    document = {"name": name(options), "docker": docker}
    return Document("application/json", json.dumps(document, indent=2) + "\n", secret=bool(found.password))


def name(options: Options) -> str:
    """The environment's name; raise `ConfigurationError` for what Azure does not take: nothing is changed in silence.

    The reserved words are those of azureml-core 1.61 ``azureml/core/environment.py``.
    """
    chosen = resource_name(options, "an environment")
    if chosen.startswith(("Microsoft", "AzureML")):
        raise ConfigurationError(
            f"{printable(chosen, 80)!a} is no name for an environment of yours",
            hint="names that begin with Microsoft or AzureML are Azure's own",
        )
    return chosen


def registry_object(found: BaseImage) -> dict[str, str | None]:
    """``baseImageRegistry``: all three fields, or none of them."""
    return {"address": found.address or None, "username": found.username or None, "password": found.password or None}
