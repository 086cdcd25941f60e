"""``registryauth principal``: what an admin registers."""

from __future__ import annotations

from registryauth.cli.app import group

_VERBS = {
    "add": "principal.add",
    "list": "principal.listing",
    "show": "principal.show",
    "verify": "principal.verify",
    "rotate": "principal.rotate",
    "prune": "principal.prune",
    "consumers": "principal.consumers",
    "default": "principal.default",
    "disable": "principal.disable",
    "enable": "principal.enable",
    "remove": "principal.remove",
    "import": "principal.import_",
    "export": "principal.export",
}
app = group("Register service principals and other accounts.", _VERBS)
