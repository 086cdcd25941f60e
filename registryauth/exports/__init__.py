"""From pull secrets to the target's own document: one module for each target, ``export(secrets) -> Document``."""

from __future__ import annotations

from registryauth.exports import docker_config, environment
from registryauth.exports.document import Document

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from registryauth.resolver import PullSecret

#: What ``--format`` takes.
FORMATS: Mapping[str, Callable[[Sequence[PullSecret]], Document]] = {
    "docker-config": docker_config.export,
    "env": environment.export,
}

__all__ = ["FORMATS", "Document", "docker_config", "environment"]
