"""The chain at a registry of Azure's, as far as its simulator goes: nothing here was ever compared with Azure itself."""

from __future__ import annotations

import pytest

from registryauth.azure.acr_errors import Meaning
from registryauth.azure.standing import Standing
from registryauth.errors import AzureError, Error, NoIdentity
from registryauth.testing import AzureSimulator
from registryauth.testing.azure import faults

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


@pytest.fixture
def stood():
    """A resource management that says why, and what it was asked."""

    class Stood:
        def __init__(self):
            self.asked, self.answer = [], Standing("ABAC; the account has only AcrPull", "give it the other role", explains=True)

        def __call__(self, registry, repository, secret, at_the_door):
            self.asked.append((str(registry), repository, secret.account if secret else None, at_the_door))
            if isinstance(self.answer, Error):
                raise self.answer
            return self.answer

    return Stood()


@pytest.fixture
def roleless(simulator, registry, keep):
    """A service principal without a role, stored; gives its client ID."""
    app = simulator.home.app("other")
    keep(app.add_secret().value, account=app.app_id, address=HOST)
    return app.app_id


def steps(found):
    return {step.name: step for step in found.steps}


def test_after_a_refusal_the_roles_are_looked_at(walk, roleless, stood):
    found = walk(IMAGE, standing=stood)
    assert stood.asked == [(HOST, "team/model", roleless, False)]
    names = [step.name for step in found.steps]
    assert names[names.index("scope") : names.index("scope") + 3] == ["scope", "roles", "manifest"]
    seen = steps(found)["roles"]
    assert (seen.outcome, seen.detail, seen.hint) == ("warning", "ABAC; the account has only AcrPull", "give it the other role")
    assert (found.broken.name, found.exit_code) == ("scope", 7)


def test_a_firewall_asks_about_the_network_and_nobody_in_particular(walk, app, registry, stood):
    registry.firewall = ("192.0.2.1",)
    walk(IMAGE, standing=stood)
    assert [asked[3] for asked in stood.asked] == [True]


def test_what_does_not_explain_it_is_no_finding(walk, roleless, stood):
    stood.answer = Standing("the account has AcrPull, so a role is not what is lacking")
    assert steps(walk(IMAGE, standing=stood))["roles"].outcome == "ok"


@pytest.mark.parametrize("answer", [None, NoIdentity("nobody here is signed in to Azure")], ids=["not seen", "nobody"])
def test_where_nobody_may_look_there_is_no_such_step(walk, roleless, stood, answer):
    stood.answer = answer
    assert "roles" not in steps(walk(IMAGE, standing=stood))


def test_that_resource_management_does_not_say_is_told(walk, roleless, stood):
    stood.answer = AzureError("you may not look at registry myregistry")
    seen = steps(walk(IMAGE, standing=stood))["roles"]
    assert (seen.outcome, "does not say how the account stands: you may not look" in seen.detail) == ("ok", True)


def test_nobody_is_asked_where_all_is_well_or_nobody_was_refused(walk, app, simulator, stood):
    assert walk(IMAGE, standing=stood).exit_code == 0
    assert walk(f"{HOST}/team/model:v9", standing=stood).broken.name == "manifest"
    simulator.fault(faults.throttled("oauth2", 60, simulator.clock, service="registry"), HOST)
    assert walk(IMAGE, standing=stood).broken.name == "token"
    assert stood.asked == []


def test_the_cause_is_told_before_its_effect(walk, roleless):
    seen = steps(walk(IMAGE, meaning=Meaning("the cause", "the remedy")))["scope"]
    assert seen.detail.startswith("the cause; the token says: nothing on team/model")
    assert seen.hint == "the remedy"
