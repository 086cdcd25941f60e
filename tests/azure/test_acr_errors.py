"""A registry's refusals, told apart, as a client meets them."""

from __future__ import annotations

import pytest

from registryauth.azure import wire
from registryauth.azure.acr_errors import Refusal, meaning, sharpen
from registryauth.azure.diagnose import diagnose
from registryauth.client import Client
from registryauth.credentials import Anonymous, Basic, IdentityToken, Pinned
from registryauth.errors import AuthError, Denied, Error, NotFound, RegistryError, TokenRefused, TooManyRequests, Unauthorized
from registryauth.reference import Address, Registry, Repository
from registryauth.stores import Principal, Slot
from registryauth.testing import answers
from registryauth.testing.azure.registry import Caller

HOST = "myregistry.azurecr.io"
IMAGE = f"{HOST}/team/app"


@pytest.fixture
def registry(azure, app):
    made = azure.registry("myregistry", admin=True)
    made.images.add_image("team/app", "v1")
    azure.assign(app, "AcrPull", made)
    app.add_secret(value="right")
    return made


@pytest.fixture
def pull(azure):
    """Fetch a manifest with a credential."""

    def pull(credential, image=IMAGE):
        held = () if isinstance(credential, Anonymous) else (Pinned(credential, "test"),)
        with Client(lambda _: held, transport=azure.transport(), sleep=lambda _: None) as client:
            return client.repository(image).manifest("v1")

    return pull


@pytest.fixture
def refused(pull):
    """Why that cannot be fetched: the message, and what to do."""

    def refused(credential, *, kind=Error, secret="canary"):
        with pytest.raises(kind) as caught:
            pull(credential)
        assert secret not in f"{caught.value!r}{caught.value.hint}"
        return str(caught.value), caught.value.hint

    return refused


def test_a_service_principal_pulls_by_basic(pull, registry, app):
    assert pull(Basic(app.app_id, "right")).layers


def test_the_admin_user_pulls(pull, registry):
    assert pull(Basic("myregistry", registry.admin_passwords["password2"])).layers


def test_a_repository_token_pulls_what_its_scope_map_says(pull, registry, refused):
    token = registry.token("ci", "repositories/team/app/content/read")
    login = Basic("ci", token.passwords["password1"].value)
    assert pull(login).layers
    registry.scope_maps["ci-scope-map"] = ["repositories/other/content/read"]
    message, hint = refused(login, kind=(AuthError, RegistryError))
    assert "az acr token show --registry myregistry --name ci" in hint, message


def test_anybody_pulls_where_that_is_switched_on(pull, registry, refused):
    with pytest.raises((TokenRefused, Unauthorized)):
        pull(Anonymous())
    registry.anonymous_pull = True
    assert pull(Anonymous()).layers


def test_what_a_token_grants_is_looked_at(azure, registry, app):
    with Client(lambda _: (Pinned(Basic(app.app_id, "right"), "t"),), transport=azure.transport()) as client:
        assert client.ping(Repository.parse(IMAGE), "pull", "push") == ("pull",)


@pytest.mark.parametrize("credential", ["service principal", "identity token"])
def test_a_credential_that_is_taken_and_has_no_role(azure, refused, registry, app, credential):
    azure.roles.assignments.clear()
    token = registry.refresh_token(Caller("entra", app.principal_id), app)
    message, hint = refused(Basic(app.app_id, "right") if credential == "service principal" else IdentityToken(token), secret=token)
    assert "the account has no role that allows this" in message
    assert "AcrPull, or in a registry with repository permissions (ABAC) Container Registry Repository Reader" in hint


def test_a_wrong_secret(refused, registry, app):
    message, hint = refused(Basic(app.app_id, "canary"))
    assert f"the secret of {app.app_id} is wrong or has expired, which the registry does not tell apart" in message
    assert "not its Secret ID" in hint


def test_an_application_of_another_tenant(refused, registry):
    message, hint = refused(Basic("11111111-2222-3333-4444-555555555555", "canary"))
    assert "the registry's tenant knows no application 11111111-2222-3333-4444-555555555555" in message
    assert "client ID (not an object ID)" in hint


def test_a_name_that_is_no_client_id(refused, registry):
    message, hint = refused(Basic("deploy", "canary"))
    assert "deploy is neither a client ID nor a token of this registry" in message
    assert "az acr token list --registry myregistry" in hint


def test_an_admin_user_with_a_new_password(refused, registry):
    message, hint = refused(Basic("myregistry", "canary"))
    assert "the admin user's password is wrong or was regenerated, or the admin user is disabled" in message
    assert "password and password2 (a token's password1 and password2)" in hint


