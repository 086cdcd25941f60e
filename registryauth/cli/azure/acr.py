"""``registryauth azure acr``: container registries of Azure, by their names."""

from __future__ import annotations

from registryauth.cli.app import group

_VERBS = {
    "login": "azure.acr_login",
    "build": "azure.acr_build",
    "run": "azure.run",
}
app = group("Container registries, named as `az acr` names them.", _VERBS)
