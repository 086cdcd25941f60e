"""docs/registries.md states the tables that the code holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from registryauth._origin import KNOWN_REALMS
from registryauth.registries import providers

PAGE = (Path(__file__).parents[2] / "docs" / "registries.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("host", [*providers.HOSTS, *(suffix.lstrip(".-") for suffix, _, _ in providers.SUFFIXES)])
def test_every_host_and_suffix_is_on_the_page(host: str) -> None:
    assert f"{host}`" in PAGE


@pytest.mark.parametrize(("registry", "realm"), [(registry, realm) for registry, realms in KNOWN_REALMS.items() for realm in realms])
def test_every_known_realm_is_on_the_page(registry: str, realm: str) -> None:
    table = PAGE.partition("## Token servers")[2]
    assert f"`{registry}`" in table
    assert f"| `{realm}` |" in table
