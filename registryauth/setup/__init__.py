"""Puts our credential helper into the configuration of docker and of podman, buildah and skopeo.

`docker.plan` and `containers.plan` say what would change, `docker.undo` and `containers.undo` what would
take it back, and `apply` writes either.
"""

from __future__ import annotations

from registryauth.setup import containers, docker
from registryauth.setup.change import Change, apply

__all__ = ["Change", "apply", "containers", "docker"]
