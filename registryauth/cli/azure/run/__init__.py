"""``registryauth azure acr run``: runs of image builds and tasks."""

from __future__ import annotations

from registryauth.cli.app import group

_VERBS = {
    "list": "azure.run.listing",
    "show": "azure.run.show",
    "logs": "azure.run.logs",
    "cancel": "azure.run.cancel",
}
app = group("Runs of a registry's builds and tasks.", _VERBS)
