"""``registryauth principal``: what an admin registers."""

from __future__ import annotations

from registryauth.cli.app import group

_VERBS = {
    "add": "principal.add",
    "list": "principal.listing",
}
app = group("Register service principals and other accounts, with what an admin wants to know of them.", _VERBS)
