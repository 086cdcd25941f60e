"""The chain at a registry of Azure's, as far as its simulator goes: nothing here was ever compared with Azure itself."""

from __future__ import annotations

import pytest

from registryauth.testing import AzureSimulator

from .conftest import broken_at

HOST = "myregistry.azurecr.io"
IMAGE = f"{HOST}/team/model:v1"


@pytest.fixture
def simulator():
    return AzureSimulator()


@pytest.fixture
def registry(simulator):
    registry = simulator.registry("myregistry", data_endpoint=True)
    registry.images.add_image("team/model", "v1")
    return registry


@pytest.fixture
def app(simulator, registry, keep):
    """A service principal that may pull, and is stored."""
    app = simulator.home.app("deploy")
    simulator.assign(app, "AcrPull", registry)
    keep(app.add_secret().value, account=app.app_id, address=HOST)
    return app


def test_a_service_principal_pulls_and_the_data_endpoint_is_named(walk, app):
    found = walk(IMAGE)
    steps = {step.name: step for step in found.steps}
    assert found.outcome == "ok", found
    assert "pull" in steps["scope"].facts["granted"]
    assert steps["layer"].facts["hosts"] == ["myregistry.westeurope.data.azurecr.io"]


def test_the_data_endpoint_that_a_firewall_forgot_is_named(walk, app, network):
    network.lost.add("myregistry.westeurope.data.azurecr.io")
    assert "myregistry.westeurope.data.azurecr.io" in broken_at(walk(IMAGE), "layer").hint


def test_a_firewall_tells_which_address_to_let_in(walk, app, registry):
    registry.firewall = ("192.0.2.1",)
    found = walk(IMAGE)
    assert found.broken.name in ("challenge", "token")
    assert "az acr network-rule add --name myregistry --ip-address" in broken_at(found, found.broken.name).hint


def test_a_secret_that_was_removed_is_refused(walk, app):
    app.remove_secret(app.secrets[0].key_id)
    seen = broken_at(walk(IMAGE), "token")
    assert "wrong or has expired" in seen.detail
    assert not seen.facts["works_without_credential"]


def test_a_service_principal_without_a_role_is_told_which_one(walk, simulator, registry, keep):
    other = simulator.home.app("other")
    keep(other.add_secret().value, account=other.app_id, address=HOST)
    found = walk(IMAGE)
    assert found.broken.name in ("token", "scope")
    assert "AcrPull" in broken_at(found, found.broken.name).hint


def test_where_anonymous_pull_is_on_a_refused_secret_would_not_be_needed(walk, app, registry):
    registry.anonymous_pull = True
    app.remove_secret(app.secrets[0].key_id)
    assert "it works without a credential" in broken_at(walk(IMAGE), "token").detail