@pytest.mark.parametrize("words", ["", "Application not registered with AAD."])
def test_an_admin_user_that_is_disabled(azure, refused, registry, words):
    registry.admin_enabled = False
    if words:
        azure.fault(lambda request: answers.error(request, 401, "UNAUTHORIZED", words) if "oauth2" in request.url.target else None, HOST)
    message, hint = refused(Basic("myregistry", "canary"))
    assert "takes the admin user's name for a client ID, so its admin user is disabled" in message
    assert "--admin-enabled true" in hint


def test_a_firewall(refused, registry, app):
    registry.firewall = ["198.51.100.1"]
    message, hint = refused(Basic(app.app_id, "right"), kind=Denied)
    assert "its firewall does not let in 203.0.113.7" in message
    assert "az acr network-rule add" in hint


def test_a_password_that_is_too_long_for_a_header(refused, registry, app):
    message, hint = refused(Basic(app.app_id, "canary" * 1200))
    assert "an Entra token was used as a password" in message
    assert "azure acr login" in hint


def test_throttling_is_no_denial(azure, refused, registry, app):
    azure.fault(lambda request: answers.empty(request, 429, [("retry-after", "3600")]), HOST)
    message, hint = refused(Basic(app.app_id, "right"), kind=(TooManyRequests, TokenRefused))
    assert "too many requests" in message
    assert hint == "try again in 3600 seconds"


def test_an_expired_refresh_token(refused, registry):
    message, _ = refused(IdentityToken("canary"))
    assert "refused the credential" in message


def test_no_other_registrys_words_are_interpreted():
    error = Unauthorized("Invalid clientid or client secret.", hint="h")
    sharpen(error, Registry.parse("registry.example"), 401, "a")
    assert (str(error), error.hint) == ("Invalid clientid or client secret.", "h")


@pytest.mark.parametrize("words", ["", "Service unavailable", "manifest unknown"])
def test_what_means_nothing_in_particular_is_left_as_it_is(words):
    assert meaning(Refusal(Registry.parse(HOST), 404, words, "a")) is None
    assert meaning(Refusal(Registry.parse(HOST), 403, words, "a")) is None, "a 403 of an image is no firewall's"


def test_blob_storages_own_error():
    found = meaning(Refusal(Registry.parse(HOST), 400, "InvalidAuthenticationInfo"))
    assert "must drop it" in found.hint


def test_an_error_that_is_not_found_stays_one(pull, registry, app):
    with pytest.raises(NotFound):
        pull(Basic(app.app_id, "right"), f"{HOST}/team/other")


@pytest.fixture
def diagnosed(azure, app, config, monkeypatch, clock):
    """What Entra and the registry say of a service principal."""
    monkeypatch.setattr(wire, "open_transport", lambda *_, **__: azure.transport())

    def diagnosed(secret="right", **said):
        said = {"kind": "service-principal", "tenant": azure.home.id} | said
        principal = Principal(Address.parse(HOST), said.pop("account", app.app_id), (Slot(secret),), **said)
        found = diagnose(principal, config(None), {}, clock=clock)
        assert found is None or secret not in f"{found!r}"
        return found

    return diagnosed


def test_entra_tells_an_expired_secret_from_a_wrong_one(diagnosed, registry, app, clock):
    app.add_secret(value="old", lifetime=10)
    clock.now += 11
    assert "its client secret has expired (AADSTS7000222)" in diagnosed("old").said
    assert "its client secret is wrong (AADSTS7000215)" in diagnosed("never").said
    assert "is the Secret ID" in diagnosed(app.secrets[0].key_id).said


def test_entra_tells_a_wrong_tenant_and_an_unknown_application(diagnosed, registry):
    assert "no such tenant" in diagnosed(tenant="11111111-2222-3333-4444-555555555555").said
    assert "no such application" in diagnosed(account="11111111-2222-3333-4444-555555555555").said


@pytest.mark.parametrize(("mode", "role"), [("classic", "a role: AcrPull"), ("abac", "Container Registry Repository Reader")])
def test_a_secret_that_is_good_lacks_a_role_of_the_kind_that_counts_there(diagnosed, registry, mode, role):
    registry.mode = mode
    found = diagnosed()
    assert "Entra takes the secret, and so does the registry's exchange" in found.said
    assert role in found.hint


def test_a_firewall_is_told_from_a_secret(diagnosed, registry):
    registry.firewall = ["198.51.100.1"]
    assert "does not let in 203.0.113.7" in diagnosed().said


@pytest.mark.parametrize(
    "said", [{"tenant": ""}, {"account": "ci"}, {"kind": "identity-token"}, {"account": "00000000-0000", "kind": "robot"}]
)
def test_entra_is_asked_about_service_principals_of_a_known_tenant_only(diagnosed, registry, azure, said):
    assert diagnosed(**said) is None
    assert azure.requests == []


def test_the_secret_goes_to_no_authority_but_the_clouds(diagnosed, registry, azure):
    diagnosed()
    assert [str(request.url.origin) for request in azure.requests if b"right" in request.body] == ["https://login.microsoftonline.com"]
