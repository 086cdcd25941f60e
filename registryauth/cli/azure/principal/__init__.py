"""``registryauth azure principal``: service principals, where Azure keeps them."""

from __future__ import annotations

from registryauth.cli.app import group

_VERBS = {
    "create": "azure.principal.create",
    "grant": "azure.principal.grant",
    "revoke": "azure.principal.revoke",
    "list-secrets": "azure.principal.list_secrets",
}
app = group("Make service principals, and give them roles.", _VERBS)
