"""What resource management says of an account that a registry refuses."""

from __future__ import annotations

import pytest

from registryauth.azure.diagnose import ask_management
from registryauth.azure.wire import Wire
from registryauth.errors import AzureError, NoIdentity
from registryauth.reference import Address, Registry
from registryauth.stores import Principal, Slot
from registryauth.stores.principal import ENTRA_LABEL
from registryauth.testing.azure.roles import ROLES

HOST = "myregistry.azurecr.io"
DAY = 86400


@pytest.fixture
def registry(azure):
    return azure.registry("myregistry", admin=True)


@pytest.fixture
def subject(azure):
    """The account that was refused; whoever is signed in is another."""
    made = azure.home.app("subject")
    made.add_secret(value="canary~of-the-subject")
    return made


@pytest.fixture
def stand(azure, app, registry, environ, config, clock, subject):
    """How an account, by default the application that was refused, stands at the registry."""
    azure.assign(app, "Reader", registry)

    def stand(account="", *, host=HOST, record=True, at_the_door=False, environ=environ):
        account = account or subject.app_id
        secret = subject.secrets[0].value
        principal = Principal(Address.parse(HOST), account, (Slot(secret),), tenant=azure.home.id) if record is True else record
        found = ask_management(
            Registry.parse(host), "team/model", account, principal or None, config(environ), environ,
            at_the_door=at_the_door, clock=clock, open_=lambda: Wire(azure.transport(), azure.transport()),
        )  # fmt: skip
        assert "canary" not in repr(found)
        return found

    return stand


def test_an_account_without_a_role_is_told_which_one_and_how_to_give_it(stand, subject, registry):
    found = stand()
    assert (found.detail, found.explains) == ("classic: AcrPull pulls; the account has no role here", True)
    assert found.hint == f"az role assignment create --role 'AcrPull' --assignee {subject.principal_id} --scope {registry.id}"


def test_a_role_that_is_older_than_ten_minutes_is_not_what_is_lacking(stand, azure, subject, registry, clock):
    azure.assign(subject, "AcrPull", registry)
    assert stand().hint == "a registry may take 10 minutes to hear of a role: try again in 10 minutes"
    clock.now += 540
    found = stand()
    assert found.detail.endswith("the account has AcrPull, since 9 minutes")
    assert found.hint.endswith("try again in 1 minute")
    clock.now += 61
    found = stand()
    assert (found.explains, found.hint) == (False, "")
    assert found.detail.endswith("the account has AcrPull, so a role is not what is lacking")


def test_a_role_given_above_the_registry_counts(stand, azure, subject, clock):
    azure.assign(subject, "Contributor")
    clock.now += DAY
    assert "the account has Contributor, so a role is not what is lacking" in stand().detail


def test_in_abac_mode_it_is_the_data_actions_that_count(stand, azure, subject, registry, clock):
    registry.mode = "abac"
    azure.assign(subject, "Contributor")
    azure.assign(subject, "AcrPull", registry)
    clock.now += DAY
    found = stand()
    assert found.detail.endswith("count for nothing; the account has only Contributor, AcrPull")
    assert "--role 'Container Registry Repository Reader'" in found.hint
    azure.assign(subject, "Container Registry Repository Writer", registry)
    clock.now += DAY
    assert stand().detail.endswith("the account has Container Registry Repository Writer, so a role is not what is lacking")


def test_a_role_of_ones_own_is_judged_by_what_it_allows(stand, azure, subject, registry, clock, monkeypatch):
    pull = "Microsoft.ContainerRegistry/registries/pull/read"
    monkeypatch.setitem(ROLES, "Reader", (("*/read",), (pull,), ()))
    azure.assign(subject, "Reader", registry)
    clock.now += DAY
    assert stand().detail.endswith("the account has only Reader")


