"""``registryauth image``: what an image is, and whether it is what is asked for, without running or pulling it."""

from __future__ import annotations

from registryauth.cli.app import group

_VERBS = {
    "check": "image.check",
    "facts": "image.facts",
}
app = group("Look into an image without running or pulling it.", _VERBS)
