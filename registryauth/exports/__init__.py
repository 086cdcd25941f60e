"""From pull secrets to the target's own document: one module for each target, ``export(secrets, options) -> Document``."""

from __future__ import annotations

import time

from registryauth._redact import printable
from registryauth._value import Value
from registryauth.credentials import Anonymous, RegistryToken
from registryauth.errors import ConfigurationError, CredentialError
from registryauth.exports import (
    app_service,
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
from registryauth.exports.options import PLAIN, Options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from registryauth.resolver import PullSecret

#: Seconds; a credential that ends sooner is short-lived: a registry's tokens live minutes to hours, its secrets months.
SHORT_LIVED = 24 * 3600


class Format(Value):
    """One ``--format``: *what* it makes, for help. *durable* targets keep the document, so that a credential must outlive it.

    *takes* are the fields of `Options` that mean something there.
    """

    export: Callable[[Sequence[PullSecret], Options], Document]
    what: str
    durable: bool = False
    takes: tuple[str, ...] = ()


_KUBERNETES = ("name", "namespace", "labels")

#: What ``--format`` takes.
FORMATS: Mapping[str, Format] = {
    "docker-config": Format(docker_config.export, "docker's config.json"),
    "containers-auth": Format(containers_auth.export, "auth.json of podman, buildah and skopeo"),
    "kubernetes-secret": Format(kubernetes_secret.export, "a Kubernetes pull secret, YAML", True, _KUBERNETES),
    "kubernetes-secret-json": Format(kubernetes_secret.export_json, "a Kubernetes pull secret, JSON", True, _KUBERNETES),
    "kubernetes-service-account": Format(kubernetes_service_account.export, "a patch that names it in a ServiceAccount", False, ("name",)),
    "kustomize": Format(kustomize.export, "a kustomization with a secretGenerator", True, _KUBERNETES),
    "helm-values": Format(helm_values.export, "imagePullSecrets and imageCredentials for a chart", True, ("name",)),
    "iot-edge": Format(iot_edge.export, "registryCredentials of Azure IoT Edge", True),
    "aci": Format(container_instances.export, "imageRegistryCredentials of Azure Container Instances, JSON", True),
    "aci-yaml": Format(container_instances.export_yaml, "the same in YAML", True),
    "aci-az": Format(container_instances.export_az, "the same as flags of az container create", True),
    "app-service": Format(app_service.export, "settings of an Azure App Service", True),
    "github-actions": Format(github_actions.export, "masked outputs of a step, for eval"),
    "gitlab-ci": Format(gitlab_ci.export, "the variable DOCKER_AUTH_CONFIG", True),
    "terraform": Format(terraform.export, "variables for Terraform's docker provider", True),
    "env": Format(environment.export, "environment variables, for sh"),
    "env-fish": Format(environment.export_fish, "environment variables, for fish"),
    "env-powershell": Format(environment.export_powershell, "environment variables, for PowerShell"),
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
    secrets: Sequence[PullSecret], name: str, options: Options = PLAIN, *, allow_short_lived: bool = False, now: float | None = None
) -> Document:
    """The document that the format *name* makes of *secrets*.

    Raise what `format_named` does; `CredentialError` for what the format cannot hold, and for a credential that would die in
    a target that keeps it, unless *allow_short_lived*.
    """
    chosen = format_named(name, options)
    if chosen.durable and not allow_short_lived:
        for secret in secrets:
            _refuse_short_lived(secret, name, time.time() if now is None else now)
    return chosen.export(secrets, options)


def _refuse_short_lived(secret: PullSecret, name: str, now: float) -> None:
    if isinstance(secret.credential, Anonymous):
        return
    token = isinstance(secret.credential, RegistryToken)
    if not token and not (secret.expires_at and secret.expires_at - now < SHORT_LIVED):
        return
    from datetime import UTC, datetime

    ends = f"ends at {datetime.fromtimestamp(secret.expires_at, UTC):%Y-%m-%dT%H:%M:%SZ}" if secret.expires_at else "ends within hours"
    raise CredentialError(
        f"the credential for {secret.reference.registry} {ends}, and {name} is kept by its target for longer",
        hint="register a service principal or a repository token for it, or say --allow-short-lived and export it again in time",
    )


__all__ = ["FORMATS", "SHORT_LIVED", "Document", "Format", "Options", "docker_config", "environment", "export", "format_named"]
