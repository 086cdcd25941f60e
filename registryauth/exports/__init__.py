"""From pull secrets to the target's own document: one module for each target, ``export(secrets, options) -> Document``."""

from __future__ import annotations

import time

from registryauth._redact import printable
from registryauth._value import Value
from registryauth.credentials import Anonymous, IdentityToken, RegistryToken
from registryauth.errors import ConfigurationError, CredentialError
from registryauth.exports import (
    app_service,
    azureml,
    azureml_image,
    azureml_inference,
    azureml_v2,
    container_instances,
    containers_auth,
    docker_config,
    environment,
    github_actions,
    gitlab_ci,
    helm_values,
    iot_edge,
    kubernetes_secret,
    kubernetes_service_account,
    kustomize,
    plain,
    terraform,
)
from registryauth.exports.document import Document
from registryauth.exports.logins import is_acr
from registryauth.exports.options import PLAIN, Options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from registryauth.credentials import Credential
    from registryauth.registries import Kind
    from registryauth.resolver import PullSecret

#: Seconds; a credential that ends sooner is short-lived: a registry's tokens live minutes to hours, its secrets months.
SHORT_LIVED = 24 * 3600


class Format(Value):
    """One ``--format``: *what* it makes, for help. *durable* targets keep the document, so that a credential must outlive it.

    *takes* are the fields of `Options` that mean something there. *shares*: the target knows registries by host, and uses the
    credential for other images of them, too. *unasked* are the kinds of registry for which the document
    holds the image's name alone, so that no source has to be asked for a secret.
    """

    export: Callable[[Sequence[PullSecret], Options], Document]
    what: str
    durable: bool = False
    takes: tuple[str, ...] = ()
    unasked: tuple[Kind, ...] = ()
    shares: bool = False


def _azureml(
    export: Callable[[Sequence[PullSecret], Options], Document], what: str, *takes: str, durable: bool = True, shares: bool = False
) -> Format:
    return Format(export, what, durable, takes, azureml_image.UNASKED, shares)


_KUBERNETES = ("name", "namespace", "labels")

#: What ``--format`` takes.
FORMATS: Mapping[str, Format] = {
    "docker-config": Format(docker_config.export, "docker's config.json", shares=True),
    "containers-auth": Format(containers_auth.export, "auth.json of podman, buildah and skopeo"),
    "kubernetes-secret": Format(kubernetes_secret.export, "a Kubernetes pull secret, YAML", True, _KUBERNETES),
    "kubernetes-secret-json": Format(kubernetes_secret.export_json, "a Kubernetes pull secret, JSON", True, _KUBERNETES),
    "kubernetes-service-account": Format(kubernetes_service_account.export, "a patch that names it in a ServiceAccount", False, ("name",)),
    "kustomize": Format(kustomize.export, "a kustomization with a secretGenerator", True, _KUBERNETES),
    "helm-values": Format(helm_values.export, "imagePullSecrets and imageCredentials for a chart", True, ("name",)),
    "iot-edge": Format(iot_edge.export, "registryCredentials of Azure IoT Edge", True, shares=True),
    "aci": Format(container_instances.export, "imageRegistryCredentials of Azure Container Instances, JSON", True, shares=True),
    "aci-yaml": Format(container_instances.export_yaml, "the same in YAML", True, shares=True),
    "aci-az": Format(container_instances.export_az, "the same as flags of az container create", True, shares=True),
    "app-service": Format(app_service.export, "settings of an Azure App Service", True),
    "github-actions": Format(github_actions.export, "masked outputs of a step, for eval", shares=True),
    "gitlab-ci": Format(gitlab_ci.export, "the variable DOCKER_AUTH_CONFIG", True),
    "terraform": Format(terraform.export, "variables for Terraform's docker provider", True, shares=True),
    "env": Format(environment.export, "environment variables, for sh"),
    "env-fish": Format(environment.export_fish, "environment variables, for fish"),
    "env-powershell": Format(environment.export_powershell, "environment variables, for PowerShell"),
    "azureml-environment": _azureml(azureml.export, "an Azure ML v1 environment, azureml_environment.json", "name"),
    "azureml-inferenceconfig": _azureml(azureml_inference.export, "the base image in an Azure ML v1 inferenceconfig.json", "name"),
    "azureml-environment-yaml": _azureml(azureml_v2.export_environment, "an Azure ML v2 environment, YAML", "name", durable=False),
    "azureml-connection": _azureml(azureml_v2.export_connection, "an Azure ML v2 workspace connection, YAML", "name", shares=True),
    "azureml-connection-arm": _azureml(azureml_v2.export_arm, "the same as ARM's body", shares=True),
    "secret-json": Format(plain.export, "reference, user name, password, JSON"),
    "secret-yaml": Format(plain.export_yaml, "the same in YAML"),
}


