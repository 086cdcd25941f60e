"""``registryauth store``: looking after the file that keeps the secrets."""

from __future__ import annotations

from registryauth.cli.app import group

_VERBS = {
    "check": "store.check",
    "rekey": "store.rekey",
    "passphrase": "store.passphrase",
    "backup": "store.backup",
    "restore": "store.restore",
    "migrate": "store.migrate",
}
app = group("Check, rekey, back up, restore and move the credential store.", _VERBS)
