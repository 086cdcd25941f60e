"""``registryauth audit``: who read or changed which credential."""

from __future__ import annotations

from registryauth.cli.app import group

_VERBS = {
    "show": "audit.show",
    "verify": "audit.verify",
}
app = group("Show who read or changed which credential.", _VERBS)
