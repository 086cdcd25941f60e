"""Puts our credential helper into the configuration of docker, podman, helm and others, and our provider into the kubelet's.

For each client of `CLIENTS`, ``plan`` says what would change, ``undo`` what would take it back, and `apply` writes either;
`kubelet` has the same for the kubelet. `proof` runs what was set up.
"""

from __future__ import annotations

from registryauth.setup import containers, docker, helm, kubelet
from registryauth.setup.change import Change, apply
from registryauth.setup.clients import CLIENTS, Client

__all__ = ["CLIENTS", "Change", "Client", "apply", "containers", "docker", "helm", "kubelet"]