def format_named(name: str, options: Options = PLAIN) -> Format:
    """The format *name*; raise `ConfigurationError` for one that we do not know, and where it has no use for *options*."""
    if name not in FORMATS:
        from difflib import get_close_matches

        near = get_close_matches(name, FORMATS, 1)
        hint = f"did you mean {near[0]}?" if near else f"one of {', '.join(FORMATS)}"
        raise ConfigurationError(f"there is no format {printable(name, 40)!a}", hint=hint)
    chosen = FORMATS[name]
    for field in ("name", "namespace", "labels"):
        if getattr(options, field) and field not in chosen.takes:
            raise ConfigurationError(f"{name} has no {field} to give", hint=f"leave out --{field.removesuffix('s')}")
    return chosen


def export(
    secrets: Sequence[PullSecret],
    name: str,
    options: Options = PLAIN,
    *,
    allow_short_lived: bool = False,
    allow_whole_registry: bool = False,
    now: float | None = None,
) -> Document:
    """The document that the format *name* makes of *secrets*.

    Raise what `format_named` does; `CredentialError` for what the format cannot hold, for a credential that would die in a
    target that keeps it, unless *allow_short_lived*, and for one that was registered for a path where the target would use it
    for the whole registry, unless *allow_whole_registry*.
    """
    chosen = format_named(name, options)
    # What the format cannot hold at all is the first thing to know.
    document = chosen.export(secrets, options)
    if chosen.durable and document.secret and not allow_short_lived:
        for secret in secrets:
            _refuse_short_lived(secret, name, time.time() if now is None else now)
    if chosen.shares and not allow_whole_registry:
        for secret in secrets:
            _refuse_wider(secret, name)
    return document


def _refuse_wider(secret: PullSecret, name: str) -> None:
    address = secret.address
    if address.path and not isinstance(secret.credential, Anonymous):
        raise CredentialError(
            f"the credential for {printable(str(address))} is for that path alone, and {name} would use it for all of {address.registry}",
            hint="register one for the registry, or say --allow-whole-registry; containers-auth and kubernetes-secret can name the path",
        )


def _refuse_short_lived(secret: PullSecret, name: str, now: float) -> None:
    credential = secret.credential
    if isinstance(credential, Anonymous):
        return
    # A token that does not say when it ends lives for minutes or, Azure's refresh tokens, three hours.
    token = isinstance(credential, RegistryToken) or (isinstance(credential, IdentityToken) and is_acr(secret.reference.registry))
    ends_at = secret.expires_at or _written_in(credential)
    if not token and not (ends_at and ends_at - now < SHORT_LIVED):
        return
    from datetime import UTC, datetime

    ends = f"{'ended' if ends_at <= now else 'ends'} at {datetime.fromtimestamp(ends_at, UTC):%Y-%m-%dT%H:%M:%SZ}"
    raise CredentialError(
        f"the credential for {secret.reference.registry} {ends if ends_at else 'ends within hours'},"
        f" and {name} is kept by its target for longer",
        hint="register a service principal or a repository token for it, or say --allow-short-lived and export it again in time",
    )


def _written_in(credential: Credential) -> int:
    """When a token says of itself that it ends, in seconds since the epoch; 0 for everything else."""
    if not isinstance(credential, IdentityToken | RegistryToken):
        return 0
    from registryauth.auth.exchange import expiry_of

    return expiry_of(credential.token)


__all__ = [
    "FORMATS",
    "SHORT_LIVED",
    "Document",
    "Format",
    "Options",
    "azureml",
    "azureml_inference",
    "docker_config",
    "environment",
    "export",
    "format_named",
]
