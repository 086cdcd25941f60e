"""The clients that can be set up, by the names of their programs."""

from __future__ import annotations

from registryauth._value import Value
from registryauth.setup import containers, docker, helm

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Protocol

    from registryauth.reference import Address
    from registryauth.setup.change import Change

    class Plan(Protocol):
        """From addresses and environment to the change of a client's file; raises `ConfigurationError`."""

        def __call__(self, addresses: Sequence[Address], environ: Mapping[str, str] | None = None) -> Change:
            """The change."""
            ...


class Client(Value):
    """A client: what sets it up and what takes that back. *says_login*: it tells whose login it would use (``login --get-login``)."""

    name: str
    file: str
    plan: Plan
    undo: Plan
    says_login: bool = False


_DOCKER = Client("docker", "docker's config.json", docker.plan, docker.undo)
_CONTAINERS = Client("containers", "auth.json of podman, buildah and skopeo", containers.plan, containers.undo)
_HELM = Client("helm", "helm's registry configuration", helm.plan, helm.undo)

#: ``containers`` is what podman, skopeo and buildah were called together before each could be named.
CLIENTS = {
    client.name: client
    for client in (
        _DOCKER,
        _CONTAINERS,
        *(_CONTAINERS.replace(name=name, says_login=True) for name in ("podman", "skopeo", "buildah")),
        _HELM,
        _DOCKER.replace(name="oras"),
    )
}
