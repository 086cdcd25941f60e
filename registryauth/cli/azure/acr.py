"""``registryauth azure acr``: container registries of Azure, by their names."""

from __future__ import annotations

from registryauth.cli.app import group

_VERBS = {
    "login": "azure.acr_login",
}
app = group("Azure Container Registry, by its name as `az acr` takes it.", _VERBS)