def test_one_assignment_without_a_condition_lets_in_everywhere(stand, azure, subject, registry, clock):
    registry.mode = "abac"
    azure.assign(subject, "Container Registry Repository Reader", registry, repository="team/other")
    clock.now += DAY
    found = stand()
    assert "under the condition" in found.detail
    assert "'team/other'" in found.detail
    assert "does the condition let team/model in?" in found.hint
    azure.assign(subject, "Container Registry Repository Writer", registry)
    clock.now += DAY
    assert "is not what is lacking" in stand().detail


def test_a_token_that_entra_gave_us_is_of_whoever_is_signed_in(stand, azure, app, registry, clock):
    azure.assign(app, "AcrPull", registry)
    clock.now += DAY
    record = Principal(Address.parse(HOST), "<token>", (Slot("canary"),), kind="identity-token", labels=((ENTRA_LABEL, "client-secret"),))
    assert stand("<token>", record=record).detail.endswith("is not what is lacking")


def test_of_a_token_from_elsewhere_only_the_roles_that_count_are_told(stand):
    found = stand("<token>", record=False)
    assert (found.detail, found.explains) == ("classic: AcrPull pulls", False)


def test_a_secret_that_entra_refuses_leaves_the_account_unknown(stand, subject):
    subject.secrets[0].removed_at = 1.0
    assert stand().detail == "classic: AcrPull pulls"


def test_a_token_whose_passwords_end_says_when(stand, registry, clock):
    token = registry.token("ci", "repositories/team/*/content/read")
    token.passwords["password1"].ends_at = clock.now + DAY
    found = stand("ci")
    assert "its passwords: one until 2027-01-16; its scope map holds repositories/team/*/content/read" in found.detail
    assert "what is left is its password" in found.hint


@pytest.mark.parametrize(
    ("action", "holds"),
    [
        ("repositories/*/content/read", True),
        ("repositories/tea/*/content/read", False),
        ("repositories/team/model/metadata/read", False),
        ("repositories/team/model/content/read", True),
    ],
)
def test_a_scope_map_is_read_as_the_registry_reads_it(stand, registry, action, holds):
    registry.token("ci", action)
    assert ("--add-repository team/model" not in stand("ci").hint) is holds


def test_at_the_door_only_the_network_is_looked_at(stand, azure, registry):
    registry.firewall = ("198.51.100.1",)
    found = stand(at_the_door=True)
    assert (found.detail, found.explains) == ("its network: open to 198.51.100.1; trusted Azure services pass", False)
    assert sum(request.url.origin == azure.cloud.management for request in azure.requests) == 2 + 1
    assert sum(request.url.origin == azure.cloud.authority for request in azure.requests) == 1, "nobody signed in as the account"


def test_little_is_asked(stand, azure, subject, registry, clock):
    """Where the registry is and what it is; then the account's own token, its roles, and what each of them allows."""
    azure.assign(subject, "AcrPull", registry)
    stand()
    management = [request.url.redacted for request in azure.requests if request.url.origin == azure.cloud.management]
    assert len(management) == 5, management
    assert sum(request.url.origin == azure.cloud.authority for request in azure.requests) == 2


def test_another_login_server_is_said(stand, azure, registry):
    registry.label_hash = "e7ggejfuhzhgedc8"
    found = stand()
    assert "the registry myregistry answers at myregistry-e7ggejfuhzhgedc8.azurecr.io" in found.detail
    assert found.explains


def test_what_is_not_azures_or_not_seen_is_nothing_to_say(stand, azure):
    assert stand(host="host.example") is None
    assert azure.requests == []
    assert stand(host="other1.azurecr.io") is None


def test_nobody_signed_in_is_its_own_error(stand, home):
    with pytest.raises(NoIdentity):
        stand(environ={"HOME": str(home), "PATH": ""})


def test_what_may_not_be_looked_at_is_said(stand, azure):
    azure.roles.assignments.clear()
    assert stand() is None, "a list leaves out what one may not see"
    azure.fault(_forbidden, "management.azure.com")
    with pytest.raises(AzureError):
        stand()


def _forbidden(request):
    from registryauth.testing import answers

    return answers.document(request, 403, {"error": {"code": "AuthorizationFailed", "message": "no"}})
