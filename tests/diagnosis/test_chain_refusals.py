"""Whom a refusal has asked, of registries that are not Azure's."""

from __future__ import annotations


def test_resource_management_is_not_asked_about_a_registry_of_others(walk, keep):
    keep(secret="wrong")
    asked = []
    found = walk(standing=lambda *said: asked.append(said))
    assert found.broken.name == "token"
    assert asked == []
