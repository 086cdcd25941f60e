from __future__ import annotations

import base64
import json

import pytest
from hypothesis import strategies as st

from registryauth.credentials import Pinned
from registryauth.resolver import Found, Resolver

#: What people and issuers type or make: everything that can be seen, the space included.
printable = st.text(st.characters(exclude_categories=("Cc", "Cs", "Co", "Cn", "Zl", "Zp", "Cf")), min_size=1, max_size=40).filter(
    str.isprintable
)
#: Shells, YAML, JSON, URLs and Azure's command line each have characters of their own that mean something.
AWKWARD = [
    "p@ss:w0rd", "'", '"', "\\", "$(id)", "`id`", "${HOME}", "a b", " lead", "trail ", "-p", "--x", "@/etc/passwd", "%25%", "#x", "x#",
    ": ", "- ", "&a *a", "yes", "null", "~", "1e3", "0x10", "{{ .Values }}", "%s%d", "<token>", "ä€\U0001f511", "=a=b=", "a\u2019b", "|",
]  # fmt: skip


@pytest.fixture
def secret():
    """A pull secret for a reference and the credential that its source had; *known* is the configuration's kind of each registry.

    *path* is the one below which alone the credential is good.
    """

    def secret(reference, credential, expires_at=0, known=None, fetched=None, path=""):
        def fetch():
            if fetched is not None:
                fetched.append(reference)
            return Pinned(credential, "test")

        class Source:
            name = "test"

            def ask(self, repository):
                return Found("test", "", fetch, expires_at, path=path)

        return Resolver([Source()], known).resolve(reference)

    return secret


def login_in(auths, key):
    """User name and password that Kubernetes and GitLab read from an entry of *auths*."""
    return tuple(base64.b64decode(auths[key]["auth"], validate=True).decode().split(":", 1))


def a_jwt(**claims):
    """A token whose claims anybody can read."""
    parts = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({"alg": "none"}, claims))
    return ".".join((*parts, "c2ln"))
