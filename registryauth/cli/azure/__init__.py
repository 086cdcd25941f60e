"""``registryauth azure``: what only Azure has."""

from __future__ import annotations

from registryauth.cli.app import group

_VERBS = {
    "acr": "azure.acr",
    "principal": "azure.principal",
    "workspace-registry": "azure.workspace_registry",
}
app = group("Sign in to Azure's registries, make principals, build images.", _VERBS)
