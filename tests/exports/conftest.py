from __future__ import annotations

import pytest

from registryauth.credentials import Pinned
from registryauth.resolver import Found, Resolver


@pytest.fixture
def secret():
    """A pull secret for a reference and the credential that its source had."""

    def secret(reference, credential):
        class Source:
            name = "test"

            def ask(self, repository):
                return Found("test", "", lambda: Pinned(credential, "test"))

        return Resolver([Source()]).resolve(reference)

    return secret
